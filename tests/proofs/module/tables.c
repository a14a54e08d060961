/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows the entries of a MADT, a DMAR with its units, and an IVRS with its units. Each table has
 * arbitrary content and one of the lengths in main(). */
#include "firmware/acpi.c"
#include "firmware/acpi_iommu.c"

#include "../driver.h"

#define UNIT_MAX (UNIT_SCOPES + SCOPE_PATH + 2 * ACPI_DEPTH + 2)

void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        (void)slot;
        (void)phys;
        (void)size;
        return NULL;
}

static void follow_madt(char *data, uint32_t length)
{
        memset(&acpi, 0, sizeof(acpi));
        acpi_read_madt((struct acpi_table){(const uint8_t *)data, length});
}

static void follow_dmar(char *data, uint32_t length)
{
        memset(&acpi, 0, sizeof(acpi));
        acpi_read_dmar((struct acpi_table){(const uint8_t *)data, length});
}

static void follow_unit(char *data, uint32_t length)
{
        memset(&acpi, 0, sizeof(acpi));
        acpi_iommu_read_drhd((struct acpi_table){(const uint8_t *)data, length});
}

static void follow_ivrs(char *data, uint32_t length)
{
        memset(&acpi, 0, sizeof(acpi));
        acpi_read_ivrs((struct acpi_table){(const uint8_t *)data, length});
}

int main(void)
{
        TRY(follow_madt, MADT_ENTRIES - 1);
        TRY(follow_madt, MADT_ENTRIES);
        TRY(follow_madt, MADT_ENTRIES + 1);
        TRY(follow_madt, MADT_ENTRIES + 2);
        TRY(follow_madt, MADT_ENTRIES + 20);
        TRY(follow_dmar, TABLE_ENTRIES - 1);
        TRY(follow_dmar, TABLE_ENTRIES);
        TRY(follow_dmar, TABLE_ENTRIES + 4);
        TRY(follow_dmar, TABLE_ENTRIES + UNIT_SCOPES);
        TRY(follow_unit, UNIT_SCOPES);
        TRY(follow_unit, UNIT_SCOPES + 1);
        TRY(follow_unit, UNIT_SCOPES + SCOPE_PATH);
        TRY(follow_unit, UNIT_MAX);
        TRY(follow_ivrs, TABLE_ENTRIES - 1);
        TRY(follow_ivrs, TABLE_ENTRIES);
        TRY(follow_ivrs, TABLE_ENTRIES + 4);
        TRY(follow_ivrs, TABLE_ENTRIES + IVHD_ENTRIES);
        return 0;
}
