/* SPDX-License-Identifier: BSD-2-Clause */
/* The information that the kernel takes from ACPI: CPUs, I/O APICs, interrupt overrides, PM timer,
 * registers for reset and power-off, and the places of PCI's configuration space, HPETs and I/O
 * MMUs. */
#ifndef FIRMWARE_ACPI_H
#define FIRMWARE_ACPI_H

#include "lib/types.h"

#define ACPI_CPUS      64
#define ACPI_IO_APICS  16
#define ACPI_OVERRIDES 32
#define ACPI_WINDOWS   8
#define ACPI_HPETS     8
#define ACPI_IOMMUS    16
#define ACPI_SOURCES   32
#define ACPI_DEPTH     4

struct acpi_io_apic {
        paddr_t phys;
        uint32_t gsi; /* GSI of its first pin */
        uint8_t id;
};

/* An ISA interrupt whose GSI differs from its number, or that is not edge-triggered and active
 * high. */
struct acpi_override {
        uint32_t gsi;
        uint16_t flags; /* MPS INTI flags (ACPI 5.2.12.5) */
        uint8_t source;
};

/* Memory-mapped configuration space of some buses of PCI segment 0. */
struct acpi_pci_window {
        paddr_t phys; /* address of bus 0, even if bus 0 is not in the window */
        uint8_t first, last;
};

struct acpi_hpet {
        paddr_t phys;
        uint8_t number;
};

struct acpi_iommu {
        paddr_t phys;
        uint16_t segment; /* PCI segment */
        uint16_t rid;     /* AMD-Vi: requester id of the unit as a PCI function */
        uint8_t flags;    /* AMD-Vi: settings for its links (IVHD flags) */
};

/* The PCI function whose requester id an I/O APIC or HPET uses for interrupts. */
struct acpi_source {
        bool is_hpet;
        uint8_t id; /* number of the I/O APIC or HPET */
        uint8_t bus;
        uint8_t depth;                /* number of functions on the path to it, including itself */
        uint8_t function[ACPI_DEPTH]; /* device << 3 | function for each bridge and the last
                                       * function on the path */
};

/** Address space number of registers in I/O ports (ACPI 5.2.3.2). */
#define ACPI_SPACE_IO 1

struct acpi {
        bool found;              /* there is a valid MADT */
        uint32_t cpu[ACPI_CPUS]; /* local APIC numbers of enabled CPUs, in the MADT's order */
        unsigned cpus;
        unsigned left_out; /* enabled CPUs that cannot be used */
        struct acpi_io_apic io_apic[ACPI_IO_APICS];
        unsigned io_apics;
        struct acpi_override override[ACPI_OVERRIDES];
        unsigned overrides;
        uint16_t pm_timer; /* I/O port, 0: none */
        bool pm_timer_32;  /* the timer has 32 bits, else 24 */
        uint16_t sci;
        uint8_t reset_space; /* address space of the reset register (ACPI 5.2.3.2) */
        uint8_t reset_value;
        uint64_t reset_address; /* 0: none */
        bool has_8042;
        uint16_t pm1_control[2]; /* I/O ports of PM1a and PM1b, 0: none */
        uint16_t smi_port;       /* I/O port for smi_enable; 0: ACPI is always enabled */
        uint8_t smi_enable;      /* value that enables ACPI */
        bool has_s5;             /* s5_type is valid */
        uint8_t s5_type[2];      /* power-off values for PM1a and PM1b */
        struct acpi_iommu iommu[ACPI_IOMMUS]; /* all of one kind */
        unsigned iommus;
        bool iommus_amd;  /* AMD-Vi, else VT-d */
        bool iommus_lost; /* iommu may lack units: ACPI names too many, or a table is damaged */
        bool remaps;      /* the units may remap interrupts */
        bool no_x2apic;   /* firmware asks to keep the local APICs out of x2APIC mode */
        struct acpi_source source[ACPI_SOURCES];
        unsigned sources;
        struct acpi_pci_window window[ACPI_WINDOWS];
        unsigned windows;
        struct acpi_hpet hpet[ACPI_HPETS];
        unsigned hpets;
};

extern struct acpi acpi;

/** Size in bytes of an RSDP of ACPI 2.0 and later. */
#define ACPI_RSDP_SIZE 36

/** The boot loader's copy of the RSDP, not checked, and its length in bytes; 0: no copy. */
extern uint8_t acpi_loader_rsdp[ACPI_RSDP_SIZE];
extern unsigned acpi_loader_rsdp_size;

/** Finds the tables and fills in acpi. Ignores invalid tables, and reads no byte outside the
 * tables. */
void acpi_init(void);

#endif
