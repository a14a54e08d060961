/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI of a guest's PC: tables in its memory, and the power-management ports that they name. */
#ifndef NOVAVMM_ACPI_H
#define NOVAVMM_ACPI_H

#include "novavmm/line.h"
#include "novavmm/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/** First port, and how many there are. */
#define NOVA_ACPI_PORT  0x600
#define NOVA_ACPI_PORTS 12

/** The interrupt that ACPI calls its own; nothing raises it. */
#define NOVA_ACPI_IRQ 9

/** The power-management ports. */
struct nova_acpi {
        uint16_t status, enabled, control;
        struct nova_clock clock;
        struct nova_line off;
};

/** What the tables tell. */
struct nova_acpi_config {
        unsigned vcpus;
        bool local_apics; /**< virtual CPUs have local APICs, and there is an I/O APIC */
};

/** @param off goes high when the guest switches its machine off */
void nova_acpi_init(struct nova_acpi *acpi, const struct nova_clock *clock,
                    const struct nova_line *off);

/** Ports from NOVA_ACPI_PORT on. */
uint64_t nova_acpi_read(void *context, uint64_t port, unsigned bytes);
/** @see nova_acpi_read */
void nova_acpi_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

/**
 * Put RSDP, XSDT, FADT, MADT, FACS and DSDT into a guest's memory, between 0xe0000 and 1 MiB.
 *
 * @return address of the RSDP; 0 if the guest has no memory there
 */
uint64_t nova_acpi_tables(const struct nova_guest_memory *memory,
                          const struct nova_acpi_config *config);

#ifdef __cplusplus
}
#endif

#endif
