/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic on bits and alignments. */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include "lib/types.h"

/** Returns the index of the highest set bit. value must not be 0. */
static inline unsigned bit_highest(word_t value)
{
        return (unsigned)(8 * sizeof(long) - 1) ^ (unsigned)__builtin_clzl(value); /* one BSR */
}

/** Returns the index of the lowest set bit. Needs no function of the compiler's library on x86-32.
 * value must not be 0. */
static inline unsigned bit_lowest_u64(uint64_t value)
{
        const uint32_t low = (uint32_t)value;

        return (unsigned)(low ? __builtin_ctz(low) : 32 + __builtin_ctz((uint32_t)(value >> 32)));
}

/** Returns value with its low order bits cleared. */
static inline word_t align_down(word_t value, unsigned order)
{
        return value >> order << order;
}

static inline word_t min_word(word_t a, word_t b)
{
        return a < b ? a : b;
}

static inline word_t max_word(word_t a, word_t b)
{
        return a > b ? a : b;
}

/** Masks an index that a program chose and that a check has found to be below count, a power of 2.
 * So a CPU that speculates past the check does not get beyond count either (Spectre v1). */
static always_inline word_t checked_index(word_t index, word_t count)
{
        /* Makes the compiler forget the check, so that it keeps the AND. The section is for tests,
         * which look for the AND there. */
        __asm__ inline(".pushsection .masks\n\t.long 7702f - .\n\t.popsection\n7702:"
                       : "+r"(index));
        return index & (count - 1);
}

#endif
