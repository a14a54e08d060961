/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads on two CPUs take the lock with which lwIP protects its pools. Each thread takes the lock
 * a second time before it releases it. Sometimes it sleeps while it holds the lock, so that the
 * others wait. */
#include <stdio.h>

#include "lwip/sys.h"
#include "novart/thread.h"
#include "novart/time.h"

#define THREADS  4
#define CPUS     2
#define ROUNDS   20000
#define SLEEPS   500 /* rounds of a thread from one sleep to the next one */
#define SLEEP_NS 100000

static volatile unsigned inside, total; /* the lock protects them */
static unsigned together;               /* rounds in which two threads had the lock */

/* Takes the lock twice. @return 1: another thread had it, too */
static unsigned take(unsigned round)
{
        SYS_ARCH_DECL_PROTECT(outer);
        SYS_ARCH_DECL_PROTECT(inner);
        unsigned wrong;

        SYS_ARCH_PROTECT(outer);
        wrong = inside;
        inside = 1;
        if (round % SLEEPS == 0)
                nova_sleep(SLEEP_NS); /* so that another thread waits for the lock now */
        SYS_ARCH_PROTECT(inner);
        total = total + 1;
        SYS_ARCH_UNPROTECT(inner);
        if (round % SLEEPS == 1)
                nova_sleep(SLEEP_NS); /* the thread still holds the lock */
        inside = 0;
        SYS_ARCH_UNPROTECT(outer);
        return wrong;
}

static void *run(void *unused)
{
        unsigned wrong = 0;

        for (unsigned round = 1; round <= ROUNDS; round++)
                wrong += take(round);
        __atomic_fetch_add(&together, wrong, __ATOMIC_RELAXED);
        return unused;
}

int main(void)
{
        struct nova_thread *thread[THREADS];
        void *result;

        for (unsigned i = 0; i < THREADS; i++) {
                const struct nova_thread_attr attr = {.name = "taker", .cpu = i % CPUS};

                if (nova_thread_create(&thread[i], &attr, run, NULL)) {
                        puts("a thread cannot be started");
                        return 1;
                }
        }
        for (unsigned i = 0; i < THREADS; i++)
                nova_thread_join(thread[i], &result);
        printf("%u of %u rounds, %u with two threads\n", total, THREADS * ROUNDS, together);
        return total != THREADS * ROUNDS || together;
}
