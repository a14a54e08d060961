/* SPDX-License-Identifier: BSD-2-Clause */
/* Waking, on this CPU or another. */
#ifndef SCHED_WAKE_H
#define SCHED_WAKE_H

struct cpu;
struct ec;
struct sc;

/** A blocked EC is ready again; on any CPU. */
void sched_wake(struct ec *ec);

/** An SC of this CPU that sleeps goes to the run queue; preempts if its priority is higher. */
void sched_wake_sc(struct sc *sc);

/** A CPU's current EC or SC has ended: it makes a decision before it returns to user mode, and the
 *  memory stays until then. */
void cpu_current_ended(struct cpu *cpu);

/** A moment of waiting for another CPU: does what others ask of this one. No lock is held. */
void cpu_wait(void);

#endif
