/* SPDX-License-Identifier: BSD-2-Clause */
/* Caches of objects of one size (see slab.h). */
#include "memory/slab.h"

#include "memory/frame.h"
#include "memory/poison.h"

/* Capabilities need the low five bits of an object's address. */
#define SLOT_ALIGN 32

/* Size of the header of a frame, in bytes. */
#define HEADER 64

/* Lies at the start of each frame of a cache. */
struct slab {
        struct list link; /* in partial while it has a free slot */
        void *free;       /* freed slots, linked through their first word */
        unsigned used;    /* number of slots in use */
        unsigned fresh;   /* offset of the first slot that was never in use */
};

_Static_assert(sizeof(struct slab) <= HEADER, "the header fits before the first slot");

void slab_init(struct slab_cache *cache, size_t size)
{
        spin_init(&cache->lock, LOCK_SLAB);
        list_init(&cache->partial);
        cache->size = (unsigned)(size + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
        cache->slots = (PAGE_SIZE - HEADER) / cache->size;
}

/* Appends a new frame to the empty list of frames with a free slot. false: no memory. */
static bool slab_create(struct slab_cache *cache)
{
        struct slab *slab = frame_alloc();

        if (!slab)
                return false;
        slab->free = NULL;
        slab->used = 0;
        slab->fresh = HEADER;
        list_append(&cache->partial, &slab->link);
        return true;
}

void *slab_alloc(struct slab_cache *cache)
{
        void *object = NULL;

        spin_lock(&cache->lock);
        if (likely(!list_is_empty(&cache->partial)) || slab_create(cache)) {
                struct slab *slab = container_of(cache->partial.next, struct slab, link);
                object = slab->free;
                if (likely(object)) {
                        slab->free = *(void **)object;
                        poison_take(object, cache->size);
                } else {
                        object = (char *)slab + slab->fresh;
                        slab->fresh += cache->size;
                        poison_fresh(object, cache->size);
                }
                if (unlikely(++slab->used == cache->slots))
                        list_remove(&slab->link);
        }
        spin_unlock(&cache->lock);
        return object;
}

void slab_free(struct slab_cache *cache, void *object)
{
        struct slab *slab = (struct slab *)((word_t)object & ~(word_t)(PAGE_SIZE - 1));
        bool empty = false;

        spin_lock(&cache->lock);
        assert(((word_t)object % PAGE_SIZE - HEADER) % cache->size == 0 && slab->used);
        assert(!poison_is_free(object, cache->size));
        poison_free(object, cache->size);
        *(void **)object = slab->free;
        slab->free = object;
        if (slab->used-- == cache->slots)
                list_append(&cache->partial, &slab->link);
        /* An empty frame stays if no other frame has a free slot, so that alternating creates and
         * destroys do not allocate and free frames. */
        if (!slab->used && cache->partial.next != cache->partial.prev) {
                list_remove(&slab->link);
                empty = true;
        }
        spin_unlock(&cache->lock);
        if (empty)
                frame_free(slab);
}
