/* SPDX-License-Identifier: BSD-2-Clause */
/* The debug kernel fills freed memory with a pattern. A pointer or number that was read from there
 * is recognisable by the pattern. A write is found when the memory is taken again. */
#ifndef MEMORY_POISON_H
#define MEMORY_POISON_H

#include "lib/assert.h"
#include "lib/types.h"

#define POISON_FREED 0xdf /* each byte of freed memory, except its link word */
#define POISON_TAKEN 0xe7 /* the second word of memory taken and not yet written */

#if KERNEL_CHECKS

/** Fills freed memory, except its first word, with the pattern. */
void poison_free(void *memory, size_t bytes);

/** Returns true if memory is full of the pattern: never for memory that is in use. */
bool poison_is_free(const void *memory, size_t bytes);

/** Marks freed memory as taken; stops the kernel if it was written meanwhile. */
void poison_take(void *memory, size_t bytes);

/** Fills and marks memory that is taken for the first time. */
void poison_fresh(void *memory, size_t bytes);

#else

#define poison_free(memory, bytes)    ((void)0)
#define poison_take(memory, bytes)    ((void)0)
#define poison_fresh(memory, bytes)   ((void)0)
#define poison_is_free(memory, bytes) false

#endif
#endif
