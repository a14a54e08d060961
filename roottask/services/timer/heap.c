/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines in order: a binary heap whose entries record their positions. */
#include "heap.h"

#include <stddef.h>

static void place(struct timer_heap *heap, unsigned index, struct timer *timer)
{
        heap->entries[index] = timer;
        timer->index = index + 1;
}

static void sift_up(struct timer_heap *heap, unsigned index)
{
        struct timer *timer = heap->entries[index];

        while (index > 0) {
                const unsigned parent = (index - 1) / 2;

                if (heap->entries[parent]->deadline <= timer->deadline)
                        break;
                place(heap, index, heap->entries[parent]);
                index = parent;
        }
        place(heap, index, timer);
}

static void sift_down(struct timer_heap *heap, unsigned index)
{
        struct timer *timer = heap->entries[index];

        for (;;) {
                unsigned child = 2 * index + 1;

                if (child >= heap->count)
                        break;
                if (child + 1 < heap->count &&
                    heap->entries[child + 1]->deadline < heap->entries[child]->deadline)
                        child++;
                if (timer->deadline <= heap->entries[child]->deadline)
                        break;
                place(heap, index, heap->entries[child]);
                index = child;
        }
        place(heap, index, timer);
}

bool timer_heap_insert(struct timer_heap *heap, struct timer *timer)
{
        if (heap->count >= heap->max)
                return false;
        place(heap, heap->count++, timer);
        sift_up(heap, heap->count - 1);
        return true;
}

void timer_heap_remove(struct timer_heap *heap, struct timer *timer)
{
        if (!timer->index)
                return;

        const unsigned index = timer->index - 1;
        struct timer *last = heap->entries[--heap->count];

        timer->index = 0;
        if (last == timer)
                return;
        place(heap, index, last);
        sift_up(heap, index);
        sift_down(heap, last->index - 1);
}

struct timer *timer_heap_first(const struct timer_heap *heap)
{
        return heap->count ? heap->entries[0] : NULL;
}

struct timer *timer_heap_expire(struct timer_heap *heap, uint64_t now)
{
        struct timer *timer = timer_heap_first(heap);

        if (!timer || timer->deadline > now)
                return NULL;
        if (!timer->period) {
                timer_heap_remove(heap, timer);
                return timer;
        }

        const uint64_t missed = (now - timer->deadline) / timer->period;
        const uint64_t step = (missed + 1) * timer->period;

        if (step > UINT64_MAX - timer->deadline)
                timer->deadline = UINT64_MAX;
        else
                timer->deadline += step;
        sift_down(heap, 0);
        return timer;
}
