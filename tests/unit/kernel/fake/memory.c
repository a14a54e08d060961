/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrappers of the allocators. A test can make each allocation fail. The wrappers poison free memory
 * and count memory in use. */
#include <sanitizer/asan_interface.h>

#include "fake.h"
#include "memory/frame.h"
#include "memory/slab.h"

/* The real allocators; their sources are compiled with these names. */
void *real_frame_alloc(void);
void *real_frame_alloc_zeroed(void);
void real_frame_free(void *frame);
void *real_slab_alloc(struct slab_cache *cache);
void real_slab_free(struct slab_cache *cache, void *object);

static long frames, objects, allocations, failing = -1;
static bool fail_rest, in_slab;
void (*fake_freed)(void), (*fake_allocates)(void);

long fake_frames_taken(void)
{
        return frames;
}

long fake_objects_taken(void)
{
        return objects;
}

void fake_fail_allocation(long n)
{
        failing = n;
        allocations = 0;
        fail_rest = false;
}

void fake_fail_allocations_from(long n)
{
        fake_fail_allocation(n);
        fail_rest = true;
}

long fake_allocations(void)
{
        return allocations;
}

void fake_memory_forget(void)
{
        while (real_frame_alloc())
                ;
        frames = objects = 0;
        fake_fail_allocation(-1);
}

static bool fails(void)
{
        if (fake_allocates && !in_slab)
                fake_allocates();

        const long number = allocations++;
        const bool result = failing >= 0 && (fail_rest ? number >= failing : number == failing);

        frame_refusals += result;
        return result;
}

void *frame_alloc(void)
{
        void *frame = fails() ? NULL : real_frame_alloc();

        if (frame) {
                ASAN_UNPOISON_MEMORY_REGION(frame, PAGE_SIZE);
                __builtin_memset(frame, 0xa5, PAGE_SIZE);
                frames += !in_slab;
        }
        return frame;
}

void *frame_alloc_zeroed(void)
{
        void *frame = frame_alloc();

        return frame ? __builtin_memset(frame, 0, PAGE_SIZE) : NULL;
}

void frame_free(void *frame)
{
        if (fake_freed && !in_slab)
                fake_freed();
        frames -= !in_slab;
        real_frame_free(frame);
        ASAN_POISON_MEMORY_REGION((char *)frame + sizeof(void *), PAGE_SIZE - sizeof(void *));
}

void *slab_alloc(struct slab_cache *cache)
{
        if (fails())
                return NULL;
        in_slab = true;
        void *object = real_slab_alloc(cache);
        in_slab = false;
        if (object) {
                ASAN_UNPOISON_MEMORY_REGION(object, cache->size);
                __builtin_memset(object, 0x5a, cache->size);
                objects++;
        }
        return object;
}

void slab_free(struct slab_cache *cache, void *object)
{
        objects--;
        /* Poisons the slot; its frame is poisoned only when the frame is freed. */
        ASAN_POISON_MEMORY_REGION((char *)object + sizeof(void *), cache->size - sizeof(void *));
        in_slab = true;
        real_slab_free(cache, object);
        in_slab = false;
}
