/* SPDX-License-Identifier: BSD-2-Clause */
/* The grace period: memory that other CPUs may still use is freed after each CPU has been
 * quiescent.
 *
 * Each CPU has two batches: it fills one batch while the other batch waits. A period begins when
 * the filling batches are large, when their first entry has waited for 5 ms, or when a thread needs
 * the memory in them. The CPU that begins the period sends an IPI to each CPU. A CPU takes this IPI
 * in user mode, when idle, or between two steps of a long operation, where it holds no borrowed
 * pointer. When all CPUs have answered, they free their batches in steps, one CPU after the other.
 * So a CPU frees only objects that it has ended itself. */
#ifndef OBJECT_RECLAIM_H
#define OBJECT_RECLAIM_H

#include "lib/atomic.h"
#include "sched/cpu.h"

struct ec;
struct kobject;

/** Frees an ended object after a grace period. */
void reclaim_object(struct kobject *object);

/** Frees a frame of the pool after a grace period. */
void reclaim_frame(void *frame);

/** Reports to the period in progress, if any, that this CPU holds no borrowed pointers now. If it
 * is this CPU's turn, does a step of freeing its batch. */
void reclaim_quiescent(struct cpu *cpu);

/** Maximum number of entries in the filling batch of a CPU. One operation may exceed it. */
#define RECLAIM_FULL 1024

/** Returns true if this CPU's filling batch is full. An EC then waits, in steps, before it adds
 * more. */
static inline bool reclaim_is_full(const struct cpu *cpu)
{
        return load_once(cpu->filling.count) > RECLAIM_FULL;
}

/** Returns true if it is this CPU's turn to free its batch; for assert(). */
bool reclaim_is_freeing(void);

/** Begins a period if the first entry of the filling batches has waited for 5 ms. Called when this
 * CPU's timer has fired. */
void reclaim_timer(struct cpu *cpu);

/** Returns true if a hypercall of this CPU's current thread has just failed for lack of memory, and
 * a grace period would free enough. Returns true only once for each such failure. */
bool reclaim_would_help(struct cpu *cpu);

enum reclaim_help {
        RECLAIM_CANNOT, /* nothing waits to be freed, or not enough */
        RECLAIM_WAITS,  /* the period has not ended: call again after a preemption point */
        RECLAIM_DONE,   /* the period has ended: try the operation again */
};

/** Does one step of waiting until the objects that have ended so far are freed. For this purpose
 * alone, all CPUs together begin at most one period per millisecond. self is the current EC, and
 * self->grace_waits must be false before the first step. The caller holds neither a lock nor a
 * borrowed pointer. */
enum reclaim_help reclaim_wait_step(struct ec *self);

/** Does reclaim_wait_step() if reclaim_would_help(). */
enum reclaim_help reclaim_help(struct ec *self);

#endif
