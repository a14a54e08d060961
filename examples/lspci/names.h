/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of PCI classes, vendors and some devices. */
#ifndef LSPCI_NAMES_H
#define LSPCI_NAMES_H

#include <stdint.h>

/* Returns the name of a class (class << 16 | subclass << 8 | interface). */
const char *class_name(uint32_t class_code);

/* Return the name of a vendor, or the name of one of its devices; NULL: the name is unknown. */
const char *vendor_name(uint16_t vendor);
const char *device_name(uint16_t vendor, uint16_t device);

#endif
