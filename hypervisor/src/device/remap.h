/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt remapping: the I/O MMU admits only assigned interrupts, and only from the functions to
 * which they were assigned. Without it, any device can raise any interrupt. */
#ifndef DEVICE_REMAP_H
#define DEVICE_REMAP_H

#include "lib/types.h"
#include "nova/abi/status.h"

struct cpu;

/* Fixed after iommu_init(). */
extern bool remap_is_on;
extern bool remap_by_index; /* messages name the GSI instead of CPU and vector */

/** Finds the PCI functions whose requester ids I/O APICs and HPETs use. At boot; uses slot 0 of
 * boot_map(). */
void remap_init(void);

/** Returns true if the requester ids of all I/O APICs are known, as the remapping requires. */
bool remap_knows_io_apics(void);

/** Returns the function whose requester id an I/O APIC or HPET uses; REMAP_ANYBODY: unknown. */
unsigned remap_source(bool is_hpet, unsigned id);

/* A value for any sender; no function has it as its requester id. */
#define REMAP_ANYBODY 0x10000

/* Added to the requester id of a PCI function that sends its own interrupts. Distinguishes these
 * interrupts from those of an I/O APIC or HPET that uses the requester id of the function. */
#define REMAP_FUNCTION 0x20000

/** Lets only one function, the sender, raise a GSI at a CPU. Returns SUCCESS, OUT_OF_MEMORY, or
 * BAD_DEV if no I/O MMU knows the function. On an error the GSI does not change. Does nothing if
 * remapping is off. */
enum nova_status remap_route(unsigned gsi, unsigned sender, const struct cpu *cpu, bool level);

/** Number of GSIs that are stopped now, because their functions sent too many interrupts. */
extern unsigned remap_stopped;

/** Counts an interrupt of a GSI, if a function sends this GSI. Stops the GSI at its 1,000th
 * interrupt in less than 10 ms. At the 4,000th interrupt in less than 10 ms from all functions to
 * this CPU, stops all GSIs of the function that sent this interrupt. Returns the TSC at which this
 * CPU must call remap_resume(); 0: never. */
uint64_t remap_count(unsigned gsi, const struct cpu *cpu);

/** If this CPU must resume a stopped GSI and the time of the stop is over, resumes the GSI and
 * returns true. If the time is not over yet, lowers *next to the TSC value at its end. */
bool remap_resume(unsigned gsi, const struct cpu *cpu, uint64_t *next);

/** Revokes all interrupts of a function whose owner changes. Takes effect after the driver's flush
 * of functions. */
void remap_forget(uint16_t rid);

#endif
