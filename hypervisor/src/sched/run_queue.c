/* SPDX-License-Identifier: BSD-2-Clause */
/* Run queues (see run_queue.h). */
#include "sched/run_queue.h"

#include "lib/bits.h"
#include "object/sc.h"

void run_queue_insert(struct run_queue *queue, struct sc *sc, bool head)
{
        const unsigned prio = sc->prio;
        struct sc *first = queue->head[prio];

        if (!first) {
                sc->next = sc->prev = sc;
                queue->head[prio] = sc;
                queue->level[prio / 32] |= 1u << prio % 32;
                queue->summary |= 1u << prio / 32;
                return;
        }
        sc->next = first;
        sc->prev = first->prev;
        first->prev->next = sc;
        first->prev = sc;
        if (head)
                queue->head[prio] = sc;
}

void run_queue_remove(struct run_queue *queue, struct sc *sc)
{
        const unsigned prio = sc->prio;

        if (sc->next == sc) {
                queue->head[prio] = NULL;
                queue->level[prio / 32] &= ~(1u << prio % 32);
                if (!queue->level[prio / 32])
                        queue->summary &= ~(1u << prio / 32);
        } else {
                sc->next->prev = sc->prev;
                sc->prev->next = sc->next;
                if (queue->head[prio] == sc)
                        queue->head[prio] = sc->next;
        }
        sc->next = sc->prev = NULL;
}

struct sc *run_queue_first(const struct run_queue *queue)
{
        if (!queue->summary)
                return NULL;

        const unsigned word = bit_highest(queue->summary);
        return queue->head[word * 32 + bit_highest(queue->level[word])];
}
