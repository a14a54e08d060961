/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU's ready scheduling contexts: a bitmap over priorities, a ring per priority. */
#ifndef SCHED_RUN_QUEUE_H
#define SCHED_RUN_QUEUE_H

#include "lib/types.h"

struct sc;

#define RUN_QUEUE_PRIORITIES 256

/* Touched by its CPU only. */
struct run_queue {
        uint32_t level[RUN_QUEUE_PRIORITIES /
                       32];                    /* bit p % 32 of level[p / 32]: ring p not empty */
        uint32_t summary;                      /* bit n: level[n] is not 0 */
        struct sc *head[RUN_QUEUE_PRIORITIES]; /* first to run; its prev is the last */
};

/** Puts an SC in front of (head) or behind the others of its priority. */
void run_queue_insert(struct run_queue *queue, struct sc *sc, bool head);

/** Takes an SC out. */
void run_queue_remove(struct run_queue *queue, struct sc *sc);

/** Takes the first SC of the highest priority out. NULL when the queue is empty. */
struct sc *run_queue_take(struct run_queue *queue);

#endif
