/* SPDX-License-Identifier: BSD-2-Clause */
/* Division by a 32-bit divisor. On x86-32, a compiler would call a library function for the
 * operator /. */
#ifndef ARCH_DIVIDE_H
#define ARCH_DIVIDE_H

#include "arch/x86/insn.h"

/** Returns the quotient and sets *remainder (may be NULL). The divisor must not be 0. */
static inline uint64_t divide(uint64_t value, uint32_t divisor, uint32_t *remainder)
{
        if (remainder)
                *remainder = (uint32_t)(value % divisor);
        return value / divisor;
}

/** Returns value * factor / divisor, rounded down. The product may exceed 64 bits. factor must not
 * exceed divisor. */
static inline uint64_t scale(uint64_t value, uint32_t factor, uint32_t divisor)
{
        uint64_t high;
        const uint64_t low = mulq(&high, value, factor);

        return divq(&high, low, divisor);
}

#endif
