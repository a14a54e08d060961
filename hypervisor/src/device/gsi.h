/* SPDX-License-Identifier: BSD-2-Clause */
/* Global system interrupts and their semaphores. @spec 3.4 */
#ifndef DEVICE_GSI_H
#define DEVICE_GSI_H

/** Makes the semaphores, which the root PD can request, and routes the pins to the boot CPU,
 *  masked. Once, at boot. */
void gsi_boot(void);

/** An interrupt has come: masks its pin if it is level-triggered, and ups its semaphore. */
void gsi_fire(unsigned gsi);

/** Lets an interrupt come. */
void gsi_unmask(unsigned gsi);

#endif
