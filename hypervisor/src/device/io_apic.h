/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O APICs, which send the interrupts of their pins (GSIs) to CPUs, as vectors. */
#ifndef DEVICE_IO_APIC_H
#define DEVICE_IO_APIC_H

#include "lib/types.h"
#include "nova/abi/status.h"

struct cpu;

/** Finds the I/O APICs that ACPI names and masks all their pins. */
void io_apic_init(void);

/** Returns true if a GSI is a pin of an I/O APIC. If not, the functions io_apic_*() below do
 * nothing. */
bool io_apic_has(unsigned gsi);

/** Sets a pin's vector, trigger, polarity and CPU; the pin stays masked. Call once, at boot. If
 * neither msi_reaches() nor remap_by_index is true, only io_apic_assign() routes and unmasks the
 * pin. Returns OUT_OF_MEMORY or BAD_DEV if remap_route() fails. */
enum nova_status io_apic_set_up(unsigned gsi, unsigned vector, const struct cpu *cpu);

/** Routes a pin to a CPU for which msi_reaches() returns true, and unmasks the pin. A pin whose
 * interrupt is being served stays masked. If remap_route() fails (OUT_OF_MEMORY, BAD_DEV), the pin
 * does not change. */
enum nova_status io_apic_assign(unsigned gsi, const struct cpu *cpu);

/** Number of pins that are stopped now, because their interrupts came too often. */
extern uint32_t io_apic_stopped;

/** Handles the interrupt of a pin. Masks a level-triggered pin, and stops it at its 1,000th
 * interrupt in less than 10 ms. Returns the TSC at which this CPU must call io_apic_resume(); 0:
 * never. */
uint64_t io_apic_serve(unsigned gsi, const struct cpu *cpu);

/** Unmasks a pin. A stopped pin is unmasked at the end of the stop. */
void io_apic_open(unsigned gsi);

/** If this CPU must end the stop of a pin and the end is due, ends the stop and returns true. If
 * the end is not due yet, lowers *next to its TSC value. */
bool io_apic_resume(unsigned gsi, const struct cpu *cpu, uint64_t *next);

/** Gets trigger and polarity of a GSI from ACPI's override for it; without an override, the
 * defaults. */
void gsi_default(unsigned gsi, bool *level, bool *active_low);

#endif
