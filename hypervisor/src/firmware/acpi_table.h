/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables that were checked as a whole, as those who read them see them. */
#ifndef FIRMWARE_ACPI_TABLE_H
#define FIRMWARE_ACPI_TABLE_H

#include "lib/types.h"

/* A table, or a part of one, that is mapped and sound. */
struct acpi_table {
        const uint8_t *data;
        uint32_t length;
};

/** A little-endian field; 0 past the table's end, which reads as "not there". */
uint64_t acpi_field(struct acpi_table table, uint32_t at, unsigned bytes);

/** Takes the I/O MMUs of VT-d and AMD-Vi into acpi. */
void acpi_read_dmar(struct acpi_table dmar);
void acpi_read_ivrs(struct acpi_table ivrs);

#endif
