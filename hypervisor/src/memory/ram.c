/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames that are RAM (see ram.h). */
#include "memory/ram.h"

struct ram_range ram_ranges[RAM_RANGES];
unsigned ram_range_count;

void ram_add(uint64_t first, uint64_t last)
{
        if (ram_range_count && ram_ranges[ram_range_count - 1].last + 1 == first)
                ram_ranges[ram_range_count - 1].last = last;
        else if (ram_range_count < RAM_RANGES)
                ram_ranges[ram_range_count++] = (struct ram_range){first, last};
}

bool ram_contains(uint64_t frame, uint64_t *end)
{
        unsigned first = 0, stop = ram_range_count;

        /* Finds the first range that ends at the frame or later. */
        while (first < stop) {
                const unsigned middle = (first + stop) / 2;
                if (ram_ranges[middle].last < frame)
                        first = middle + 1;
                else
                        stop = middle;
        }
        if (first == ram_range_count) {
                *end = UINT64_MAX;
                return false;
        }
        const struct ram_range *range = &ram_ranges[first];
        *end = range->first <= frame ? range->last + 1 : range->first;
        return range->first <= frame;
}
