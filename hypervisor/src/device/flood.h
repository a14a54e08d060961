/* SPDX-License-Identifier: BSD-2-Clause */
/* Floods: interrupts that arrive so often that their CPU has little time left. If a level-triggered
 * pin, or the GSI of remapped messages, raises FLOOD_COUNT interrupts within FLOOD_MS, the kernel
 * stops the GSI for FLOOD_MS. So a CPU spends only a part of its time on the GSI. */
#ifndef DEVICE_FLOOD_H
#define DEVICE_FLOOD_H

#include "arch/x86/calibrate.h"
#include "arch/x86/insn.h"
#include "lib/types.h"

#define FLOOD_COUNT 1000
#define FLOOD_MS    10

/* Number of interrupts since a point in time; not protected by a lock. */
struct rate {
        unsigned count;
        uint64_t since; /* TSC */
};

/** Returns the TSC value at which a GSI that is stopped now must be resumed. */
static inline uint64_t flood_end(void)
{
        return rdtsc() + (uint64_t)tsc_khz * FLOOD_MS;
}

/** Counts an interrupt. Returns true if it is the count-th interrupt within FLOOD_MS. */
static always_inline bool flood_count(struct rate *rate, unsigned count)
{
        if (likely(++rate->count < count))
                return false;

        const uint64_t now = rdtsc();
        const bool is_flood = now - rate->since < (uint64_t)tsc_khz * FLOOD_MS;
        rate->since = now;
        rate->count = 0;
        return is_flood;
}

#endif
