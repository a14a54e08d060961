/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that checks once per period whether work that needs the lock has ended since the last
 * check, and how old the requests are. Without work it waits without a deadline, so that an idle
 * program does not run. */
#include "watchdog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define SECOND 1000000000

/* Work that has to end. */
struct wait {
        uint32_t ended; /* the counter at the last check */
        uint32_t looks; /* number of checks since work last ended, while there was work */
};

static struct watch watched;
static nova_sel_t wake;
static uint32_t begun; /* number of pieces of work that began, including those of threads that wait
                        * for the lock */
static uint32_t ended; /* number of pieces of work that ended */
static uint32_t looks; /* number of the thread's checks, times 2; written by the thread only */
static bool rests;     /* the thread waits until work begins */

void watchdog_begin(void)
{
        if (!watched.limit_ns)
                return;
        __atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&rests, __ATOMIC_SEQ_CST))
                nova_sm_up(wake);
}

void watchdog_end(void)
{
        if (watched.limit_ns)
                __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
}

uint32_t watchdog_stamp(void)
{
        return __atomic_load_n(&looks, __ATOMIC_RELAXED) | 1;
}

uint32_t watchdog_age(uint32_t stamp)
{
        return (__atomic_load_n(&looks, __ATOMIC_RELAXED) + 1 - stamp) / 2;
}

static _Noreturn void give_up(const char *sentence)
{
        printf("%s for %u %s; the driver ends, and starts again if its description says "
               "'restart on-failure'.\n",
               sentence,
               (unsigned)(watched.limit_ns / (watched.limit_ns < SECOND ? 1000000 : SECOND)),
               watched.limit_ns < SECOND ? "milliseconds" : "seconds");
        exit(1);
}

/* Returns the number of checks since work last ended. */
static uint32_t look(struct wait *wait, bool busy)
{
        const uint32_t now = __atomic_load_n(&ended, __ATOMIC_ACQUIRE);

        wait->looks = busy && now == wait->ended ? wait->looks + 1 : 0;
        wait->ended = now;
        return wait->looks;
}

static bool lock_busy(void)
{
        const uint32_t before = __atomic_load_n(&ended, __ATOMIC_ACQUIRE);

        return __atomic_load_n(&begun, __ATOMIC_SEQ_CST) != before;
}

static void *watch(void *argument)
{
        const uint64_t period = watched.limit_ns < SECOND ? watched.limit_ns : SECOND;
        /* Work that began just before a check counts as a whole period. */
        const uint32_t most = (uint32_t)(watched.limit_ns / period);
        struct wait lock = {0, 0};
        uint32_t age;

        (void)argument;
        for (;;) {
                if (rests)
                        nova_sm_zero(wake);
                __atomic_store_n(&rests, false, __ATOMIC_SEQ_CST);
                nova_sleep(period);

                const uint32_t before = lock.ended;

                __atomic_store_n(&looks, looks + 2, __ATOMIC_RELAXED);
                if (look(&lock, lock_busy()) > most)
                        give_up("a thread has held the service's lock");
                /* a thread that keeps the lock also keeps requests from ending */
                if (watched.oldest(&age) && age > most && !lock.looks)
                        give_up("the device has not answered a request");
                if (lock.ended != before)
                        continue;
                __atomic_store_n(&rests, true, __ATOMIC_SEQ_CST);
                if (lock_busy() || watched.oldest(&age))
                        __atomic_store_n(&rests, false, __ATOMIC_SEQ_CST);
        }
}

int watchdog_start(const struct watch *of)
{
        const struct nova_thread_attr attr = {
                .name = "watchdog", .cpu = nova_program.cpu, .stack_bytes = NOVA_THREAD_STACK_MIN};
        struct nova_thread *thread;

        if (!of->limit_ns)
                return 0;
        wake = nova_sel_alloc(0);
        if (wake == NOVA_SEL_NONE || nova_create_sm(wake, nova_program.pd, 0) != NOVA_SUCCESS)
                return ENOMEM;
        watched = *of;
        rests = true;
        return nova_thread_create(&thread, &attr, watch, NULL);
}
