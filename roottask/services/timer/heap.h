/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines in order: a binary heap over an array that the caller provides. */
#ifndef NOVART_TIMER_HEAP_H
#define NOVART_TIMER_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* A timer. Its declarer owns it and must not move it while it is in a heap. */
struct timer {
        uint64_t deadline; /* deadline in ns since boot */
        uint64_t period;   /* period in ns; 0: once */
        unsigned index;    /* position in the heap + 1; 0: not armed */
};

struct timer_heap {
        struct timer **entries;
        unsigned count;
        unsigned max;
};

/* Inserts a timer that is not armed.
 * @return false if the heap is full */
bool timer_heap_insert(struct timer_heap *heap, struct timer *timer);

/* Removes a timer; does nothing if it is not armed. */
void timer_heap_remove(struct timer_heap *heap, struct timer *timer);

/* Returns the timer with the earliest deadline, or NULL. */
struct timer *timer_heap_first(const struct timer_heap *heap);

/* Removes and returns the first timer if its deadline is not after @p now; otherwise returns NULL.
 * A periodic timer stays in the heap with its next deadline after @p now, so missed periods count
 * as one. */
struct timer *timer_heap_expire(struct timer_heap *heap, uint64_t now);

#endif
