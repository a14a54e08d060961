/* SPDX-License-Identifier: BSD-2-Clause */
/* Caches of objects of one size, cut from page frames. Empty frames return to the frame allocator.
 */
#ifndef MEMORY_SLAB_H
#define MEMORY_SLAB_H

#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"

/* The lock protects the list and the frames on it. Only the frame lock is taken after it. */
struct slab_cache {
        struct spinlock lock;
        struct list partial; /* frames with free slots */
        unsigned size;       /* bytes of a slot, a multiple of 32 */
        unsigned slots;      /* number of slots of a frame */
};

/** Prepares a cache of objects of size bytes (at most SLAB_SIZE_MAX). Slots are aligned to the
 *  largest power of two that divides size, 32 to 64. */
void slab_init(struct slab_cache *cache, size_t size);

/** Largest object that a cache can hold. */
#define SLAB_SIZE_MAX (PAGE_SIZE - 64)

/** Takes an object; its contents are undefined. Returns NULL if out of memory. */
void *slab_alloc(struct slab_cache *cache);

/** Frees an object. */
void slab_free(struct slab_cache *cache, void *object);

#endif
