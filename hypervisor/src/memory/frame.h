/* SPDX-License-Identifier: BSD-2-Clause */
/* Page frames of the kernel pool. */
#ifndef MEMORY_FRAME_H
#define MEMORY_FRAME_H

#include "layout.h"
#include "lib/types.h"

/* A record of a frame of the pool, outside the frame. The frame's owner owns the record, too. */
struct frame_info {
        uint32_t next; /* index of the next frame in a list of frames that wait to be freed */
        uint16_t used; /* number of entries of a table that are not empty */
};

/** Gives the pool to the allocator: size bytes that begin at phys, already mapped. Call once, at
 * boot. */
void frame_init(paddr_t phys, uint64_t size);

/** Number of failed allocations of a frame; wraps around. */
extern uint32_t frame_refusals;

/** Takes a frame; its contents are undefined. Returns NULL if the pool is empty. */
void *frame_alloc(void);

/** Takes a frame filled with zeros. Returns NULL if the pool is empty. */
void *frame_alloc_zeroed(void);

/** Takes 2^order naturally aligned frames at boot; NULL if there are none. They are never freed. */
void *frame_alloc_boot(unsigned order);

/** Frees a frame. */
void frame_free(void *frame);

/** Returns the number of free frames. */
word_t frame_count_free(void);

/** Returns the record of a frame. */
struct frame_info *frame_info(const void *frame);

/** Convert between a frame and its index in the pool. */
uint32_t frame_index(const void *frame);
void *frame_by_index(uint32_t index);

#ifdef POOL_OFFSET

/** Convert between a pool address and its physical address. */
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
