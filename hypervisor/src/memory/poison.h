/* SPDX-License-Identifier: BSD-2-Clause */
/* Freed memory of the debug kernel is full of a pattern, so that a pointer or a number that is read
 * there is recognized, and a write is found when the memory is taken again. */
#ifndef MEMORY_POISON_H
#define MEMORY_POISON_H

#include "lib/assert.h"
#include "lib/types.h"

#define POISON_FREED 0xdf /* in each byte of freed memory, but for a word that links it */
#define POISON_TAKEN 0xe7 /* in the second word of memory that was taken and not written */

#if KERNEL_CHECKS

/** Memory is freed: fills it, but for its first word, with the pattern. */
void poison_free(void *memory, size_t bytes);

/** Whether memory is full of it: never what was taken and not freed. */
bool poison_is_free(const void *memory, size_t bytes);

/** Freed memory is taken again: stops the kernel if it was written. */
void poison_take(void *memory, size_t bytes);

/** Memory is taken for the first time. */
void poison_fresh(void *memory, size_t bytes);

#else

#define poison_free(memory, bytes)    ((void)0)
#define poison_take(memory, bytes)    ((void)0)
#define poison_fresh(memory, bytes)   ((void)0)
#define poison_is_free(memory, bytes) false

#endif
#endif
