/* SPDX-License-Identifier: BSD-2-Clause */
/* From a time of POSIX to a deadline of the runtime. */
#ifndef NOVA_ROOTTASK_DEADLINE_H
#define NOVA_ROOTTASK_DEADLINE_H

#include <stdint.h>
#include <time.h>

/* The TSC value at a time of CLOCK_REALTIME or CLOCK_MONOTONIC. @return 0, or EINVAL */
int novart_deadline_of(clockid_t clock, const struct timespec *time, uint64_t *deadline);

#endif
