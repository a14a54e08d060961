/* SPDX-License-Identifier: BSD-2-Clause */
/* Thread-local variables, of threads and of handlers, and errno. */
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/thread.h"

#define THREADS 8

static _Thread_local int counter = 100;
static __thread char text[20] = "begins like this";
static _Thread_local alignas(256) unsigned char aligned[300];
static _Thread_local int zero;

static void check_fresh(void)
{
        CHECK(counter == 100 && !strcmp(text, "begins like this") && zero == 0 && errno == 0);
        CHECK((uintptr_t)aligned % 256 == 0);
        for (size_t i = 0; i < sizeof(aligned); i++)
                CHECK(!aligned[i]);
}

static void *body(void *argument)
{
        const int number = (int)(intptr_t)argument;

        check_fresh();
        for (int i = 0; i < 1000; i++) {
                counter += number;
                errno = number;
                zero = number;
                memset(aligned, number, sizeof(aligned));
                snprintf(text, sizeof(text), "thread %d", number);
        }
        CHECK(counter == 100 + 1000 * number && errno == number && zero == number);
        CHECK(aligned[0] == number && aligned[299] == number && text[7] == '0' + number);
        return &counter;
}

static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        if (!*(int *)argument)
                check_fresh();
        errno = EDOM;
        *(int *)argument = ++counter;
        CHECK(nova_thread_utcb() == utcb && errno == EDOM);
        nova_utcb_clear(utcb);
}

/* Makes a handler with a portal. */
static struct nova_handler *make_server(nova_sel_t portal, nova_portal_handler *function,
                                        void *argument)
{
        struct nova_handler *handler;

        CHECK(!nova_handler_create(&handler, NOVA_CPU_SELF, "server", function, argument));
        CHECK(!nova_handler_portal(handler, portal, 0));
        return handler;
}

static void check_handler(void)
{
        const nova_sel_t portal = nova_sel_alloc(0);
        int seen = 0;
        struct nova_handler *const handler = make_server(portal, serve, &seen);

        errno = EBUSY;
        for (int i = 1; i <= 3; i++) {
                nova_utcb_clear(nova_thread_utcb());
                CHECK(nova_call(portal, 0) == NOVA_SUCCESS && seen == 100 + i);
        }
        CHECK(errno == EBUSY && counter == 100);
        nova_handler_destroy(handler);
        CHECK(nova_call(portal, 0) != NOVA_SUCCESS);
        nova_sel_release(portal, 0);
}

/* Answers a message without removing its items from the UTCB. */
static void leave(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        *(nova_word_t *)argument = utcb->word[nova_utcb_item_index(0) + 1];
}

/* A received item must not keep NOVA_ITEM_H: if the root PD sent it back, the item would ask for
 * the microhypervisor's resources. */
static void check_items(void)
{
        const nova_sel_t portal = nova_sel_alloc(0);
        nova_word_t flags = 0;
        struct nova_handler *const handler = make_server(portal, leave, &flags);

        nova_utcb_clear(nova_thread_utcb());
        nova_utcb_delegate(nova_thread_utcb(), nova_crd_obj(portal, 0, NOVA_PERM_ALL), 0,
                           NOVA_ITEM_H);
        CHECK(nova_call(portal, 0) == NOVA_SUCCESS);
        CHECK(flags & NOVA_ITEM_DELEGATE && !(flags & NOVA_ITEM_H));
        nova_utcb_clear(nova_thread_utcb());
        nova_handler_destroy(handler);
        nova_sel_release(portal, 0);
}

int main(void)
{
        struct nova_thread *thread[THREADS];
        struct nova_thread_attr attr = NOVA_THREAD_ATTR_INITIALIZER;
        void *where[THREADS];
        nova_word_t cpu = 0;

        check_fresh();
        for (int i = 0; i < THREADS; i++) {
                do
                        cpu = (cpu + 1) % NOVA_CPU_MAX;
                while (!nova_program_has_cpu(cpu));
                attr.cpu = cpu;
                CHECK(!nova_thread_create(&thread[i], &attr, body, (void *)(intptr_t)(i + 1)));
        }
        for (int i = 0; i < THREADS; i++)
                CHECK(!nova_thread_join(thread[i], &where[i]) && where[i] != &counter);
        errno = 0;
        check_fresh();
        check_handler();
        check_items();
        printf("%d threads had variables of their own\n", THREADS);
        return 0;
}
