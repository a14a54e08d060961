/* SPDX-License-Identifier: BSD-2-Clause */
/* Time since boot. Boot is the moment at which the kernel reset the time stamp counters of all
 * CPUs, just before the first thread ran. clock_gettime(), gettimeofday(), time() and nanosleep()
 * of the C library use this time. */
#ifndef NOVART_TIME_H
#define NOVART_TIME_H

#include <stdint.h>

#include "nova/arch/tsc.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Returns the time since boot in nanoseconds.
 * @code
 * const uint64_t begin = nova_time_ns();
 *
 * nova_sleep(1000000);
 * printf("%llu ns\n", (unsigned long long)(nova_time_ns() - begin));
 * @endcode
 */
uint64_t nova_time_ns(void);

/** Returns the TSC value at @p ns nanoseconds since boot; UINT64_MAX if it does not fit into 64
 * bits. */
uint64_t nova_tsc_of_ns(uint64_t ns);

/** Returns the time of a TSC value in nanoseconds since boot. */
uint64_t nova_ns_of_tsc(uint64_t tsc);

/**
 * Returns the TSC value @p ns nanoseconds from now, a deadline for functions that wait.
 * @code
 * static struct nova_semaphore ready;
 *
 * if (nova_semaphore_down_until(&ready, nova_deadline_in(1000000000)) == ETIMEDOUT)
 *         puts("not ready within a second");
 * @endcode
 */
uint64_t nova_deadline_in(uint64_t ns);

/**
 * Sleeps until the TSC has reached a value.
 * @code
 * // Ten times a second, without drift.
 * uint64_t next = nova_time_ns();
 *
 * for (unsigned i = 0; i < 100; i++) {
 *         next += 100000000;
 *         nova_sleep_until(nova_tsc_of_ns(next));
 * }
 * @endcode
 */
void nova_sleep_until(uint64_t tsc);

/** Sleeps for @p ns nanoseconds. */
void nova_sleep(uint64_t ns);

/** Sets the time of day: CLOCK_REALTIME continues from @p ns nanoseconds since 1970. Before that,
 * it counts from boot. */
void nova_time_set(uint64_t ns);

/**
 * Sets CLOCK_REALTIME from the machine's clock, a PC's MC146818. Assumes that the clock holds UTC
 * and a year from 1970 to 2069.
 *
 * A root requests ports 0x70 and 0x71 from the kernel and keeps them; any other program needs
 * `devices rtc` in its description. No other program may use the clock meanwhile.
 * @code
 * if (nova_time_set_by_rtc() == 0)
 *         printf("%lld seconds since 1970\n", (long long)time(NULL));
 * @endcode
 * @retval 0      done
 * @retval ENOENT the program does not have the device
 * @retval EIO    the clock holds no valid date
 * @retval other  as for nova_request(), in a root
 */
int nova_time_set_by_rtc(void);

#ifdef __cplusplus
}
#endif

#endif
