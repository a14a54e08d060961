/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `timer`: single and periodic timers, a thousand clients on all CPUs. */
#include <errno.h>
#include <stdio.h>

#include "case.h"
#include "novart/program.h"
#include "novart/service/timer.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "timer/server.h"

#define MS      1000000ull
#define FOREVER UINT64_MAX
#define TIMERS  1000

static struct nova_session *timers[TIMERS];
static volatile unsigned early;

static void one(void)
{
        struct nova_session *timer = NULL;
        const uint64_t begin = nova_time_ns();
        unsigned count = 0;

        check(timer_service_start(TIMERS, TIMERS) == 0 && nova_timer_open(&timer) == 0,
              "a timer is opened");
        check(nova_timer_arm(timer, begin + 20 * MS, 0) == 0 &&
                      nova_timer_wait(timer, &count, FOREVER) == 0 && count == 1 &&
                      nova_time_ns() >= begin + 20 * MS,
              "it expires, and not too early");
        check(nova_timer_wait(timer, NULL, nova_time_ns() + 20 * MS) == ETIMEDOUT,
              "it expires once only");
        check(nova_timer_arm(timer, 0, 0) == 0 && nova_timer_wait(timer, &count, FOREVER) == 0,
              "a deadline that has passed expires at once");
        check(nova_timer_arm(timer, nova_time_ns() + 20 * MS, 0) == 0 &&
                      nova_timer_cancel(timer) == 0 &&
                      nova_timer_wait(timer, NULL, nova_time_ns() + 50 * MS) == ETIMEDOUT,
              "a cancelled timer does not expire");
        check(nova_timer_arm(timer, 0, NOVA_TIMER_PERIOD_MIN - 1) == EINVAL,
              "too short a period is refused");
        nova_timer_arm(timer, nova_time_ns() + 5 * MS, 5 * MS);

        unsigned sum = 0;

        while (sum < 5 && nova_timer_wait(timer, &count, FOREVER) == 0)
                sum += count;
        check(sum >= 5, "a periodic timer expires again and again");
        nova_session_close(timer);
}

/* Arms the timers of one CPU all at once, and waits for them one by one. */
static void *crowd(void *argument)
{
        const unsigned first = (unsigned)(uintptr_t)argument, step = 250;
        const uint64_t begin = nova_time_ns() + 100 * MS;

        for (unsigned i = first; i < first + step; i++)
                if (nova_timer_open(&timers[i]) ||
                    nova_timer_arm(timers[i], begin + (i * 7919 % TIMERS) * MS / 5, 0))
                        return timers;
        for (unsigned i = first; i < first + step; i++) {
                if (nova_timer_wait(timers[i], NULL, FOREVER))
                        return timers;
                if (nova_time_ns() < begin + (i * 7919 % TIMERS) * MS / 5)
                        early++;
                nova_session_close(timers[i]);
        }
        return NULL;
}

static void many(void)
{
        struct nova_thread *thread[4];
        nova_word_t cpu = 0;
        bool good = true;

        for (unsigned i = 0; i < 4; i++) {
                while (!nova_program_has_cpu(cpu))
                        cpu = (cpu + 1) % NOVA_CPU_MAX;

                const struct nova_thread_attr attr = {.name = "client", .cpu = cpu};

                good &= !nova_thread_create(&thread[i], &attr, crowd, (void *)(uintptr_t)(i * 250));
                cpu = (cpu + 1) % NOVA_CPU_MAX;
        }
        for (unsigned i = 0; i < 4 && good; i++) {
                void *result = NULL;

                good &= !nova_thread_join(thread[i], &result) && !result;
        }
        check(good, "a thousand timers expire for clients on all CPUs");
        check(!early, "and none of them too early");
}

int main(void)
{
        one();
        many();
        return check_end();
}
