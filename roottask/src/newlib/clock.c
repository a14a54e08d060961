/* SPDX-License-Identifier: BSD-2-Clause */
/* The C library's clocks. */
#include "time/clock.h"

#include <errno.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "novart/time.h"

#define NS_PER_US    1000
#define NS_PER_CLOCK (NS_PER_S / CLOCKS_PER_SEC)

/* Latest time that can be set: its nanoseconds fit in 63 bits, because the time since the boot is
 * subtracted from them, and the difference may be negative. */
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)

static int read_clock(clockid_t clock, uint64_t *ns)
{
        *ns = nova_time_ns();
        if (clock == CLOCK_REALTIME)
                *ns += novart_clock_realtime_offset();
        else if (clock != CLOCK_MONOTONIC)
                return EINVAL;
        return 0;
}

static int fail(int error)
{
        errno = error;
        return -1;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
        uint64_t ns;

        if (read_clock(clock, &ns))
                return fail(EINVAL);
        time->tv_sec = (time_t)(ns / NS_PER_S);
        time->tv_nsec = (long)(ns % NS_PER_S);
        return 0;
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
        uint64_t ns;

        if (read_clock(clock, &ns))
                return fail(EINVAL);
        if (resolution)
                *resolution = (struct timespec){0, 1};
        return 0;
}

int clock_settime(clockid_t clock, const struct timespec *time)
{
        if (clock != CLOCK_REALTIME || time->tv_sec < 0 || time->tv_sec > SECONDS_MAX ||
            time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S)
                return fail(EINVAL);
        nova_time_set(novart_clock_ns(time));
        return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
        uint64_t ns;

        (void)zone;
        read_clock(CLOCK_REALTIME, &ns);
        time->tv_sec = (time_t)(ns / NS_PER_S);
        time->tv_usec = (suseconds_t)(ns % NS_PER_S / NS_PER_US);
        return 0;
}

/* Sleeps for the given time. No signals exist that could end the sleep earlier. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
        (void)left;
        if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S)
                return fail(EINVAL);
        nova_sleep(novart_clock_ns(time));
        return 0;
}

unsigned sleep(unsigned seconds)
{
        nova_sleep((uint64_t)seconds * NS_PER_S);
        return 0;
}

int usleep(useconds_t us)
{
        nova_sleep((uint64_t)us * NS_PER_US);
        return 0;
}

/* Returns the time since boot as CPU time, because the program's CPU time is unknown. */
clock_t times(struct tms *buffer)
{
        const clock_t now = (clock_t)(nova_time_ns() / NS_PER_CLOCK);

        *buffer = (struct tms){.tms_utime = now};
        return now;
}
