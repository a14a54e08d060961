/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines of waiting ECs (an extension): each CPU keeps the deadlines of its ECs in a heap. */
#ifndef SCHED_TIMEOUT_H
#define SCHED_TIMEOUT_H

#include "arch/x86/lapic.h"
#include "lib/heap.h"
#include "lib/types.h"
#include "sched/cpu.h"

struct ec;

/** Limits the wait of self for a semaphore: the wait ends when the TSC reaches deadline, which is
 * not 0. */
void timeout_start(struct ec *self, uint64_t deadline);

/** Removes the deadline of an EC of this CPU, if it has one. */
void timeout_stop(struct ec *ec);

/** Handles the timer's interrupt: wakes with COM_TIM the ECs whose deadlines have passed, as many
 * as one step allows. Arms the timer for the next deadline. */
void timeout_expire(struct cpu *cpu);

/** Lets the timer fire repeatedly until it is set again, or until it fires and timeout_once() ends
 *  the repetition. */
static inline void timeout_repeat(struct cpu *cpu)
{
        if (cpu->timer_repeats)
                return;
        cpu->timer_repeats = true;
        timer_repeat(true);
}

static inline void timeout_once(struct cpu *cpu)
{
        if (likely(!cpu->timer_repeats))
                return;
        cpu->timer_repeats = false;
        timer_repeat(false);
}

/** Sets the timer to an earlier TSC value. */
void timeout_advance(struct cpu *cpu, uint64_t end);

/** Returns true if the timer would fire after a TSC value. A timer that fires too early is armed
 * again. So a switch of threads sets the timer only if the new slice ends before the timer
 * fires. */
static always_inline bool timeout_is_late(const struct cpu *cpu, uint64_t end)
{
        return end < cpu->timer_end;
}

/** Lets the timer fire at a TSC value at the latest. */
static inline void timeout_arm(struct cpu *cpu, uint64_t end)
{
        if (timeout_is_late(cpu, end))
                timeout_advance(cpu, end);
}

#endif
