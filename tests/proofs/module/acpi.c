/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ACPI tables and their entries with arbitrary content, for the lengths in main(). Other
 * modules contain the functions that open a table, and those that find the entries of a MADT, a
 * DMAR, an IVRS and a unit in a DMAR. */
#include "firmware/acpi.c"
#include "firmware/acpi_iommu.c"

#include "../driver.h"

/* Fills acpi as earlier tables may have filled it. */
static void acpi_begin(void)
{
        Frama_C_make_unknown((char *)&acpi, sizeof(acpi));
        acpi.found = any_bool();
        acpi.iommus_lost = any_bool();
        acpi.cpus = (unsigned)Frama_C_interval(0, ACPI_CPUS);
        acpi.io_apics = (unsigned)Frama_C_interval(0, ACPI_IO_APICS);
        acpi.overrides = (unsigned)Frama_C_interval(0, ACPI_OVERRIDES);
        acpi.windows = (unsigned)Frama_C_interval(0, ACPI_WINDOWS);
        acpi.hpets = (unsigned)Frama_C_interval(0, ACPI_HPETS);
        acpi.iommus = (unsigned)Frama_C_interval(0, ACPI_IOMMUS);
        acpi.sources = (unsigned)Frama_C_interval(0, ACPI_SOURCES);
        for (unsigned i = 0; i < ACPI_SOURCES; i++)
                acpi.source[i].is_hpet = any_bool();
}

void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        (void)slot;
        (void)phys;
        (void)size;
        return NULL;
}

static void read_table(char *data, uint32_t length)
{
        const struct acpi_table table = {(const uint8_t *)data, length};

        acpi_begin();
        acpi_read_fadt(table);
        acpi_read_s5(table);
        acpi_read_mcfg(table);
        acpi_read_hpet(table);
}

static void read_entry(char *data, uint32_t length)
{
        acpi_begin();
        acpi_read_madt_entry((struct acpi_table){(const uint8_t *)data, length});
}

static void read_scope(char *data, uint32_t length)
{
        acpi_begin();
        acpi_iommu_read_scope((struct acpi_table){(const uint8_t *)data, length});
}

static void read_ivhd(char *data, uint32_t length)
{
        const struct acpi_table unit = {(const uint8_t *)data, length};

        acpi_begin();
        acpi_iommu_read_ivhd(unit, IVHD_ENTRIES);
        if (length >= IVHD_ENTRIES_11)
                acpi_iommu_read_ivhd(unit, IVHD_ENTRIES_11);
}

static void search(char *data, uint32_t length)
{
        const int at = acpi_rsdp_search((const uint8_t *)data, length);

        /*@ assert inside: at <= (int)length - RSDP_V1_SIZE || at == -1; */
        (void)at;
}

int main(void)
{
        TRY(read_table, HEADER_SIZE);
        TRY(read_table, 43);
        TRY(read_table, 44);
        TRY(read_table, HPET_SIZE);
        TRY(read_table, 130);
        TRY(read_table, 276);
        TRY(read_entry, 2);
        TRY(read_entry, 4);
        TRY(read_entry, 9);
        TRY(read_entry, 10);
        TRY(read_entry, 12);
        TRY(read_entry, UINT8_MAX);
        TRY(read_scope, SCOPE_PATH);
        TRY(read_scope, SCOPE_PATH + 1);
        TRY(read_scope, SCOPE_PATH + 2 * ACPI_DEPTH);
        TRY(read_scope, SCOPE_PATH + 2 * ACPI_DEPTH + 2);
        TRY(read_scope, UINT8_MAX);
        TRY(read_ivhd, IVHD_ENTRIES);
        TRY(read_ivhd, IVHD_ENTRIES + 1);
        TRY(read_ivhd, IVHD_ENTRIES_11);
        TRY(read_ivhd, IVHD_ENTRIES_11 + IVHD_ACPI_LENGTH);
        TRY(read_ivhd, UINT16_MAX);
        TRY(search, RSDP_V1_SIZE);
        TRY(search, 1024);
        TRY(search, BIOS_END - BIOS_START);
        return 0;
}
