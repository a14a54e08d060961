/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ACPI tables of any contents and of these lengths. That a table is mapped as a whole, and
 * only if its length is valid, is proved for all lengths. */
#include "firmware/acpi.c"

#include "../driver.h"
#include "../map.h"

static const uint32_t *map_length; /* of the header that was mapped last */

void console_print(const char *format, ...)
{
        (void)format;
}

static struct acpi any_acpi(void)
{
        struct acpi any;

        Frama_C_make_unknown((char *)&any, sizeof(any));
        any.cpus = (unsigned)Frama_C_interval(0, ACPI_CPUS);
        any.io_apics = (unsigned)Frama_C_interval(0, ACPI_IO_APICS);
        any.overrides = (unsigned)Frama_C_interval(0, ACPI_OVERRIDES);
        any.windows = (unsigned)Frama_C_interval(0, ACPI_WINDOWS);
        any.hpets = (unsigned)Frama_C_interval(0, ACPI_HPETS);
        any.iommus = (unsigned)Frama_C_interval(0, ACPI_IOMMUS);
        any.sources = (unsigned)Frama_C_interval(0, ACPI_SOURCES);
        return any;
}

