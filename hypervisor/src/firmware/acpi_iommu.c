/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables of I/O MMUs: DMAR (VT-d specification, 8) and IVRS (AMD I/O Virtualization
 * Technology, 5.2). The kernel ignores the assignment of PCI functions to units: all units get the
 * same tables. No device gets the memory that firmware reserves for devices (RMRR, IVMD). */
#include "firmware/acpi.h"
#include "firmware/acpi_table.h"
#include "lib/console.h"

#define TABLE_ENTRIES 48 /* offset in both tables */

#define DMAR_FLAGS       37
#define DMAR_REMAPS      0x1
#define DMAR_NO_X2APIC   0x2
#define DMAR_UNIT        0
#define UNIT_SCOPES      16
#define SCOPE_PATH       6
#define SCOPE_IO_APIC    3
#define SCOPE_HPET       4
#define IVRS_UNIT        0x10
#define IVRS_UNIT_11     0x11
#define IVRS_UNIT_40     0x40
#define IVHD_ENTRIES     24 /* offset of the entries in a block of type 10h */
#define IVHD_ENTRIES_11  40
#define IVHD_SPECIAL     0x48
#define IVHD_ACPI        0xf0 /* the only entry of variable length */
#define IVHD_ACPI_LENGTH 21
#define SPECIAL_IO_APIC  1
#define SPECIAL_HPET     2

static struct acpi_table acpi_iommu_part(struct acpi_table table, uint32_t at, uint32_t length)
{
        return (struct acpi_table){table.data + at, length};
}

/* Returns true if an entry is whole and has at least min bytes. Otherwise reports that the table is
 * damaged; the caller then ignores the rest of the block that contains the entry. */
static bool acpi_iommu_is_whole(struct acpi_table table, uint32_t at, uint32_t length, unsigned min,
                                const char *name)
{
        if (length >= min && length <= table.length - at)
                return true;
        console_print("NOVA: the ACPI table of I/O MMUs (%s) is damaged; a part of it is "
                      "ignored.\n",
                      name);
        return false;
}

/* Adds a unit. Several blocks may list the same unit. */
static void acpi_iommu_add_unit(paddr_t phys, uint64_t segment, uint64_t rid, uint64_t flags)
{
        for (unsigned i = 0; i < acpi.iommus; i++)
                if (acpi.iommu[i].phys == phys)
                        return;
        if (acpi.iommus == ACPI_IOMMUS) {
                acpi.iommus_lost = true;
                return;
        }
        acpi.iommu[acpi.iommus++] = (struct acpi_iommu){.phys = phys,
                                                        .segment = (uint16_t)segment,
                                                        .rid = (uint16_t)rid,
                                                        .flags = (uint8_t)flags};
}

static void acpi_iommu_add_source(struct acpi_source source)
{
        for (unsigned i = 0; i < acpi.sources; i++)
                if (acpi.source[i].is_hpet == source.is_hpet && acpi.source[i].id == source.id)
                        return;
        if (acpi.sources < ACPI_SOURCES)
                acpi.source[acpi.sources++] = source;
}

static void acpi_iommu_read_scope(struct acpi_table scope)
{
        const uint64_t type = acpi_field(scope, 0, 1);
        const uint32_t depth = (scope.length - SCOPE_PATH) / 2;
        struct acpi_source source = {.is_hpet = type == SCOPE_HPET,
                                     .id = (uint8_t)acpi_field(scope, 4, 1),
                                     .bus = (uint8_t)acpi_field(scope, 5, 1),
                                     .depth = (uint8_t)depth};

        if ((type != SCOPE_IO_APIC && type != SCOPE_HPET) || !depth || depth > ACPI_DEPTH)
                return;
        for (uint32_t i = 0; i < depth; i++) {
                const uint64_t device = acpi_field(scope, SCOPE_PATH + 2 * i, 1);
                const uint64_t function = acpi_field(scope, SCOPE_PATH + 2 * i + 1, 1);
                source.function[i] = (uint8_t)(device << 3 | (function & 7));
        }
        acpi_iommu_add_source(source);
}

static void acpi_iommu_read_drhd(struct acpi_table unit)
{
        acpi_iommu_add_unit(acpi_field(unit, 8, 8), acpi_field(unit, 6, 2), 0, 0);
        const uint32_t last = unit.length - 2;
        uint32_t at = UNIT_SCOPES;
        /*@ dynamic_split at; */
        while (at <= last) {
                const uint32_t length = (uint32_t)acpi_field(unit, at + 1, 1);

                if (!acpi_iommu_is_whole(unit, at, length, SCOPE_PATH, "DMAR"))
                        return;
                acpi_iommu_read_scope(acpi_iommu_part(unit, at, length));
                at += length;
        }
}

void acpi_read_dmar(struct acpi_table dmar)
{
        if (dmar.length < TABLE_ENTRIES || acpi.iommus)
                return;
        acpi.iommus_amd = false;
        const uint64_t flags = acpi_field(dmar, DMAR_FLAGS, 1);
        acpi.remaps = flags & DMAR_REMAPS;
        acpi.no_x2apic = !(~flags & (DMAR_REMAPS | DMAR_NO_X2APIC));
        const uint32_t last = dmar.length - 4;
        uint32_t at = TABLE_ENTRIES;
        /*@ dynamic_split at; */
        while (at <= last) {
                const uint32_t length = (uint32_t)acpi_field(dmar, at + 2, 2);

                if (!acpi_iommu_is_whole(dmar, at, length, 4, "DMAR")) {
                        acpi.iommus_lost = true;
                        return;
                }
                const bool is_unit = acpi_field(dmar, at, 2) == DMAR_UNIT;
                if (is_unit && length >= UNIT_SCOPES)
                        acpi_iommu_read_drhd(acpi_iommu_part(dmar, at, length));
                acpi.iommus_lost |= is_unit && length < UNIT_SCOPES;
                at += length;
        }
}

/* Returns the length of an entry for devices; 0: unknown type. */
static uint32_t acpi_iommu_entry_length(struct acpi_table unit, uint32_t at)
{
        const uint32_t type = (uint32_t)acpi_field(unit, at, 1);

        if (type == IVHD_ACPI)
                return IVHD_ACPI_LENGTH + 1 + (uint32_t)acpi_field(unit, at + IVHD_ACPI_LENGTH, 1);
        return type < 0xc0 ? 4u << (type >> 6) : 0;
}

static void acpi_iommu_read_ivhd(struct acpi_table unit, uint32_t entries)
{
        acpi_iommu_add_unit(acpi_field(unit, 8, 8), acpi_field(unit, 16, 2), acpi_field(unit, 4, 2),
                            acpi_field(unit, 1, 1));
        for (uint32_t at = entries; at < unit.length;) {
                const uint32_t length = acpi_iommu_entry_length(unit, at);
                const uint64_t rid = acpi_field(unit, at + 5, 2),
                               kind = acpi_field(unit, at + 7, 1);

                if (!acpi_iommu_is_whole(unit, at, length, 4, "IVRS"))
                        return;
                if (acpi_field(unit, at, 1) == IVHD_SPECIAL &&
                    (kind == SPECIAL_IO_APIC || kind == SPECIAL_HPET))
                        acpi_iommu_add_source(
                                (struct acpi_source){.is_hpet = kind == SPECIAL_HPET,
                                                     .id = (uint8_t)acpi_field(unit, at + 4, 1),
                                                     .bus = (uint8_t)(rid >> 8),
                                                     .depth = 1,
                                                     .function = {(uint8_t)rid}});
                at += length;
        }
}

void acpi_read_ivrs(struct acpi_table ivrs)
{
        if (ivrs.length < TABLE_ENTRIES || acpi.iommus)
                return;
        acpi.iommus_amd = true;
        acpi.remaps = true;
        const uint32_t last = ivrs.length - 4;
        uint32_t at = TABLE_ENTRIES;
        /*@ dynamic_split at; */
        while (at <= last) {
                const uint64_t type = acpi_field(ivrs, at, 1);
                const uint32_t length = (uint32_t)acpi_field(ivrs, at + 2, 2);

                if (!acpi_iommu_is_whole(ivrs, at, length, 4, "IVRS")) {
                        acpi.iommus_lost = true;
                        return;
                }
                const bool is_unit =
                        type == IVRS_UNIT || type == IVRS_UNIT_11 || type == IVRS_UNIT_40;
                const uint32_t entries = type == IVRS_UNIT ? IVHD_ENTRIES : IVHD_ENTRIES_11;
                if (is_unit && length >= entries)
                        acpi_iommu_read_ivhd(acpi_iommu_part(ivrs, at, length), entries);
                acpi.iommus_lost |= is_unit && length < entries;
                at += length;
        }
}
