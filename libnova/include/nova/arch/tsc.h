/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU's time stamp counter; the HIP gives its frequency (tsc_khz). */
#ifndef NOVA_ARCH_TSC_H
#define NOVA_ARCH_TSC_H

#include <stdint.h>

/** Reads the time stamp counter, in ticks. */
static inline uint64_t nova_rdtsc(void)
{
        uint32_t low, high;

        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        return (uint64_t)high << 32 | low;
}

#endif
