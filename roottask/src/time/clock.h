/* SPDX-License-Identifier: BSD-2-Clause */
/* Clock data that the C library needs in addition to novart/time.h. */
#ifndef NOVA_ROOTTASK_CLOCK_H
#define NOVA_ROOTTASK_CLOCK_H

#include <stdint.h>

/* Nanoseconds between CLOCK_MONOTONIC and CLOCK_REALTIME. */
uint64_t novart_clock_realtime_offset(void);

#endif
