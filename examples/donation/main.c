/* SPDX-License-Identifier: BSD-2-Clause */
/* A caller donates its time, because a server has no priority and no time of its own. Three threads
 * share one CPU. While the server works for `low`, `middle` takes the CPU and does not give it
 * back. Then `high` calls the same server. It donates its time until the server has completed the
 * request of `low`. So `high` waits for one request, and not for `middle`. */
#include <stdio.h>

#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"

static struct nova_semaphore middle_may = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore high_may = NOVA_SEMAPHORE_INITIALIZER(0);
static nova_sel_t portal;
static volatile bool high_was_served;

/* Serves requests. The first one is interrupted in the middle. */
static void serve(nova_sel_t sel, struct nova_utcb *utcb, void *argument)
{
        static unsigned requests;
        const unsigned number = ++requests;

        (void)sel;
        (void)argument;
        printf("request %u begins\n", number);
        if (number == 1)
                nova_semaphore_up(&middle_may); /* now `middle` has the CPU */
        printf("request %u ends\n", number);
        nova_utcb_clear(utcb);
}

static void *run_low(void *argument)
{
        puts("low calls");
        nova_call(portal, 0);
        puts("low was served");
        return argument;
}

static void *run_middle(void *argument)
{
        nova_semaphore_down(&middle_may);
        puts("middle has the CPU and does not give it up");
        nova_semaphore_up(&high_may);
        while (!high_was_served)
                ;
        puts("middle is done");
        return argument;
}

static void *run_high(void *argument)
{
        nova_semaphore_down(&high_may);
        puts("high calls");
        nova_call(portal, 0);
        puts("high was served");
        high_was_served = true;
        return argument;
}

int main(void)
{
        static const struct {
                const char *name;
                unsigned priority;
                void *(*function)(void *);
        } threads[] = {{"high", 30, run_high}, {"middle", 20, run_middle}, {"low", 10, run_low}};
        struct nova_thread *thread[3];
        struct nova_handler *handler;

        portal = nova_sel_alloc(0);
        if (nova_handler_create(&handler, NOVA_CPU_SELF, "server", serve, NULL) ||
            nova_handler_portal(handler, portal, 0))
                return 1;
        for (unsigned i = 0; i < 3; i++) {
                const struct nova_thread_attr attr = {.name = threads[i].name,
                                                      .cpu = NOVA_CPU_SELF,
                                                      .priority = threads[i].priority};

                if (nova_thread_create(&thread[i], &attr, threads[i].function, NULL))
                        return 1;
        }
        for (unsigned i = 0; i < 3; i++)
                nova_thread_join(thread[i], NULL);
        return 0;
}
