/* SPDX-License-Identifier: BSD-2-Clause */
/* A PCI function that the monitor has claimed for a guest. */
#ifndef NOVAVMM_SRC_FUNCTION_H
#define NOVAVMM_SRC_FUNCTION_H

#include "novavmm/guest_pci.h"
#include "novavmm/pc.h"

/* The guest-physical addresses of functions are above those of the slots' devices. */
#define FUNCTION_FIRST (NOVA_PC_WINDOW + 0x1000000u)
#define FUNCTION_END   (NOVA_PC_WINDOW + NOVA_PC_WINDOW_BYTES)

/* Claims a function, gives its DMA to a guest's PD, maps its memory and requests its interrupts.
 * Returns 0 or an errno value with a reason in function->why. */
int novavmm_function_claim(struct nova_guest_function *function, const char *name, nova_sel_t pd);

/* Lets the function access memory and send messages, or stops it. */
void novavmm_function_master(const struct nova_guest_function *function, bool on);

/* Gives the function back: the service pci resets it. */
void novavmm_function_release(struct nova_guest_function *function);

#endif
