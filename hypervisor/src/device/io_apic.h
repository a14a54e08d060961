/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O APICs: global system interrupts of pins to vectors of CPUs. */
#ifndef DEVICE_IO_APIC_H
#define DEVICE_IO_APIC_H

#include "lib/types.h"
#include "nova/abi/status.h"

struct cpu;

/** Finds the I/O APICs that ACPI names and masks all their pins. */
void io_apic_init(void);

/** Whether a GSI is a pin of an I/O APIC. The functions below do nothing when it is not. */
bool io_apic_has(unsigned gsi);

/** Gives a pin its vector, trigger and polarity, and a CPU; it stays masked. Once, at boot.
 *  OUT_OF_MEMORY, BAD_DEV as remap_route(). */
enum nova_status io_apic_set_up(unsigned gsi, unsigned vector, const struct cpu *cpu);

/** Routes a pin to a CPU and unmasks it, unless its interrupt is being served. OUT_OF_MEMORY,
 * BAD_DEV as remap_route(): then it is as before. */
enum nova_status io_apic_assign(unsigned gsi, const struct cpu *cpu);

/** A pin's interrupt has come: masks it if it is level-triggered. */
void io_apic_serve(unsigned gsi);

/** Unmasks a pin. */
void io_apic_open(unsigned gsi);

/** Trigger and polarity of a GSI as ACPI reports them. */
void gsi_default(unsigned gsi, bool *level, bool *active_low);

#endif
