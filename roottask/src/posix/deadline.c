/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts a time of POSIX into a deadline of the runtime. */
#include "posix/deadline.h"

#include <errno.h>

#include "novart/time.h"
#include "time/clock.h"

#define NS_PER_S 1000000000

int novart_deadline_of(clockid_t clock, const struct timespec *time, uint64_t *deadline)
{
        const uint64_t offset = clock == CLOCK_MONOTONIC ? 0 : novart_clock_realtime_offset();
        uint64_t ns;

        if (time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S)
                return EINVAL;
        if (time->tv_sec < 0)
                ns = 0;
        else if (__builtin_mul_overflow((uint64_t)time->tv_sec, NS_PER_S, &ns) ||
                 __builtin_add_overflow(ns, (uint64_t)time->tv_nsec, &ns))
                ns = UINT64_MAX;

        /* The clock may be set to a time before the boot: the offset is modulo 2^64. */
        const uint64_t since_boot = ns - offset;

        *deadline = nova_tsc_of_ns(since_boot > ns && offset <= INT64_MAX ? 0 : since_boot);
        return 0;
}
