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

/* Not a requester id: any sender. */
#define REMAP_ANYBODY 0x10000

/* Added to the requester id of a PCI function that sends for itself: an I/O APIC or HPET may send
 * as a function that a PD can have. */
#define REMAP_FUNCTION 0x20000

/** Lets a function, and no other one, raise a GSI at a CPU. OUT_OF_MEMORY; BAD_DEV: no I/O MMU
 * knows the function. Then the GSI is as before. Does nothing when remapping is off. */
enum nova_status remap_route(unsigned gsi, unsigned sender, const struct cpu *cpu, bool level);

/** GSIs that are stopped now, because their functions sent too much. */
extern unsigned remap_stopped;

/** A GSI was raised. If it is a function's, and there were 1,000 in less than 10 ms, it is stopped.
 * If there were 4,000 of all functions' GSIs on this CPU, all of the function's are. Returns the
 * TSC at which remap_resume() ends that, for a timer of this CPU; 0: it goes on. */
uint64_t remap_count(unsigned gsi, const struct cpu *cpu);

/** Lets a GSI that is stopped come again if it is time for that, and this CPU's task; whether it
 *  did. Else lowers *next to the time. */
bool remap_resume(unsigned gsi, const struct cpu *cpu, uint64_t *next);

/** A function may raise nothing any more, for its owner changes. Counts after the driver's flush of
 *  functions. */
void remap_forget(uint16_t rid);

#endif
