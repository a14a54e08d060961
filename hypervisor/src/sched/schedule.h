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

/** Puts an SC of this CPU in front of (head) or after the others of its priority. Requests a
 * decision if its priority is higher than that of the current SC. */
void sched_insert(struct sc *sc, bool head);

/** Makes SCs ready that slept with an EC. They are put into the run queue by the first decision
 * that could choose one with `top`, their highest priority. sleepers: the head of their list, not
 * empty. */
void sched_insert_later(struct cpu *cpu, struct list *sleepers, unsigned top);

/** Makes the next decision process cpu->cut and cpu->stranded before it chooses an SC. */
void sched_fall_behind(struct cpu *cpu);

/** Takes an SC out of the run queue. */
void sched_remove(struct sc *sc);

/** Puts a new SC of this CPU after the others of its priority, with a full quantum. */
void sched_start(struct sc *sc);

/** Runs the ready SC of the highest priority. The current SC is already where it belongs. */
_Noreturn void resume_next(struct cpu *cpu);

/** Puts the current SC, which is ready, back into the run queue and makes a decision. */
_Noreturn void resume_reschedule(struct cpu *cpu);

/** Blocks self, the current EC. Its continuation and state are already set. The current SC sleeps
 * with self, and other SCs run. */
_Noreturn void block_current(struct ec *self);

/** Makes the current SC sleep with another EC. Other SCs may sleep with that EC, too. */
_Noreturn void block_current_with(struct ec *end);

/** Ends self if its end is due, else shuts it down. The SCs that were left to it end first. */
_Noreturn void block_shut_down(struct ec *self);

/** Shuts self down, because the handler of its event has ended, and reports that (a
 * continuation). */
_Noreturn void block_handler_ended(struct ec *self);

/** Continues after the current EC has replied to caller (NULL: it had none) and waits. Runs the EC
 * of the current SC, which is the caller unless the SC is bound to another EC. */
_Noreturn void resume_bound(struct cpu *cpu, struct ec *caller);

/** Binds the current SC to the current EC, unless it is bound. Call before anything except a call
 * or a reply happens to one of them. */
void sched_bind_current(struct cpu *cpu);

/** Returns the EC at the end of the chain of calls that begins with ec: the EC that would have to
 * run. Returns self if the chain leads to self. Returns NULL if a decision is due first: the chain
 * has changed in a window of the walk, or the walk is long and an SC with a priority above prio is
 * ready. */
struct ec *chain_end(struct ec *ec, const struct ec *self, unsigned prio);

/** Leaves the CPU if self, which has waited for another CPU, has ended meanwhile. */
void leave_if_ended(struct ec *self);

/** Lets interrupts in between two steps of a long operation. self may be preempted and continues
 * with cont then. The caller holds no lock and no borrowed pointer. */
void preemption_point(struct ec *self, continuation_t cont);

/** Lets interrupts in during a walk that holds borrowed pointers. The CPU is not quiescent. */
void interrupt_window(struct cpu *cpu);

/** Runs the idle thread: destroys dying objects, halts, and makes a decision when one is due. */
_Noreturn void resume_idle(struct ec *self);

#endif
