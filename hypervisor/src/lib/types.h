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

/* Unlike the keyword, the attribute is part of the function's type (see continuation_t). */
#define _Noreturn __attribute__((noreturn))

/* Marks the functions of the fast path of calls and replies as hot, because compilers assume that a
 * function that never returns is rarely called. The helpers of these functions are inlined. */
#define always_inline inline __attribute__((always_inline))
#define hot_path      __attribute__((hot))

/* Marks the rare part of a fast path. As a separate function, it takes no registers from the fast
 * path. */
#define cold_path __attribute__((noinline, cold))

/* Marks a function whose address is taken. gcc lets it begin with ENDBR (arch/x86/tracking.h).
 * clang cannot leave out the ENDBR of other functions. */
#if __has_attribute(cf_check)
#define indirect_target         __attribute__((cf_check))
#define INDIRECT_TARGETS_MARKED true
#else
#define indirect_target
#define INDIRECT_TARGETS_MARKED false
#endif

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
