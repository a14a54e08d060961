/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the heap of timers: arms, cancels and expires them in any order. The heap's order and
 * positions must stay valid. */
#include "heap.h"

#include <stdlib.h>

#define TIMERS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct timer_heap *heap)
{
        for (unsigned i = 0; i < heap->count; i++) {
                if (heap->entries[i]->index != i + 1)
                        abort();
                if (i && heap->entries[i]->deadline < heap->entries[(i - 1) / 2]->deadline)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct timer *room[TIMERS - 4], timers[TIMERS] = {{0, 0, 0}};
        struct timer_heap heap = {room, 0, TIMERS - 4};

        for (size_t i = 0; i + 2 < size; i += 3) {
                struct timer *timer = &timers[data[i] % TIMERS];

                if (data[i] & 0x80) {
                        timer_heap_expire(&heap, data[i + 1]);
                } else if (timer->index) {
                        timer_heap_remove(&heap, timer);
                } else {
                        timer->deadline = data[i + 1];
                        timer->period = data[i + 2];
                        timer_heap_insert(&heap, timer);
                }
                check(&heap);
        }
        return 0;
}
