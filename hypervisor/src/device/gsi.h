/* SPDX-License-Identifier: BSD-2-Clause */
/* Global system interrupts and their semaphores. The GSIs that are not pins of an I/O APIC are for
 * messages of devices. @spec 3.4 */
#ifndef DEVICE_GSI_H
#define DEVICE_GSI_H

#include "device/msi.h"
#include "nova/abi/status.h"

struct cpu;
struct pd;

/** Creates the semaphores, which the root PD can request, and routes the pins, masked, to the boot
 * CPU. Call once, at boot. */
void gsi_boot(void);

/** Handles an interrupt: masks its pin if it is level-triggered, and does an up on its
 * semaphore. */
void gsi_fire(unsigned gsi);

/** Resumes stopped GSIs (remap_stopped, io_apic_stopped) that are due. Call when this CPU's timer
 * has fired. */
void gsi_resume(struct cpu *cpu);

/** Unmasks the pin of a GSI, or lets gsi_resume() do so if the pin is stopped. */
void gsi_unmask(unsigned gsi);

/** Routes an interrupt to a CPU. Sets *msi to the device's message, or to 0 for a pin. For a
 * message, device names the sender: it is an address in pd, the requesting PD, or the number of the
 * page with this address. Returns SUCCESS, BAD_DEV if device names no possible sender, or
 * OUT_OF_MEMORY. */
enum nova_status gsi_assign(unsigned gsi, struct pd *pd, word_t device, const struct cpu *cpu,
                            struct msi *msi);

#endif
