/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O APICs: global system interrupts to vectors of CPUs. */
#ifndef DEVICE_IO_APIC_H
#define DEVICE_IO_APIC_H

#include "lib/types.h"

/** Finds the I/O APICs that ACPI names and masks all their pins. */
void io_apic_init(void);

/** Whether a GSI is a pin of an I/O APIC. */
bool io_apic_has(unsigned gsi);

/** Routes a GSI to a vector of a CPU; leaves the pin masked. Nothing when there is no such pin. */
void io_apic_route(unsigned gsi, unsigned vector, unsigned apic_id, bool level, bool active_low);

/** Masks and unmasks a GSI. */
void io_apic_mask(unsigned gsi);
void io_apic_unmask(unsigned gsi);

/** Trigger and polarity of a GSI when nobody asks for others. */
void gsi_default(unsigned gsi, bool *level, bool *active_low);

#endif
