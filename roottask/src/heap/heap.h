/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of memory of any size, for malloc(). Makes no hypercalls and takes no lock.
 *
 * Memory is one area that grows and shrinks at its end. It consists of adjacent blocks, each with
 * its size in front. A free block also has its size at its end, so that the next block can find its
 * start. List n contains the free blocks of 2^n to 2^(n+1) - 1 bytes. */
#ifndef NOVA_ROOTTASK_HEAP_H
#define NOVA_ROOTTASK_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Alignment of all memory. */
#define HEAP_ALIGN 16

/* Number of lists of free blocks. */
#define HEAP_LISTS (sizeof(size_t) * 8)

struct heap_block;

struct heap {
        /* Moves the area's end by this number of bytes, a multiple of 4096.
         * @return the old end, or NULL. The first call returns the address of the area, a multiple
         *         of 4096 */
        void *(*move_end)(ptrdiff_t bytes);
        struct heap_block *first, *last; /* first block, and the empty one at the end, or NULL */
        struct heap_block *list[HEAP_LISTS];
        size_t filled; /* bit n: list n is not empty */
};

/* The blocks of the area. All sizes are in bytes and include the heads of the blocks. */
struct heap_usage {
        size_t area;        /* size of the area */
        size_t used, free;  /* sums over the blocks in use and the free ones */
        size_t free_blocks; /* number of free blocks */
        size_t free_at_end; /* size of a free block at the area's end; 0: none */
};

/** Allocates memory.
 * @return NULL if there is none */
void *novart_heap_take(struct heap *heap, size_t bytes);

/** Allocates memory at a multiple of @p align, a power of two.
 * @return NULL if there is none */
void *novart_heap_take_aligned(struct heap *heap, size_t align, size_t bytes);

/** Frees memory.
 * @return false if @p memory is not allocated; then nothing changes */
bool novart_heap_give(struct heap *heap, void *memory);

/** Changes the size of memory in place.
 * @return false if the memory cannot grow in place */
bool novart_heap_resize(struct heap *heap, void *memory, size_t bytes);

/** Returns the usable size of memory in bytes: at least the requested size. */
size_t novart_heap_size(const void *memory);

/** Returns the sums over all blocks. The time grows with the number of blocks. */
struct heap_usage novart_heap_usage(const struct heap *heap);

#ifdef __cplusplus
}
#endif

#endif
