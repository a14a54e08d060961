/* SPDX-License-Identifier: BSD-2-Clause */
/* Frequencies of the TSC and of the local APIC's timer. */
#ifndef ARCH_X86_CALIBRATE_H
#define ARCH_X86_CALIBRATE_H

#include "lib/types.h"

extern uint32_t tsc_khz;
extern uint32_t bus_khz; /* frequency of the local APIC's timer, undivided */

/** Measures both frequencies. The local APIC must be on. pm_timer: port of the ACPI PM timer, or
 * 0. */
void calibrate(uint16_t pm_timer);

/** Waits for a time, measured by the TSC. */
void delay_us(unsigned microseconds);

#endif
