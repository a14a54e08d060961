/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables that were checked as a whole, for the functions that read them. */
#ifndef FIRMWARE_ACPI_TABLE_H
#define FIRMWARE_ACPI_TABLE_H

#include "lib/types.h"

/* A mapped and valid table, or a part of one. */
struct acpi_table {
        const uint8_t *data;
        uint32_t length;
};

/** Returns a little-endian field; 0 if the field does not lie inside the table. */
uint64_t acpi_field(struct acpi_table table, uint32_t at, unsigned bytes);

/** Copies the I/O MMUs that a table names into acpi: DMAR for VT-d, IVRS for AMD-Vi. */
void acpi_read_dmar(struct acpi_table dmar);
void acpi_read_ivrs(struct acpi_table ivrs);

#endif
