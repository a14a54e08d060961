/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of inspect: each prints what it found. */
#ifndef INSPECT_H
#define INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_FUNCTIONS_MAX 256

/* A function of a PCI device. */
struct pci_function {
        uint16_t address; /* bus << 8 | device << 3 | function */
        uint16_t vendor, device;
        uint32_t class_code; /* class << 16 | subclass << 8 | programming interface */
        uint8_t header;      /* layout of the configuration header; 0: a device */
};

/* Prints CPUs and memory. */
void machine_print(void);

/* Prints the section `machine` of the description. */
void machine_describe(void);

/* Prints the devices that a description can name without a section for them. */
void old_print(void);

/* Returns true if the serial port answers. */
bool old_has_serial(void);

/* Prints the PCI functions and the I/O MMU. */
void pci_print(void);

/* Prints a section for each PCI device, and the service pci if there is one. */
void pci_describe(void);

#endif
