/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of clocks that the C library needs in addition to novart/time.h. */
#ifndef NOVA_ROOTTASK_CLOCK_H
#define NOVA_ROOTTASK_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000

/* Returns the nanoseconds by which CLOCK_REALTIME is ahead of CLOCK_MONOTONIC. */
uint64_t novart_clock_realtime_offset(void);

/* Returns the nanoseconds of a time that is not negative; at most UINT64_MAX. */
uint64_t novart_clock_ns(const struct timespec *time);

#endif
