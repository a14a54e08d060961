/* SPDX-License-Identifier: BSD-2-Clause */
/* A child with too little kernel memory for its action: each attempt that fails frees its objects,
 * except those that the runtime creates once for each CPU and keeps. Argument: "threads", "service"
 * or "last". Ends with a status of scarce.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "scarce.h"

#define ROUNDS 3

static struct nova_semaphore go = NOVA_SEMAPHORE_INITIALIZER(0);
static unsigned ran;

static void *work(void *argument)
{
        nova_semaphore_down(&go);
        __atomic_fetch_add(&ran, 1, __ATOMIC_RELAXED);
        return argument;
}

/* Runs threads on all CPUs at the same time. */
static int threads(void)
{
        struct nova_thread *thread[NOVA_CPU_MAX];
        unsigned made = 0;
        int status = SCARCE_DONE;

        ran = 0;
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "worker", .cpu = cpu};

                if (!nova_program_has_cpu(cpu))
                        continue;

                const int error = nova_thread_create(&thread[made], &attr, work, NULL);

                if (error && (error != EAGAIN || thread[made]))
                        return SCARCE_WRONG;
                if (error)
                        status = SCARCE_REFUSED;
                else
                        made++;
        }
        for (unsigned i = 0; i < made; i++)
                nova_semaphore_up(&go);
        for (unsigned i = 0; i < made; i++)
                nova_thread_join(thread[i], NULL);
        return ran == made ? status : SCARCE_WRONG;
}

static int service(void)
{
        static const struct nova_service_config config = {.name = "scarce", .share_pages = 1};
        struct nova_service *started;
        const int error = nova_service_start(&started, &config);

        if (error)
                return error == ENOMEM ? SCARCE_REFUSED : SCARCE_WRONG;
        nova_service_stop(started);
        return SCARCE_DONE;
}

struct balance {
        size_t selectors, pages;
        nova_word_t kernel;
};

static struct balance balance(void)
{
        struct balance now = {nova_sel_used(), nova_page_free_count(), 0};
        nova_word_t limit = 0;

        nova_quota_query(nova_program.pd, &now.kernel, &limit);
        return now;
}

/* Returns true if all resources come back. The kernel frees memory a moment later. */
static bool is_back(const struct balance *before)
{
        for (unsigned i = 0; i < 100; i++) {
                const struct balance now = balance();

                if (now.selectors <= before->selectors && now.pages >= before->pages &&
                    now.kernel <= before->kernel)
                        return true;
                nova_sleep(10000000);
        }
        return false;
}

static int outcome;

static void end_with_outcome(void)
{
        _exit(outcome);
}

/* Ends the last thread. Threads that could not begin do not count, so the program ends. */
static int last(void)
{
        outcome = threads();
        if (atexit(end_with_outcome))
                return SCARCE_WRONG;
        nova_thread_exit_with(NULL);
}

int main(int argc, char **argv)
{
        if (argc > 1 && !strcmp(argv[1], "last"))
                return last();

        int (*const attempt)(void) = argc > 1 && !strcmp(argv[1], "service") ? service : threads;
        const int status = attempt();

        if (status != SCARCE_REFUSED)
                return status;
        /* The runtime keeps the objects that the first attempt created for each CPU, so the balance
         * is taken only now. */
        nova_sleep(20000000);

        const struct balance before = balance();

        for (unsigned round = 0; round < ROUNDS; round++)
                if (attempt() == SCARCE_WRONG)
                        return SCARCE_WRONG;
        return is_back(&before) ? SCARCE_REFUSED : SCARCE_LOST;
}
