/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI of a guest's PC: tables in its memory, and the power-management ports that the tables
 * name. */
#ifndef NOVAVMM_ACPI_H
#define NOVAVMM_ACPI_H

#include "novavmm/line.h"
#include "novavmm/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/** First port, and the number of ports. */
#define NOVA_ACPI_PORT  0x600
#define NOVA_ACPI_PORTS 12

/** Number of ACPI's interrupt, which is never raised. */
#define NOVA_ACPI_IRQ 9

/** The power-management ports. */
struct nova_acpi {
        uint16_t status;         /**< PM1 status: events that have occurred */
        uint16_t enabled;        /**< PM1 enable: events that may raise NOVA_ACPI_IRQ; none does */
        uint16_t control;        /**< PM1 control */
        struct nova_clock clock; /**< clock of its timer */
        struct nova_line off;    /**< high when the guest powers its machine off */
};

/** Machine that the tables describe. */
struct nova_acpi_config {
        unsigned vcpus;   /**< number of virtual CPUs */
        bool local_apics; /**< virtual CPUs have local APICs, and there is an I/O APIC */
};

/** Initialises the ports. @param off line that goes high when the guest powers its machine off */
void nova_acpi_init(struct nova_acpi *acpi, const struct nova_clock *clock,
                    const struct nova_line *off);

/** Reads @p bytes (1, 2, 4 or 8) at @p port, NOVA_ACPI_PORT or a port after it. The function suits
 * struct nova_bus_range; @p context is the struct nova_acpi. @return the device's value */
uint64_t nova_acpi_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_acpi_read(). */
void nova_acpi_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

/**
 * Writes RSDP, XSDT, RSDT, FADT, MADT, FACS and DSDT into a guest's memory, between 0xe0000 and 1
 * MiB.
 *
 * @code
 * extern struct nova_vm vm;
 * const struct nova_acpi_config config = {.vcpus = 2, .local_apics = true};
 * const uint64_t rsdp = nova_acpi_tables(&vm.memory, &config);
 *
 * if (!rsdp)
 *         puts("the guest's memory ends below 1 MiB");
 * @endcode
 * @return address of the RSDP; 0 if the guest has no memory there
 */
uint64_t nova_acpi_tables(const struct nova_guest_memory *memory,
                          const struct nova_acpi_config *config);

#ifdef __cplusplus
}
#endif

#endif
