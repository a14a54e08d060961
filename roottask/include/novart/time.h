/* SPDX-License-Identifier: BSD-2-Clause */
/* Time since the kernel set the time stamp counters of all CPUs to 0, just before the first thread
 * ran. clock_gettime(), gettimeofday(), time() and nanosleep() of the C library stand on it. */
#ifndef NOVART_TIME_H
#define NOVART_TIME_H

#include <stdint.h>

#include "nova/arch/tsc.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Nanoseconds since boot. */
uint64_t nova_time_ns(void);

/** The TSC value at a moment, in nanoseconds since boot; UINT64_MAX if it is beyond all. */
uint64_t nova_tsc_of_ns(uint64_t ns);

/** Nanoseconds since boot of a TSC value. */
uint64_t nova_ns_of_tsc(uint64_t tsc);

/** The TSC value @p ns nanoseconds from now on: a deadline for functions that wait. */
uint64_t nova_deadline_in(uint64_t ns);

/** Sleep until the TSC has reached a value. */
void nova_sleep_until(uint64_t tsc);

/** Sleep @p ns nanoseconds. */
void nova_sleep(uint64_t ns);

/** Say what time it is: CLOCK_REALTIME then goes on from @p ns nanoseconds since 1970. Until then
 *  it counts from boot. */
void nova_time_set(uint64_t ns);

/**
 * Set CLOCK_REALTIME by the machine's clock, a PC's MC146818, which is taken for one that tells
 * UTC, in years from 1970 to 2069.
 *
 * A root takes ports 0x70 and 0x71 from the kernel and keeps them; another program needs `devices
 * rtc` in its description. Nobody else may use the clock meanwhile.
 * @retval 0      done
 * @retval ENOENT the program does not have the device
 * @retval EIO    it holds no valid date
 * @retval other  as nova_request(), of a root
 */
int nova_time_set_by_rtc(void);

#ifdef __cplusplus
}
#endif

#endif
