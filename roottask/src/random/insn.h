/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of random.c. A test replaces this header. */
#ifndef NOVA_ROOTTASK_RANDOM_INSN_H
#define NOVA_ROOTTASK_RANDOM_INSN_H

#include <stdbool.h>
#include <stdint.h>

/* Returns ECX of a leaf. */
static inline uint32_t cpuid_ecx(uint32_t leaf)
{
        uint32_t a = leaf, b, c = 0, d;

        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        return c;
}

/* Reads a random word. @return false: the CPU has none at the moment */
static inline bool rdrand(uintptr_t *value)
{
        bool valid;

        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(valid));
        return valid;
}

#endif
