/* SPDX-License-Identifier: BSD-2-Clause */
/* Basic types and helpers that every part of the kernel uses. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nova/abi/types.h"

/** A machine word. */
typedef nova_word_t word_t;

/** A physical address. 64 bits also on x86-32, for PAE. */
typedef uint64_t paddr_t;

#define PAGE_SIZE NOVA_PAGE_SIZE
#define PAGE_BITS NOVA_PAGE_BITS

#define container_of(pointer, type, member) \
        ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define array_size(array) (sizeof(array) / sizeof((array)[0]))

/* Part of the function's type, unlike the keyword (see continuation_t). */
#define _Noreturn __attribute__((noreturn))

/* The path of calls and replies. Its helpers are inlined. Its functions are marked as hot, because
 * compilers take a function that never returns for a rare one. */
#define always_inline inline __attribute__((always_inline))
#define hot_path      __attribute__((hot))

/* Marks the rare part of a hot path. As a separate function, it costs the path no registers. */
#define cold_path __attribute__((noinline, cold))

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
