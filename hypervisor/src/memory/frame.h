/* SPDX-License-Identifier: BSD-2-Clause */
/* Page frames of the kernel pool. */
#ifndef MEMORY_FRAME_H
#define MEMORY_FRAME_H

#include "layout.h"
#include "lib/types.h"

/* A record of each frame of the pool, beside it. The owner of the frame owns the record, too. */
struct frame_info {
        uint32_t next; /* index of the next frame in a list of frames that wait to be freed */
        uint16_t used; /* table: entries that are not empty */
};

/** Gives the pool to the allocator: size bytes from phys on, mapped already. Once, at boot. */
void frame_init(paddr_t phys, uint64_t size);

/** How often a frame was asked for in vain; it wraps around. */
extern uint32_t frame_refusals;

/** Takes one frame; contents undefined. NULL when the pool is empty. */
void *frame_alloc(void);

/** Takes one frame filled with zeros. NULL when the pool is empty. */
void *frame_alloc_zeroed(void);

/** Takes 2^order naturally aligned frames at boot; NULL when there are none. Never given back. */
void *frame_alloc_boot(unsigned order);

/** Gives a frame back. */
void frame_free(void *frame);

/** Frames that are free now. */
word_t frame_count_free(void);

/** The note of a frame. */
struct frame_info *frame_info(const void *frame);

/** Index of a frame in the pool, and back. */
uint32_t frame_index(const void *frame);
void *frame_by_index(uint32_t index);

#ifdef POOL_OFFSET

/** Physical address of a pool address, and back. */
static inline paddr_t pool_to_phys(const void *pointer)
{
        return (word_t)pointer - POOL_OFFSET;
}

static inline void *phys_to_pool(paddr_t phys)
{
        return (void *)(word_t)(phys + POOL_OFFSET);
}

#else

extern word_t pool_offset; /* virtual minus physical, set by frame_init */

static inline paddr_t pool_to_phys(const void *pointer)
{
        return (word_t)pointer - pool_offset;
}

static inline void *phys_to_pool(paddr_t phys)
{
        return (void *)((word_t)phys + pool_offset);
}

#endif
#endif
