/* SPDX-License-Identifier: BSD-2-Clause */
/* The service pci, for a program that contains it. */
#ifndef NOVART_PCI_SERVER_H
#define NOVART_PCI_SERVER_H

#include "novart/service.h"
#include "novart/service/pci.h"

/* Scans the buses and starts the service. @return 0 or an errno value */
int pci_service_start(void);

/* Returns the function with a number, 0 for the first; NULL after the last. */
struct nova_pci_function *pci_function(unsigned number);

/* Returns true if pci_function() returns all functions of a bus and of all buses before it. The
 * table has no room for all functions of a large machine. */
bool pci_knows_bus(unsigned bus);

#define PCI_LAST_BUS 255u

#endif
