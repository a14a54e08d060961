/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines of waiting ECs (an extension): each CPU has those of its ECs in order. */
#ifndef SCHED_TIMEOUT_H
#define SCHED_TIMEOUT_H

#include "lib/types.h"

struct cpu;
struct ec;

/** self, which waits for a semaphore, does so until the TSC reaches deadline, which is not 0. */
void timeout_start(struct ec *self, uint64_t deadline);

/** An EC of this CPU waits no longer, or not for a time. */
void timeout_stop(struct ec *ec);

/** Wakes those whose deadline has passed with COM_TIM, so many as fit into a step. */
void timeout_expire(struct cpu *cpu);

/** Lets the timer fire in so many ticks, or at the first deadline. */
void timeout_arm(const struct cpu *cpu, uint64_t ticks);

#endif
