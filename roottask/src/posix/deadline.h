/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts a time of POSIX into a deadline of the runtime. */
#ifndef NOVA_ROOTTASK_DEADLINE_H
#define NOVA_ROOTTASK_DEADLINE_H

#include <stdint.h>
#include <time.h>

/* Computes the TSC value at a time of CLOCK_REALTIME or CLOCK_MONOTONIC.
 * @return 0, or EINVAL */
int novart_deadline_of(clockid_t clock, const struct timespec *time, uint64_t *deadline);

#endif
