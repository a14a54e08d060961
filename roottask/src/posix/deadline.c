/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts a time of POSIX into a deadline of the runtime. */
#include "posix/deadline.h"

#include <errno.h>

#include "novart/time.h"
#include "time/clock.h"

int novart_deadline_of(clockid_t clock, const struct timespec *time, uint64_t *deadline)
{
        const uint64_t offset = clock == CLOCK_MONOTONIC ? 0 : novart_clock_realtime_offset();
        uint64_t ns, since_boot;

        if (time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S)
                return EINVAL;
        ns = time->tv_sec < 0 ? 0 : novart_clock_ns(time);

        /* The offset is negative, modulo 2^64, if the clock is set to a time before the boot. */
        if (offset <= INT64_MAX)
                since_boot = ns > offset ? ns - offset : 0;
        else
                since_boot = ns < offset ? ns - offset : UINT64_MAX;
        *deadline = nova_tsc_of_ns(since_boot);
        return 0;
}
