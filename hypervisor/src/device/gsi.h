/* SPDX-License-Identifier: BSD-2-Clause */
/* Global system interrupts and their semaphores. Those that are not a pin of an I/O APIC are for
 * messages of devices. @spec 3.4 */
#ifndef DEVICE_GSI_H
#define DEVICE_GSI_H

#include "device/msi.h"
#include "nova/abi/status.h"

struct cpu;
struct pd;

/** Makes the semaphores, which the root PD can request, and routes the pins to the boot CPU,
 *  masked. Once, at boot. */
void gsi_boot(void);

/** An interrupt has come: masks its pin if it is level-triggered, and ups its semaphore. */
void gsi_fire(unsigned gsi);

/** This CPU's timer has fired, and some GSIs are stopped (remap_stopped): lets those come again
 * whose time that is. */
void gsi_resume(struct cpu *cpu);

/** Lets an interrupt come. */
void gsi_unmask(unsigned gsi);

/** Routes an interrupt to a CPU. A pin's message is 0; for any other, device says who sends it, in
 *  the PD that asks. BAD_DEV: it names no device that can; OUT_OF_MEMORY. */
enum nova_status gsi_assign(unsigned gsi, struct pd *pd, word_t device, const struct cpu *cpu,
                            struct msi *msi);

#endif
