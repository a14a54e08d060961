/* SPDX-License-Identifier: BSD-2-Clause */
/* Waking, on this CPU or another. */
#ifndef SCHED_WAKE_H
#define SCHED_WAKE_H

struct cpu;
struct ec;

/** Makes a blocked EC ready. May be called on any CPU. */
void sched_wake(struct ec *ec);

/** Makes ready the SCs that sleep with an EC of this CPU. Requests a decision if one of them has a
 * higher priority than the current SC. A decision finds out which EC each of these SCs runs. */
void sched_wake_sleepers(struct ec *ec);

/** Records that the current EC or SC of a CPU has ended. The CPU then makes a decision before it
 *  returns to user mode. The memory of the EC or SC is freed only after this decision. */
void cpu_current_ended(struct cpu *cpu);

/** Waits a moment for another CPU, and handles the other CPUs' requests to this CPU. No lock is
 * held.
 *  @param mails number of mails that may still be received until the next interrupt window */
void cpu_wait(unsigned *mails);

/** Waits like cpu_wait(), and opens an interrupt window in which the CPU is not quiescent. */
void cpu_wait_openly(void);

#endif
