/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines of waiting ECs (an extension): each CPU has those of its ECs in order. */
#ifndef SCHED_TIMEOUT_H
#define SCHED_TIMEOUT_H

#include "arch/x86/lapic.h"
#include "lib/heap.h"
#include "lib/types.h"
#include "sched/cpu.h"

struct ec;

/** self, which waits for a semaphore, does so until the TSC reaches deadline, which is not 0. */
void timeout_start(struct ec *self, uint64_t deadline);

/** An EC of this CPU waits no longer, or not for a time. */
void timeout_stop(struct ec *ec);

/** The timer has fired: wakes those whose deadline has passed with COM_TIM, as many as fit into a
 *  step, and arms it for the next. */
void timeout_expire(struct cpu *cpu);

/** Until the timer is set again, or has fired and timeout_once() is called, it fires repeatedly. */
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

/** The timer must fire earlier than it is set to. */
void timeout_advance(struct cpu *cpu, uint64_t end);

/** Whether the timer would fire later than at a TSC. One that fires too early is armed again then:
 *  so a switch of threads leaves it alone, unless the new one's time ends sooner than what it waits
 *  for. */
static always_inline bool timeout_is_late(const struct cpu *cpu, uint64_t end)
{
        return end < cpu->timer_end;
}

/** Lets the timer fire not later than at a TSC. */
static inline void timeout_arm(struct cpu *cpu, uint64_t end)
{
        if (timeout_is_late(cpu, end))
                timeout_advance(cpu, end);
}

#endif
