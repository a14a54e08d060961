/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the functions of PCI segment 0 and reads their properties. */
#ifndef NOVART_PCI_SCAN_H
#define NOVART_PCI_SCAN_H

#include "novart/service/pci.h"

/* Fills in a table in the order of addresses. Returns the number of functions, which may exceed
 * max; the table then contains the first ones. */
unsigned scan_buses(struct nova_pci_function *table, unsigned max);

/* Returns the function with an address; NULL: there is none. */
const struct nova_pci_function *scan_find(const struct nova_pci_function *table, unsigned count,
                                          uint16_t address);

/* Returns the offset of a function's first capability with an ID; 0: there is none, or it has fewer
 * than @p bytes bytes in the first 256 bytes of configuration space. */
unsigned scan_capability(uint16_t address, unsigned id, unsigned bytes);

#endif
