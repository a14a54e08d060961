/* SPDX-License-Identifier: BSD-2-Clause */
/* The existing PCI functions, and the function that a program names. Only segment 0 with
 * memory-mapped configuration space is supported; a machine without it has no functions. */
#ifndef DEVICE_PCI_H
#define DEVICE_PCI_H

#include "lib/types.h"

struct pd;

/** Size of the configuration space of a bus: a page per function (PCIe 3.0, 7.2.2). */
#define PCI_BUS_SIZE ((uint64_t)256 * PAGE_SIZE)

/** Finds the existing functions. Call once, at boot; uses slot 0 of boot_map(). */
void pci_init(void);

/** Returns true if a function has a requester id (bus << 8 | device << 3 | function). */
bool pci_exists(uint16_t rid);

/** Returns the secondary bus of a bridge. Call at boot; uses slot 0 of boot_map(). */
unsigned pci_bus_behind(uint16_t rid);

/** Takes a function for the kernel, so that no PD can request it, and returns its registers. NULL:
 * no such function. Call at boot; uses slot 0 of boot_map(). */
volatile uint32_t *pci_take(uint16_t rid);

/** Finds the function that a device argument names. The argument is an address in the page of the
 * function's configuration space in the PD, or the page's selector. Returns false if there is no
 * such function. @spec 5.5 */
bool pci_find(struct pd *pd, word_t device, uint16_t *rid);

#endif
