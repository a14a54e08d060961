/* SPDX-License-Identifier: BSD-2-Clause */
/* Run queues (see run_queue.h). */
#include "sched/run_queue.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "object/sc.h"

/* Returns true if the bitmaps and the ring of a priority agree, and no SC in a ring has a higher
 * priority than queue->first. For assert(). */
static assert_only bool run_queue_is_sound(const struct run_queue *queue, unsigned prio)
{
        const uint32_t level = queue->level[prio / 32];
        const struct sc *head = queue->head[prio], *first = queue->first;

        return (level >> prio % 32 & 1) == (head != NULL) &&
               (queue->summary >> prio / 32 & 1) == (level != 0) &&
               (!head || (head->prio == prio && head->prev->next == head)) &&
               (!first || !queue->summary ||
                first->prio >= bit_highest(queue->summary) * 32 +
                                       bit_highest(queue->level[bit_highest(queue->summary)]));
}

static void run_queue_ring_insert(struct run_queue *queue, struct sc *sc, bool head)
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
        run_queue_ring_insert(queue, sc, head);
        assert(run_queue_is_sound(queue, sc->prio));
}

unsigned run_queue_top(const struct run_queue *queue)
{
        if (queue->first)
                return queue->first->prio;
        if (!queue->summary)
                return 0;

        const unsigned word = bit_highest(queue->summary);
        return word * 32 + bit_highest(queue->level[word]);
}

/* Empties the ring of a priority, whose last SC was taken. */
static void run_queue_ring_clear(struct run_queue *queue, unsigned word, unsigned bit)
{
        queue->head[word * 32 + bit] = NULL;
        queue->level[word] &= ~(1u << bit);
        if (!queue->level[word])
                queue->summary &= ~(1u << word);
}

static void run_queue_ring_unlink(const struct sc *sc)
{
        assert(sc->next->prev == sc && sc->prev->next == sc);
        sc->next->prev = sc->prev;
        sc->prev->next = sc->next;
}

void run_queue_remove(struct run_queue *queue, struct sc *sc)
{
        const unsigned prio = sc->prio;

        assert(run_queue_is_sound(queue, prio) && (queue->first == sc || queue->head[prio]));
        if (queue->first == sc) {
                queue->first = NULL;
                return;
        }
        if (sc->next == sc) {
                run_queue_ring_clear(queue, prio / 32, prio % 32);
                return;
        }
        run_queue_ring_unlink(sc);
        if (queue->head[prio] == sc)
                queue->head[prio] = sc->next;
}

struct sc *run_queue_take_from_rings(struct run_queue *queue)
{
        if (!queue->summary)
                return NULL;

        const unsigned word = bit_highest(queue->summary), bit = bit_highest(queue->level[word]);
        struct sc *sc = queue->head[word * 32 + bit];
        assert(run_queue_is_sound(queue, word * 32 + bit));
        if (sc->next == sc) {
                run_queue_ring_clear(queue, word, bit);
                return sc;
        }
        run_queue_ring_unlink(sc);
        queue->head[word * 32 + bit] = sc->next;
        return sc;
}
