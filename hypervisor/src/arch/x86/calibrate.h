/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast the TSC and the local APIC's timer run. */
#ifndef ARCH_X86_CALIBRATE_H
#define ARCH_X86_CALIBRATE_H

#include "lib/types.h"

extern uint32_t tsc_khz;
extern uint32_t bus_khz; /* local APIC timer, undivided */

/** Measures both; the local APIC must be on. pm_timer: port of the ACPI PM timer, 0: none. */
void calibrate(uint16_t pm_timer);

/** Waits. */
void delay_us(unsigned microseconds);

#endif
