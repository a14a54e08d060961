/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions: which exist, and which one a program means. Of segment 0, by memory-mapped
 * configuration space; a machine without that has none. */
#ifndef DEVICE_PCI_H
#define DEVICE_PCI_H

#include "lib/types.h"

struct pd;

/** Configuration space of a bus: a page for each of its 256 functions (PCIe 3.0, 7.2.2). */
#define PCI_BUS_SIZE ((uint64_t)256 * PAGE_SIZE)

/** Finds the functions that exist. Once, at boot; uses boot_map's slot 0. */
void pci_init(void);

/** Whether there is a function with a requester id (bus << 8 | device << 3 | function). */
bool pci_exists(uint16_t rid);

/** The secondary bus of a bridge. At boot; uses boot_map's slot 0. */
unsigned pci_bus_behind(uint16_t rid);

/** Registers of a function that belongs to the kernel: no PD can request them from then on. At
 *  boot; uses boot_map's slot 0. NULL: there is no such function. */
volatile uint32_t *pci_take(uint16_t rid);

/** The function that a device argument names in a PD: a byte address inside the page of its
 *  configuration space, else that page's selector. false: it names none. @spec 5.5 */
bool pci_find(struct pd *pd, word_t device, uint16_t *rid);

#endif
