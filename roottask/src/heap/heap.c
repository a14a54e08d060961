/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of memory of any size, for malloc(). */
#include "heap/heap.h"

#define PAGE      ((size_t)4096)
#define HEAD      sizeof(size_t)
#define MIN_BYTES ((size_t)(sizeof(size_t) == 8 ? 32 : 16)) /* head, two links, size */
#define MAX_BYTES (SIZE_MAX / 4)

/* GROWTH: bytes by which the area grows beyond the request, if possible. The area shrinks when at
 * least TRIM + GROWTH bytes at its end are free. */
#define GROWTH (4 * PAGE)
#define TRIM   (32 * PAGE)

/* Number of blocks that are tried in a list whose blocks may be too small, before a larger block is
 * split. */
#define TRIES 16

/* Flags in a head, in the low bits of the size, which is a multiple of HEAP_ALIGN. */
#define USED      ((size_t)1)
#define PREV_USED ((size_t)2)
#define FLAGS     (HEAP_ALIGN - 1)

/* The head lies directly below the memory, so blocks begin HEAD bytes below a multiple of
 * HEAP_ALIGN. */
struct heap_block {
        size_t head;
        struct heap_block *next, *prev; /* links of a free block */
};

static size_t size_of(const struct heap_block *block)
{
        return block->head & ~(size_t)FLAGS;
}

static struct heap_block *at(void *block, size_t offset)
{
        return (struct heap_block *)((char *)block + offset);
}

static struct heap_block *block_of(void *memory)
{
        return (struct heap_block *)((char *)memory - HEAD);
}

static void *memory_of(struct heap_block *block)
{
        return (char *)block + HEAD;
}

static struct heap_block *after(struct heap_block *block)
{
        return at(block, size_of(block));
}

/* Returns the word before a block: the size of a free block that ends there. */
static size_t *size_before(struct heap_block *block)
{
        return (size_t *)block - 1;
}

static unsigned list_of(size_t size)
{
        return (unsigned)HEAP_LISTS - 1 - (unsigned)__builtin_clzl(size);
}

/* Returns the size of a block for a number of bytes of memory; 0: too many. */
static size_t block_size(size_t bytes)
{
        if (bytes > MAX_BYTES)
                return 0;

        const size_t size = (bytes + HEAD + HEAP_ALIGN - 1) & ~(size_t)(HEAP_ALIGN - 1);

        return size < MIN_BYTES ? MIN_BYTES : size;
}

static void unlink_block(struct heap *heap, struct heap_block *block)
{
        const unsigned n = list_of(size_of(block));

        if (block->next)
                block->next->prev = block->prev;
        if (block->prev)
                block->prev->next = block->next;
        else
                heap->list[n] = block->next;
        if (!heap->list[n])
                heap->filled &= ~((size_t)1 << n);
}

/* Makes a block free. Its neighbours are in use. */
static void link_block(struct heap *heap, struct heap_block *block, size_t size)
{
        const unsigned n = list_of(size);

        block->head = size | (block->head & PREV_USED);
        *size_before(at(block, size)) = size;
        at(block, size)->head &= ~PREV_USED;
        block->prev = NULL;
        block->next = heap->list[n];
        if (block->next)
                block->next->prev = block;
        heap->list[n] = block;
        heap->filled |= (size_t)1 << n;
}

/* Removes a free block from its list; it is then in use. */
static void occupy(struct heap *heap, struct heap_block *block)
{
        unlink_block(heap, block);
        block->head |= USED;
        after(block)->head |= PREV_USED;
}

/* Makes a block in use free, and joins it with free neighbours. Clears heads that then lie inside a
 * block, so that freeing the same memory twice is noticed. */
static struct heap_block *release(struct heap *heap, struct heap_block *block)
{
        struct heap_block *const next = after(block);
        size_t size = size_of(block);

        if (!(next->head & USED)) {
                size += size_of(next);
                unlink_block(heap, next);
                next->head = 0;
        }
        if (!(block->head & PREV_USED)) {
                struct heap_block *const prev =
                        (struct heap_block *)((char *)block - *size_before(block));

                size += size_of(prev);
                unlink_block(heap, prev);
                block->head = 0;
                block = prev;
        }
        link_block(heap, block, size);
        return block;
}

/* Shrinks a block in use to `size`, and frees the rest if it is large enough for a block. */
static void cut(struct heap *heap, struct heap_block *block, size_t size)
{
        const size_t rest = size_of(block) - size;

        if (rest < MIN_BYTES)
                return;
        block->head -= rest;
        at(block, size)->head = rest | USED | PREV_USED;
        release(heap, at(block, size));
}

static struct heap_block *search(const struct heap *heap, size_t size)
{
        const unsigned n = list_of(size);
        const size_t larger = n + 1 < HEAP_LISTS ? heap->filled >> (n + 1) << (n + 1) : 0;
        unsigned tries = 0;

        for (struct heap_block *block = heap->list[n]; block; block = block->next) {
                if (size_of(block) >= size)
                        return block;
                if (++tries >= TRIES && larger)
                        break;
        }
        return larger ? heap->list[__builtin_ctzl(larger)] : NULL;
}

/* Grows the area at its end. The last block, a head that counts as in use, marks that end. */
static struct heap_block *grow(struct heap *heap, size_t size)
{
        const size_t free_before =
                heap->last && !(heap->last->head & PREV_USED) ? *size_before(heap->last) : 0;
        const size_t first = heap->last ? 0 : HEAP_ALIGN;
        const size_t wanted = (size - free_before + first + PAGE - 1) & ~(PAGE - 1);
        size_t bytes = wanted + GROWTH;
        char *end = heap->move_end((ptrdiff_t)bytes);

        if (!end) {
                bytes = wanted;
                end = heap->move_end((ptrdiff_t)bytes);
        }
        if (!end)
                return NULL;
        if (!heap->last) {
                heap->first = heap->last = (struct heap_block *)(end + HEAP_ALIGN - HEAD);
                heap->last->head = PREV_USED;
                bytes -= HEAP_ALIGN;
        }

        struct heap_block *const block = heap->last;

        block->head = bytes | USED | (block->head & PREV_USED);
        heap->last = after(block);
        heap->last->head = USED | PREV_USED;
        return release(heap, block);
}

/* Shrinks the area if its last free block is large. */
static void trim(struct heap *heap)
{
        if (heap->last->head & PREV_USED)
                return;

        const size_t size = *size_before(heap->last);

        if (size < TRIM + GROWTH)
                return;

        const size_t bytes = (size - GROWTH) & ~(PAGE - 1);
        struct heap_block *const block = (struct heap_block *)((char *)heap->last - size);
        struct heap_block *const last = (struct heap_block *)((char *)heap->last - bytes);

        unlink_block(heap, block);
        last->head = USED;
        if (heap->move_end(-(ptrdiff_t)bytes))
                heap->last = last;
        link_block(heap, block, (size_t)((char *)heap->last - (char *)block));
}

void *novart_heap_take(struct heap *heap, size_t bytes)
{
        const size_t size = block_size(bytes);
        struct heap_block *block = size ? search(heap, size) : NULL;

        if (!block && size)
                block = grow(heap, size);
        if (!block)
                return NULL;
        occupy(heap, block);
        cut(heap, block, size);
        return memory_of(block);
}

void *novart_heap_take_aligned(struct heap *heap, size_t align, size_t bytes)
{
        if (align <= HEAP_ALIGN)
                return novart_heap_take(heap, bytes);
        if (bytes > MAX_BYTES || align > MAX_BYTES - bytes)
                return NULL;

        /* Makes room for a free block before the aligned address. */
        char *const memory = novart_heap_take(heap, bytes + align + MIN_BYTES);

        if (!memory || (uintptr_t)memory % align == 0)
                return memory;

        char *const aligned = (char *)(((uintptr_t)memory + MIN_BYTES + align - 1) & -align);
        struct heap_block *const front = block_of(memory), *const block = block_of(aligned);
        const size_t before = (size_t)(aligned - memory);

        block->head = (size_of(front) - before) | USED | PREV_USED;
        front->head -= size_of(block);
        release(heap, front);
        cut(heap, block, block_size(bytes));
        return aligned;
}

/* Returns true if a block in use begins here, according to its size and the next block. */
static bool is_block(const struct heap *heap, struct heap_block *block)
{
        if (!heap->last || block < heap->first || block >= heap->last ||
            ((uintptr_t)block + HEAD) % HEAP_ALIGN || !(block->head & USED))
                return false;

        const size_t size = size_of(block);

        return size >= MIN_BYTES && size <= (size_t)((char *)heap->last - (char *)block) &&
               (after(block)->head & PREV_USED);
}

bool novart_heap_give(struct heap *heap, void *memory)
{
        struct heap_block *const block = block_of(memory);

        if (!is_block(heap, block))
                return false;
        release(heap, block);
        trim(heap);
        return true;
}

bool novart_heap_resize(struct heap *heap, void *memory, size_t bytes)
{
        struct heap_block *const block = block_of(memory);
        struct heap_block *const next = after(block);
        const size_t size = block_size(bytes);

        if (!size)
                return false;
        if (size > size_of(block)) {
                if ((next->head & USED) || size_of(block) + size_of(next) < size)
                        return false;
                occupy(heap, next);
                block->head += size_of(next);
                next->head = 0; /* so that is_block() finds no block in the middle */
        }
        cut(heap, block, size);
        return true;
}

size_t novart_heap_size(const void *memory)
{
        return size_of((const struct heap_block *)((const char *)memory - HEAD)) - HEAD;
}

struct heap_usage novart_heap_usage(const struct heap *heap)
{
        struct heap_usage usage = {0};

        for (struct heap_block *block = heap->first; block != heap->last; block = after(block)) {
                const size_t size = size_of(block);

                if (block->head & USED) {
                        usage.used += size;
                        usage.free_at_end = 0;
                } else {
                        usage.free += size;
                        usage.free_blocks++;
                        usage.free_at_end = size;
                }
        }
        if (heap->last)
                usage.area = (size_t)((char *)heap->last - (char *)heap->first) + HEAP_ALIGN;
        return usage;
}
