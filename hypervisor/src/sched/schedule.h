/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling decisions: which SC runs on this CPU, and which EC runs on that SC. @spec 3.1 */
#ifndef SCHED_SCHEDULE_H
#define SCHED_SCHEDULE_H

#include "lib/types.h"
#include "object/continuation.h"
#include "sched/cpu.h"

struct ec;
struct sc;

/** Requests a decision before this CPU returns to user mode. */
static inline void sched_decide(struct cpu *cpu)
{
        cpu->pending = (uint8_t)((cpu->pending | CPU_PENDING_RESCHEDULE) & ~CPU_PENDING_HAND_OVER);
}

/** Puts an SC of this CPU before (head) or after the other SCs of its priority. Requests a decision
 * if its priority is higher than the priority of the current SC. */
void sched_insert(struct sc *sc, bool head);

/** Makes the SCs in `sleepers` ready. They slept with an EC; the list is not empty. They enter the
 * run queue at the first decision that could choose an SC of priority `top`, the highest priority
 * among them. */
void sched_insert_later(struct cpu *cpu, struct list *sleepers, unsigned top);

/** Makes the next decision process cpu->cut and cpu->stranded before it chooses an SC. */
void sched_fall_behind(struct cpu *cpu);

/** Takes an SC out of the run queue. */
void sched_remove(struct sc *sc);

/** Puts a new SC of this CPU after the other SCs of its priority, with a full quantum. */
void sched_start(struct sc *sc);

/** Runs the ready SC of the highest priority. Does not put the current SC into the run queue. */
_Noreturn void resume_next(struct cpu *cpu);

/** Puts the current SC, which is ready, back into the run queue and makes a decision. */
_Noreturn void resume_reschedule(struct cpu *cpu);

/** Blocks self, the current EC. Its continuation and state are already set. The current SC sleeps
 * with self, and other SCs run. */
_Noreturn void block_current(struct ec *self);

/** Makes the current SC sleep with another EC. Other SCs may sleep with that EC, too. */
_Noreturn void block_current_with(struct ec *end);

/** Ends self if its end is due, else shuts it down. First ends the SCs that ec_leave_sc() handed to
 * self. */
_Noreturn void block_shut_down(struct ec *self);

/** Reports that the handler of self's event has ended, and shuts self down (a continuation). */
_Noreturn void block_handler_ended(struct ec *self);

/** Runs the EC of the current SC after the current EC has replied and waits. This EC is caller,
 * unless the SC is bound to another EC. caller is NULL if the EC that replied had no caller. */
_Noreturn void resume_bound(struct cpu *cpu, struct ec *caller);

/** Binds the current SC to the current EC, unless it is already bound. Call this before any
 * operation on the SC or the EC other than a call or a reply. */
void sched_bind_current(struct cpu *cpu);

/** Returns the EC at the end of the chain of calls that begins with ec: the EC that would have to
 * run. Returns self if the chain leads to self. Returns NULL if a decision is due first: the chain
 * has changed in an interrupt window of the walk, or the walk is long and an SC with a priority
 * above prio is ready. */
struct ec *chain_end(struct ec *ec, const struct ec *self, unsigned prio);

/** Gives up the CPU if self has ended, for example while it waited for another CPU. Otherwise
 * returns. */
void leave_if_ended(struct ec *self);

/** Opens an interrupt window between two steps of a long operation. If self is preempted, it later
 * continues with cont. The caller holds no lock and no borrowed pointer. */
void preemption_point(struct ec *self, continuation_t cont);

/** Opens an interrupt window in a walk that holds borrowed pointers. The CPU is not quiescent. */
void interrupt_window(struct cpu *cpu);

/** Runs the idle thread: destroys dying objects, halts, and makes a decision when one is due. */
_Noreturn void resume_idle(struct ec *self);

#endif
