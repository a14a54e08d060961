/* SPDX-License-Identifier: BSD-2-Clause */
/* Division by 32 bits, for which compilers would ask a library. */
#ifndef ARCH_DIVIDE_H
#define ARCH_DIVIDE_H

#include "arch/x86/insn.h"

/** Quotient; *remainder (may be NULL) is set. The divisor must not be 0. */
static inline uint64_t divide(uint64_t value, uint32_t divisor, uint32_t *remainder)
{
        if (remainder)
                *remainder = (uint32_t)(value % divisor);
        return value / divisor;
}

/** value times factor, which is not greater than the divisor, divided by that: exactly. */
static inline uint64_t scale(uint64_t value, uint32_t factor, uint32_t divisor)
{
        uint64_t high;
        const uint64_t low = mulq(&high, value, factor);

        return divq(&high, low, divisor);
}

#endif
