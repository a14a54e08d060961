/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames that are RAM. All other frames may be registers of devices. */
#ifndef MEMORY_RAM_H
#define MEMORY_RAM_H

#include "lib/types.h"

/** Number of ranges of RAM that the kernel can know. */
#define RAM_RANGES 96

/* Consecutive frames. */
struct ram_range {
        uint64_t first, last;
};

/** The ranges, sorted; no two of them overlap. Fixed after the start. */
extern struct ram_range ram_ranges[RAM_RANGES];
extern unsigned ram_range_count;

/** Adds frames, which lie above the frames of all earlier calls. If there is no room, the new
 * frames count as devices. */
void ram_add(uint64_t first, uint64_t last);

/** Returns whether a frame is RAM. *end: the first later frame for which this may differ. */
bool ram_contains(uint64_t frame, uint64_t *end);

#endif
