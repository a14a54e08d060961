/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of memory of any size, for malloc(). Pure logic: no lock, no system call.
 *
 * Memory is one area that grows and shrinks at its end. It consists of blocks that follow each
 * other without gaps, each with its size in front; a free one has its size at its end, too, so that
 * neighbours find each other. Free blocks are in lists by size: the list of 2^n to 2^(n+1) - 1. */
#ifndef NOVA_ROOTTASK_HEAP_H
#define NOVA_ROOTTASK_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All memory is aligned to this. */
#define HEAP_ALIGN 16

/* Lists of free blocks. */
#define HEAP_LISTS (sizeof(size_t) * 8)

struct heap_block;

struct heap {
        /* Moves the area's end by this number of bytes, a multiple of 4096. @return the old end, or
         * NULL; the first time any address, which is aligned to 4096 */
        void *(*move_end)(ptrdiff_t bytes);
        struct heap_block *first,
                *last; /* last stands at the area's end; NULL: there is none yet */
        struct heap_block *list[HEAP_LISTS];
        size_t filled; /* bit n: list n is not empty */
};

/** Takes memory. @return NULL if there is none */
void *novart_heap_take(struct heap *heap, size_t bytes);

/** Takes memory at a multiple of @p align, a power of two. @return NULL if there is none */
void *novart_heap_take_aligned(struct heap *heap, size_t align, size_t bytes);

/** Gives memory back. @return false, and nothing changes, if it is none that was taken */
bool novart_heap_give(struct heap *heap, void *memory);

/** Changes the size of memory where it is. @return false if it cannot grow there */
bool novart_heap_resize(struct heap *heap, void *memory, size_t bytes);

/** How many bytes of memory may be used: at least as many as were asked for. */
size_t novart_heap_size(const void *memory);

#ifdef __cplusplus
}
#endif

#endif
