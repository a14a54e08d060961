/* SPDX-License-Identifier: BSD-2-Clause */
/* A timer that expires once, one that expires periodically, and one that is stopped. */
#include <errno.h>
#include <novart/service/timer.h>
#include <novart/time.h>
#include <stdio.h>

#define MS 1000000ull

int main(void)
{
        struct nova_session *timer;
        const uint64_t begin = nova_time_ns();
        unsigned count = 0, sum = 0;

        if (nova_timer_open(&timer))
                return 1;
        nova_timer_arm(timer, begin + 30 * MS, 0);
        nova_timer_wait(timer, &count, UINT64_MAX);
        printf("expired %u time, %s\n", count,
               nova_time_ns() >= begin + 30 * MS ? "not too early" : "too early");

        nova_timer_arm(timer, nova_time_ns(), 10 * MS);
        while (sum < 3 && nova_timer_wait(timer, &count, UINT64_MAX) == 0)
                sum += count;
        printf("periods have passed\n");

        nova_timer_cancel(timer);
        if (nova_timer_wait(timer, NULL, nova_time_ns() + 30 * MS) == ETIMEDOUT)
                printf("then it is quiet\n");
        nova_session_close(timer);
        return 0;
}
