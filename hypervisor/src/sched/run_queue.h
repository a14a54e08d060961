/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU's ready scheduling contexts: a bitmap over priorities, a ring per priority. */
#ifndef SCHED_RUN_QUEUE_H
#define SCHED_RUN_QUEUE_H

#include "lib/types.h"

struct sc;

#define RUN_QUEUE_PRIORITIES 256

/* Used by its CPU only. An SC that is known to run before all others may be in `first` instead of a
 * ring. The CPU then takes it without touching the bitmaps. */
struct run_queue {
        struct sc *first; /* runs before all SCs in the rings; NULL: take one from a ring */
        uint32_t level[RUN_QUEUE_PRIORITIES /
                       32];                    /* bit p % 32 of level[p / 32]: ring p not empty */
        uint32_t summary;                      /* bit n: level[n] is not 0 */
        struct sc *head[RUN_QUEUE_PRIORITIES]; /* first SC of each ring; its prev is the last */
};

/** Inserts an SC before (head is true) or after the other SCs of its priority. */
void run_queue_insert(struct run_queue *queue, struct sc *sc, bool head);

/** Removes an SC, which may be anywhere in the queue. */
void run_queue_remove(struct run_queue *queue, struct sc *sc);

/** Returns the highest priority of the SCs in the queue; 0: the queue is empty. */
unsigned run_queue_top(const struct run_queue *queue);

/** Takes the first SC of the highest priority from the rings. Returns NULL if they are empty. */
struct sc *run_queue_take_from_rings(struct run_queue *queue);

/** Takes the first SC of the highest priority. Returns NULL if the queue is empty. */
static always_inline struct sc *run_queue_take(struct run_queue *queue)
{
        struct sc *first = queue->first;

        if (unlikely(!first))
                return run_queue_take_from_rings(queue);
        queue->first = NULL;
        return first;
}

#endif
