/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU's ready scheduling contexts: a bitmap over priorities, a ring per priority. */
#ifndef SCHED_RUN_QUEUE_H
#define SCHED_RUN_QUEUE_H

#include "lib/types.h"

struct sc;

#define RUN_QUEUE_PRIORITIES 256

/* Touched by its CPU only. The SC that runs next is often known when it comes: then it is put in
 * front of the rings and taken from there, without a look at the bitmap. */
struct run_queue {
        struct sc *first; /* runs before all in the rings; NULL: one of them is the first */
        uint32_t level[RUN_QUEUE_PRIORITIES /
                       32];                    /* bit p % 32 of level[p / 32]: ring p not empty */
        uint32_t summary;                      /* bit n: level[n] is not 0 */
        struct sc *head[RUN_QUEUE_PRIORITIES]; /* first to run; its prev is the last */
};

/** Puts an SC in front of (head) or after the others of its priority. */
void run_queue_insert(struct run_queue *queue, struct sc *sc, bool head);

/** Takes an SC out. */
void run_queue_remove(struct run_queue *queue, struct sc *sc);

/** The highest priority of those in the queue; 0: it is empty. */
unsigned run_queue_top(const struct run_queue *queue);

/** The rest of run_queue_take(). */
struct sc *run_queue_take_from_rings(struct run_queue *queue);

/** Takes the first SC of the highest priority out. NULL when the queue is empty. */
static always_inline struct sc *run_queue_take(struct run_queue *queue)
{
        struct sc *first = queue->first;

        if (unlikely(!first))
                return run_queue_take_from_rings(queue);
        queue->first = NULL;
        return first;
}

#endif
