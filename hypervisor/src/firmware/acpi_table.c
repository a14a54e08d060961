/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of ACPI tables (see acpi_table.h). */
#include "firmware/acpi_table.h"

uint64_t acpi_field(struct acpi_table table, uint32_t at, unsigned bytes)
{
        uint64_t value = 0;

        if (at > table.length || bytes > table.length - at)
                return 0;
        for (unsigned i = 0; i < bytes; i++)
                value |= (uint64_t)table.data[at + i] << (8 * i);
        return value;
}
