/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt remapping: the I/O MMU lets through what was assigned, from the function that it was
 * assigned to. Without it, any device can raise any interrupt. */
#ifndef DEVICE_REMAP_H
#define DEVICE_REMAP_H

#include "lib/types.h"
#include "nova/abi/status.h"

struct cpu;

/* Fixed after iommu_init(). */
extern bool remap_is_on;
extern bool remap_by_index; /* senders name the GSI, instead of CPU and vector */

/** Finds out as which functions I/O APICs and HPETs send. Once, at boot; uses boot_map's slot 0. */
void remap_init(void);

/** Whether that is known of all I/O APICs. Else interrupts are not remapped. */
bool remap_knows_io_apics(void);

/** As which function an I/O APIC or HPET sends; REMAP_ANYBODY: unknown. */
unsigned remap_source(bool is_hpet, unsigned id);

/* Not a requester id: whoever sends. */
#define REMAP_ANYBODY 0x10000

/** Lets a function, and nobody else, raise a GSI at a CPU. OUT_OF_MEMORY. Does nothing when
 *  remapping is off. */
enum nova_status remap_route(unsigned gsi, unsigned rid, const struct cpu *cpu, bool level);

#endif
