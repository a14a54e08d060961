/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of a PC for cases: ACPI tables, PCI functions, the edu device of QEMU. */
#ifndef CONFORMANCE_DEVICE_H
#define CONFORMANCE_DEVICE_H

#include "harness.h"

/* Returns the interrupt semaphore of a GSI in the root PD, with a count of 0. */
nova_sel_t gsi_open(unsigned gsi);

/* Maps an ACPI table read-only; NULL: there is none. */
const uint8_t *acpi_table(const char *signature);
uint32_t acpi_u32(const uint8_t *field);

/* Returns the address of the first HPET's registers; 0: none. */
word_t hpet_address(void);

/* Returns the frame of the first I/O APIC, or 0 if there is none. */
word_t io_apic_frame(void);

/* ---- PCI: a function is bus << 8 | device << 3 | function ------------------------------------ */

#define PCI_NONE      0xffffffffu
#define PCI_COMMAND   0x04
#define PCI_MEMORY    0x2 /* responds at its memory addresses */
#define PCI_MASTER    0x4 /* may access memory, and so also send messages as interrupts */
#define PCI_CAP_MSI   0x05
#define PCI_CAP_MSI_X 0x11

/* Reads a configuration register through the ports that each PC has; pci_write() writes one. reg: a
 * multiple of 4. */
uint32_t pci_read(unsigned function, unsigned reg);
void pci_write(unsigned function, unsigned reg, uint32_t value);

/* Returns function 0 of device number n, counted from 0, of those devices of bus 0 that have an id
 * (device << 16 | vendor). PCI_NONE: there is none. */
unsigned pci_find(uint32_t id, unsigned n);

/* Returns the frame of a function's configuration space, or 0 if the machine does not map it. */
word_t pci_frame(unsigned function);

/* Maps the frame of a function's configuration space in the root PD. Returns the page number. */
word_t pci_page(unsigned function);

/* Maps the first 2^order pages of the region of a base address register. Lets the function respond
 * to accesses to this region, and lets it access memory. */
volatile uint32_t *pci_map(unsigned function, unsigned bar, unsigned order);

/* Returns the offset of a capability in a function's configuration space, or 0 if there is none. */
unsigned pci_capability(unsigned function, unsigned id);

/* Returns the GSI of the pin to which the function's INTA leads, or 0 if the chipset is unknown. */
unsigned pci_gsi(unsigned function);

/* msi_set() makes a function send its interrupts as this message; msi_off() makes it use its pin
 * again. */
void msi_set(unsigned function, word_t address, word_t data);
void msi_off(unsigned function);

/* ---- edu: a write raises an interrupt; the pin stays up until the acknowledgement ------------ */

struct edu {
        unsigned function;
        volatile uint32_t *registers;
};

#define EDU_ID     0x11e81234
#define EDU_STATUS (0x24 / 4)
#define EDU_RAISE  (0x60 / 4)
#define EDU_ACK    (0x64 / 4)

/* Returns edu number n, quiet and with its message off. */
struct edu edu_open(unsigned n);

need_fn needs_edu, needs_2_edus, needs_pci_window, needs_hpet, needs_hpet_msi;

#endif
