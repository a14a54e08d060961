/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset and power-off of the machine (an extension, for the root PD). */
#ifndef FIRMWARE_POWER_H
#define FIRMWARE_POWER_H

#include "lib/types.h"

/** Resets the machine by ACPI, else by chipset, keyboard controller, or triple fault. */
_Noreturn void power_reset(void);

/** Switches the machine off by ACPI. Returns if that is not possible. */
void power_off(void);

#endif
