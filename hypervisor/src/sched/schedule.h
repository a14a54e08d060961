/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling decisions: whose SC runs on this CPU, and which EC on it. @spec 3.1 */
#ifndef SCHED_SCHEDULE_H
#define SCHED_SCHEDULE_H

#include "lib/types.h"
#include "object/continuation.h"
#include "sched/cpu.h"

struct ec;
struct sc;

/** A decision is due before this CPU returns to user mode. */
static inline void sched_decide(struct cpu *cpu)
{
        cpu->pending = (uint8_t)((cpu->pending | CPU_PENDING_RESCHEDULE) & ~CPU_PENDING_HAND_OVER);
}

/** Puts an SC of this CPU in front of (head) or after the others of its priority; preempts if its
 *  priority is higher than the current one's. */
void sched_insert(struct sc *sc, bool head);

/** SCs that slept with an EC are ready: the decision in which one of top, their highest priority,
 *  could be chosen puts them into the run queue. The list with this head has at least one. */
void sched_insert_later(struct cpu *cpu, struct list *sleepers, unsigned top);

/** The next decision goes through what is cut or stranded before it chooses. */
void sched_fall_behind(struct cpu *cpu);

/** Takes an SC out of the run queue. */
void sched_remove(struct sc *sc);

/** Puts a new SC of this CPU after the others of its priority, with a full quantum. */
void sched_start(struct sc *sc);

/** Runs the highest-priority ready SC. The current one was put where it belongs. */
_Noreturn void resume_next(struct cpu *cpu);

/** Puts the current SC, which could go on, back into the run queue and makes a decision. */
_Noreturn void resume_reschedule(struct cpu *cpu);

/** self, which has run until now, waits; its continuation and state are set: the current SC sleeps
 *  with it, others run. */
_Noreturn void block_current(struct ec *self);

/** The same with another EC, which others may sleep with as well. */
_Noreturn void block_current_with(struct ec *end);

/** self is out of the run queue for ever, or until it is ended. */
_Noreturn void block_shut_down(struct ec *self);

/** The current EC has replied to caller (NULL: it had none) and waits: goes on with the EC that the
 * current SC runs now, which is the caller unless it is bound to another. */
_Noreturn void resume_bound(struct cpu *cpu, struct ec *caller);

/** Binds the current SC to the current EC, unless it is bound. Before anything but calls and
 *  replies happens to one of the two. */
void sched_bind_current(struct cpu *cpu);

/** The EC at the end of a chain of calls that begins with ec: the one that would have to run. NULL:
 *  the chain leads to self. */
struct ec *chain_end(struct ec *ec, const struct ec *self);

/** self, which has waited for another CPU, may have ended meanwhile: then it does not go on. */
void leave_if_ended(struct ec *self);

/** Between two steps of a long operation: lets interrupts in; self may be preempted and then goes
 *  on with cont. No lock and no borrowed pointer is held. */
void preemption_point(struct ec *self, continuation_t cont);

/** A walk that holds borrowed pointers lets interrupts in. */
void interrupt_window(struct cpu *cpu);

/** The idle thread. */
_Noreturn void resume_idle(struct ec *self);

#endif
