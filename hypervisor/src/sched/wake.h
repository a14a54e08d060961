/* SPDX-License-Identifier: BSD-2-Clause */
/* Waking, on this CPU or another. */
#ifndef SCHED_WAKE_H
#define SCHED_WAKE_H

struct cpu;
struct ec;

/** A blocked EC is ready again; on any CPU. */
void sched_wake(struct ec *ec);

/** The SCs that wait with an EC of this CPU go back to the run queue, which looks at what they wait
 *  for; they preempt if their priority is higher. */
void sched_wake_sleepers(struct ec *ec);

/** A CPU's current EC or SC has ended: it makes a decision before it returns to user mode, and the
 *  memory stays until then. */
void cpu_current_ended(struct cpu *cpu);

/** A moment of waiting for another CPU: does what others ask of this one. No lock is held. *mails:
 *  so much mail may be received until the next interrupt window. */
void cpu_wait(unsigned *mails);

/** The same, with an interrupt window that is not quiescent. */
void cpu_wait_openly(void);

#endif
