/* SPDX-License-Identifier: BSD-2-Clause */
/* The grace period: memory that other CPUs may still be looking at waits until each of them was
 * seen outside of the kernel, then it is freed.
 *
 * Two batches: one fills, one waits. A period begins when the filling batch is large enough; each
 * CPU answers an IPI, which it takes in user mode, when idle, or between two steps of a long
 * operation, where it holds no borrowed pointer. The last one frees the batch, in steps. */
#ifndef OBJECT_RECLAIM_H
#define OBJECT_RECLAIM_H

#include "lib/types.h"

struct cpu;
struct kobject;

/** Frees an ended object after a grace period. */
void reclaim_object(struct kobject *object);

/** Frees a frame of the pool after a grace period. */
void reclaim_frame(void *frame);

/** This CPU holds no borrowed pointers now: answers a period that is under way. */
void reclaim_quiescent(struct cpu *cpu);

/** So much waits to be freed that whoever adds more has to call reclaim_wait() first. */
bool reclaim_is_full(void);

/** Memory ran out: ends a period at once and waits for it; false when nothing waited to be freed,
 * or the current EC ended meanwhile. The caller holds no lock and no borrowed pointer. */
bool reclaim_wait(void);

#endif
