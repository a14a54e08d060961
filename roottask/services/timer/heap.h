/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines in order: a binary heap over an array that the caller provides. */
#ifndef NOVART_TIMER_HEAP_H
#define NOVART_TIMER_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* One timer. It is owned by its declarer and must not move while it is in a heap. */
struct timer {
        uint64_t deadline; /* ns since boot */
        uint64_t period;   /* ns; 0: once */
        unsigned index;    /* position in the heap + 1; 0: not armed */
};

struct timer_heap {
        struct timer **entries;
        unsigned count;
        unsigned max;
};

/* Put a timer that is not armed in. @return false if the heap is full */
bool timer_heap_insert(struct timer_heap *heap, struct timer *timer);

/* Take a timer out; nothing happens if it is not in. */
void timer_heap_remove(struct timer_heap *heap, struct timer *timer);

/* The timer with the earliest deadline, or NULL. */
struct timer *timer_heap_first(const struct timer_heap *heap);

/* Take the first timer if its deadline is not after @p now, else NULL. A periodic one stays in,
 * with its next deadline after @p now: periods that were missed count as one. */
struct timer *timer_heap_expire(struct timer_heap *heap, uint64_t now);

#endif
