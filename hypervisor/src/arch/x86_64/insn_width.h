/* SPDX-License-Identifier: BSD-2-Clause */
/* Register names, suffixes and instructions that depend on the word size. */
#ifndef ARCH_INSN_WIDTH_H
#define ARCH_INSN_WIDTH_H

#include "lib/types.h"

/** The stack pointer, and the suffix of instructions that operate on machine words (64 bits). */
#define STACK_POINTER "rsp"
#define WORD_SUFFIX   "q"

/** Suffix of instructions that save and load FPU registers, with addresses of 64 bits. */
#define FPU_SUFFIX "64"

/** Returns the product of a and b; *high becomes its upper half. */
static inline uint64_t mulq(uint64_t *high, uint64_t a, uint64_t b)
{
        uint64_t low;

        __asm__("mulq %3" : "=a"(low), "=d"(*high) : "a"(a), "rm"(b) : "cc");
        return low;
}

/** Divides the 128 bits of high:low by a divisor of 64 bits, like divl(). */
static inline uint64_t divq(uint64_t *high, uint64_t low, uint64_t divisor)
{
        uint64_t rest = *high;

        __asm__("divq %2" : "+a"(low), "+d"(rest) : "rm"(divisor) : "cc");
        *high = rest;
        return low;
}

#endif
