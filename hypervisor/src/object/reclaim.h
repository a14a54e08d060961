/* SPDX-License-Identifier: BSD-2-Clause */
/* The grace period: memory that other CPUs may still be looking at waits until each of them was
 * seen outside of the kernel, then it is freed.
 *
 * Two batches: one fills, one waits. A period begins when the filling batch is large enough, when
 * its first thing has waited for 5 ms, or when memory lacks that it would give back. Each CPU
 * answers an IPI, which it takes in user mode, when idle, or between two steps of a long operation,
 * where it holds no borrowed pointer. The last one frees the batch, in steps. */
#ifndef OBJECT_RECLAIM_H
#define OBJECT_RECLAIM_H

#include "lib/types.h"

struct cpu;
struct ec;
struct kobject;

/** Frees an ended object after a grace period. */
void reclaim_object(struct kobject *object);

/** Frees a frame of the pool after a grace period. */
void reclaim_frame(void *frame);

/** This CPU holds no borrowed pointers now: answers a period that is under way. */
void reclaim_quiescent(struct cpu *cpu);

/** The queue is full: an EC that adds to it has to call reclaim_wait() first. */
bool reclaim_is_full(void);

/** Whether this CPU frees what has waited for the grace period; for assert(). */
bool reclaim_is_freeing(void);

/** Ends a period at once and waits for it; false when nothing waited to be freed, or the current EC
 * ended meanwhile. The caller holds no lock and no borrowed pointer. */
bool reclaim_wait(void);

/** This CPU's timer has fired. */
void reclaim_timer(struct cpu *cpu);

/** A hypercall of this CPU's thread has just found no memory: whether a grace period would give
 *  back what it lacks. The answer is given once. */
bool reclaim_would_help(struct cpu *cpu);

enum reclaim_help {
        RECLAIM_CANNOT, /* nothing waits to be freed, or it would not be enough */
        RECLAIM_WAITS,  /* it has not ended: call again, after a preemption point */
        RECLAIM_DONE,   /* it has ended: try again */
};

/** Waits for what has ended until now to be freed. A period for this alone begins at most once a
 *  millisecond on all CPUs together. self is the current EC; it sets self->grace_waits to false
 *  before the first step. The caller holds no lock and no borrowed pointer. */
enum reclaim_help reclaim_wait_step(struct ec *self);

/** The same, if it would help. */
enum reclaim_help reclaim_help(struct ec *self);

#endif
