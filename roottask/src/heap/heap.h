/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of memory of any size, for malloc(). Makes no hypercalls and takes no lock.
 *
 * Memory is one area that grows and shrinks at its end. It consists of adjacent blocks, each with
 * its size in front. A free block also has its size at its end, so that the next block can find its
 * start. Free blocks are in lists by size: the list of 2^n to 2^(n+1) - 1. */
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
        struct heap_block *first, *last; /* block at the area's end; NULL: none yet */
        struct heap_block *list[HEAP_LISTS];
        size_t filled; /* bit n: list n is not empty */
};

/** Allocates memory.
 * @return NULL if there is none */
void *novart_heap_take(struct heap *heap, size_t bytes);

/** Allocates memory at a multiple of @p align, a power of two.
 * @return NULL if there is none */
void *novart_heap_take_aligned(struct heap *heap, size_t align, size_t bytes);

/** Frees memory.
 * @return false, and nothing changes, if it was not allocated */
bool novart_heap_give(struct heap *heap, void *memory);

/** Changes the size of memory in place.
 * @return false if it cannot grow there */
bool novart_heap_resize(struct heap *heap, void *memory, size_t bytes);

/** Returns the usable size of memory in bytes: at least the requested size. */
size_t novart_heap_size(const void *memory);

#ifdef __cplusplus
}
#endif

#endif
