/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims a PCI function for a driver, if the function is of the driver's kind. */
#ifndef NOVART_RING_CLAIM_H
#define NOVART_RING_CLAIM_H

#include "novart/service/pci_device.h"

/* The functions that a driver supports. */
struct driver_kind {
        const char *text;    /* name with article and numbers, for a sentence */
        uint16_t vendor;     /* 0: any; then the class is compared */
        uint16_t device[2];  /* the vendor's numbers */
        uint32_t class_code; /* class, in the form of struct nova_pci_function */
};

/* Claims a device of the description, which must be of @p kind and allowed to be a bus master. On
 * an error, prints a sentence and ends the program. The status is NOVA_EXIT_FINAL if another
 * attempt would fail, too. */
void driver_claim(struct nova_pci_device **pci, const char *name, const struct driver_kind *kind);

#endif
