/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with a TSC, a local APIC's timer, a PM timer and a PIT, whose clocks count when the
 * kernel reads them. */
#ifndef UNIT_PLATFORM_CLOCKS_H
#define UNIT_PLATFORM_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCKS_PM_PORT 0x608

struct clocks {
        uint64_t now; /* ns */
        uint64_t tsc_khz;
        uint64_t timer_khz;    /* of the local APIC */
        bool has_pm, has_pit;  /* a missing device reads as ones */
        unsigned access_ns;    /* time that an access to a port takes */
        unsigned wrong_count;  /* number of the first wrong count of the PIT; 0: there is none */
        unsigned wrong_counts; /* number of wrong counts, one after the other */
        unsigned counts;       /* number of counts of the PIT that were read */
        unsigned starts;       /* number of measurements that were started at the PIT */
        unsigned accesses;     /* number of accesses to ports */
        uint64_t pit_start;    /* time at which the PIT started to count */
        uint16_t pit_latch;
        bool pit_high;        /* the next byte of the PIT's count is the high one */
        uint64_t timer_start; /* time at which the local APIC's timer started */
};

extern struct clocks clocks;
extern uint32_t measured_tsc_khz, measured_timer_khz;

/** Runs the kernel's measurement on these clocks. */
void clocks_calibrate(uint16_t pm_timer);

#endif
