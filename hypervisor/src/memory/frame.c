/* SPDX-License-Identifier: BSD-2-Clause */
/* Page frames of the kernel pool. Frames that were never used lie above a mark and are not touched;
 * freed frames form a list through their first word. */
#include "memory/frame.h"

#include "lib/spinlock.h"
#include "lib/string.h"
#include "memory/poison.h"

#ifndef POOL_OFFSET
word_t pool_offset;
#endif

#define USED_FREE UINT16_MAX /* frame_info.used of a free frame in the debug kernel */

static struct spinlock frame_lock; /* protects all variables below; the innermost lock */
static char *pool_start;           /* start of the pool: the records of all frames */
static char *fresh;                /* first frame that was never used */
static char *fresh_end;            /* end of the pool */
static void *free_list;
static word_t free_count;

uint32_t frame_refusals;

void frame_init(paddr_t phys, uint64_t size)
{
#ifndef POOL_OFFSET
        pool_offset = POOL_BASE - (word_t)phys;
#endif
        const word_t frames = (word_t)(size >> PAGE_BITS);
        const word_t notes = (frames * sizeof(struct frame_info) + PAGE_SIZE - 1) >> PAGE_BITS;

        spin_init(&frame_lock, LOCK_FRAME);
        pool_start = phys_to_pool(phys);
        fresh = pool_start + (notes << PAGE_BITS);
        fresh_end = pool_start + (frames << PAGE_BITS);
        free_count = frames - notes;
}

/* Checks and marks a frame that enters the list, in the debug kernel. */
static inline void frame_note_free(void *frame)
{
        assert((word_t)frame % PAGE_SIZE == 0 && (char *)frame >= pool_start &&
               (char *)frame <= fresh && frame < (void *)fresh_end);
        assert(!KERNEL_CHECKS || frame_info(frame)->used != USED_FREE);
        if (KERNEL_CHECKS)
                frame_info(frame)->used = USED_FREE;
        poison_free(frame, PAGE_SIZE);
}

/* Checks a frame that leaves the list, in the debug kernel. */
static inline void frame_note_taken(const void *frame)
{
        assert(!KERNEL_CHECKS || frame_info(frame)->used == USED_FREE);
        if (KERNEL_CHECKS)
                frame_info(frame)->used = 0;
}

void *frame_alloc(void)
{
        spin_lock(&frame_lock);
        void *frame = free_list;
        if (frame) {
                free_list = *(void **)frame;
                frame_note_taken(frame);
                poison_take(frame, PAGE_SIZE);
                free_count--;
        } else if (fresh < fresh_end) {
                frame = fresh;
                fresh += PAGE_SIZE;
                poison_fresh(frame, PAGE_SIZE);
                free_count--;
        } else {
                frame_refusals++;
        }
        spin_unlock(&frame_lock);
        return frame;
}

void *frame_alloc_zeroed(void)
{
        void *frame = frame_alloc();

        return frame ? memset(frame, 0, PAGE_SIZE) : NULL;
}

void *frame_alloc_boot(unsigned order)
{
        const word_t size = (word_t)PAGE_SIZE << order;
        char *frames = (char *)(((word_t)fresh + size - 1) & ~(size - 1));

        if (frames + size > fresh_end)
                return NULL;
        for (; fresh < frames; fresh += PAGE_SIZE) {
                frame_note_free(fresh);
                *(void **)(void *)fresh = free_list;
                free_list = fresh;
        }
        fresh += size;
        free_count -= size >> PAGE_BITS;
        return frames;
}

void frame_free(void *frame)
{
        spin_lock(&frame_lock);
        frame_note_free(frame);
        *(void **)frame = free_list;
        free_list = frame;
        free_count++;
        spin_unlock(&frame_lock);
}

word_t frame_count_free(void)
{
        return free_count;
}

uint32_t frame_index(const void *frame)
{
        return (uint32_t)(((const char *)frame - pool_start) >> PAGE_BITS);
}

void *frame_by_index(uint32_t index)
{
        return pool_start + ((word_t)index << PAGE_BITS);
}

struct frame_info *frame_info(const void *frame)
{
        struct frame_info *info = (struct frame_info *)(void *)pool_start;

        return &info[((const char *)frame - pool_start) >> PAGE_BITS];
}
