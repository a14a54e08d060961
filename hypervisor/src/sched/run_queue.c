/* SPDX-License-Identifier: BSD-2-Clause */
/* Run queues (see run_queue.h). */
#include "sched/run_queue.h"

#include "lib/bits.h"
#include "object/sc.h"

static void ring_insert(struct run_queue *queue, struct sc *sc, bool head)
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

void run_queue_insert(struct run_queue *queue, struct sc *sc, bool head)
{
        struct sc *first = queue->first;

        if (first && sc->prio + head > first->prio) {
                queue->first = sc;
                sc = first;
                head = true;
        }
        ring_insert(queue, sc, head);
}

/* The last one of its priority goes. */
static void ring_clear(struct run_queue *queue, unsigned word, unsigned bit)
{
        queue->head[word * 32 + bit] = NULL;
        queue->level[word] &= ~(1u << bit);
        if (!queue->level[word])
                queue->summary &= ~(1u << word);
}

static void ring_unlink(const struct sc *sc)
{
        sc->next->prev = sc->prev;
        sc->prev->next = sc->next;
}

void run_queue_remove(struct run_queue *queue, struct sc *sc)
{
        const unsigned prio = sc->prio;

        if (queue->first == sc) {
                queue->first = NULL;
                return;
        }
        if (sc->next == sc) {
                ring_clear(queue, prio / 32, prio % 32);
                return;
        }
        ring_unlink(sc);
        if (queue->head[prio] == sc)
                queue->head[prio] = sc->next;
}

struct sc *run_queue_take_from_rings(struct run_queue *queue)
{
        if (!queue->summary)
                return NULL;

        const unsigned word = bit_highest(queue->summary), bit = bit_highest(queue->level[word]);
        struct sc *sc = queue->head[word * 32 + bit];
        if (sc->next == sc) {
                ring_clear(queue, word, bit);
                return sc;
        }
        ring_unlink(sc);
        queue->head[word * 32 + bit] = sc->next;
        return sc;
}
