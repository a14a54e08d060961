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

#endif
