/* SPDX-License-Identifier: BSD-2-Clause */
/* Division of 64 bits by 32, which x86-32 compilers would ask a library for. */
#ifndef LIB_DIVIDE_H
#define LIB_DIVIDE_H

#include "arch/x86/insn.h"

/** Quotient; *remainder (may be NULL) is set. The divisor must not be 0. */
static inline uint64_t divide(uint64_t value, uint32_t divisor, uint32_t *remainder)
{
        uint32_t high = (uint32_t)(value >> 32);
        uint32_t rest = high % divisor;
        uint32_t low = divl(&rest, (uint32_t)value, divisor);

        if (remainder)
                *remainder = rest;
        return (uint64_t)(high / divisor) << 32 | low;
}

#endif
