/* SPDX-License-Identifier: BSD-2-Clause */
/* Division of 64 bits by 32, for which compilers for x86-32 would ask a library. */
#ifndef LIB_DIVIDE_H
#define LIB_DIVIDE_H

#include "arch/x86/insn.h"

/** Quotient; *remainder (may be NULL) is set. The divisor must not be 0. */
static inline uint64_t divide(uint64_t value, uint32_t divisor, uint32_t *remainder)
{
#if __SIZEOF_POINTER__ == 8
        if (remainder)
                *remainder = (uint32_t)(value % divisor);
        return value / divisor;
#else
        uint32_t high = (uint32_t)(value >> 32);
        uint32_t rest = high % divisor;
        uint32_t low = divl(&rest, (uint32_t)value, divisor);

        if (remainder)
                *remainder = rest;
        return (uint64_t)(high / divisor) << 32 | low;
#endif
}

#endif
