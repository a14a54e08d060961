/* SPDX-License-Identifier: BSD-2-Clause */
/* Division by a 32-bit divisor. For the operator /, a compiler would call a library function, which
 * the kernel does not have. */
#ifndef ARCH_DIVIDE_H
#define ARCH_DIVIDE_H

#include "arch/x86/insn.h"

/** Returns the quotient and sets *remainder (may be NULL). The divisor must not be 0. */
static inline uint64_t divide(uint64_t value, uint32_t divisor, uint32_t *remainder)
{
        uint32_t high = (uint32_t)(value >> 32);
        uint32_t rest = high % divisor;
        uint32_t low = divl(&rest, (uint32_t)value, divisor);

        if (remainder)
                *remainder = rest;
        return (uint64_t)(high / divisor) << 32 | low;
}

/** Returns value * factor / divisor, rounded down. The product may exceed 64 bits. factor must not
 * exceed divisor. */
static inline uint64_t scale(uint64_t value, uint32_t factor, uint32_t divisor)
{
        const uint64_t low = (uint64_t)(uint32_t)value * factor;
        const uint64_t high = (value >> 32) * factor + (low >> 32);
        uint32_t rest = (uint32_t)(high >> 32);
        const uint32_t quotient = divl(&rest, (uint32_t)high, divisor);

        return (uint64_t)quotient << 32 | divl(&rest, (uint32_t)low, divisor);
}

#endif
