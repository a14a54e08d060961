/* SPDX-License-Identifier: BSD-2-Clause */
/* Caches of equal objects, cut from page frames. Empty frames go back to the frame allocator. */
#ifndef MEMORY_SLAB_H
#define MEMORY_SLAB_H

#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"

/* The lock protects the list and the frames on it; it is taken last of all but the frame lock. */
struct slab_cache {
        struct spinlock lock;
        struct list partial; /* frames with free slots */
        unsigned size;       /* bytes of a slot, a multiple of 32 */
        unsigned slots;      /* slots of a frame */
};

/** Prepares a cache of objects of size bytes (at most SLAB_SIZE_MAX). Slots are aligned to the
 *  largest power of two that divides size, 32 to 64. */
void slab_init(struct slab_cache *cache, size_t size);

/** Largest object that a cache can hold. */
#define SLAB_SIZE_MAX (PAGE_SIZE - 64)

/** Takes an object, contents undefined; NULL when memory ran out. */
void *slab_alloc(struct slab_cache *cache);

/** Gives an object back. */
void slab_free(struct slab_cache *cache, void *object);

#endif
