/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables (ACPI 6.0, 5.2). Firmware is not trusted: the kernel checks each table as a whole
 * before it uses the table, and follows entries only inside the table. */
#include "firmware/acpi.h"

#include "arch/x86/boot_paging.h"
#include "firmware/acpi_table.h"
#include "lib/console.h"
#include "lib/string.h"

#define BDA_EBDA_SEGMENT 0x40e
#define BIOS_START       0xe0000
#define BIOS_END         0x100000
#define TABLE_MAX        0x100000 /* larger tables are rejected */

#define RSDP_V1_SIZE 20
#define RSDP_V2_SIZE 36
#define HEADER_SIZE  36

/* Offsets in the FADT. */
#define FADT_SCI       46
#define FADT_DSDT      40
#define FADT_SMI       48
#define FADT_ENABLE    52
#define FADT_PM1A      64
#define FADT_PM1B      68
#define FADT_X_DSDT    140
#define FADT_PM_TMR    76
#define FADT_PM_LEN    91
#define FADT_BOOT_ARCH 109
#define FADT_FLAGS     112
#define FADT_RESET     116
#define FADT_RESET_VAL 128
#define FADT_X_PM_TMR  208
#define FLAG_RESET     0x400
#define FLAG_TMR_32    0x100
#define ARCH_8042      0x2

/* Codes of AML, the language of the DSDT. */
#define AML_ONE     0x01
#define AML_BYTE    0x0a
#define AML_PACKAGE 0x12

/* Offsets and entries in the MADT. */
#define MADT_ENTRIES   44
#define ENTRY_LAPIC    0
#define ENTRY_IO_APIC  1
#define ENTRY_OVERRIDE 2
#define ENTRY_X2APIC   9
#define CPU_ENABLED    0x1
#define APIC_BROADCAST 0xffffffff

/* Offsets in the MCFG (PCI Firmware 3.0, 4.1.2) and in the HPET's table (HPET 1.0a, 3.2.4). */
#define MCFG_ENTRIES    44
#define MCFG_ENTRY_SIZE 16
#define HPET_ADDRESS    40
#define HPET_NUMBER     52
#define HPET_SIZE       56
#define SPACE_MEMORY    0

struct acpi acpi;

uint8_t acpi_loader_rsdp[ACPI_RSDP_SIZE];
unsigned acpi_loader_rsdp_size;

static paddr_t dsdt; /* address from the FADT */

static bool acpi_sum_is_zero(const uint8_t *data, size_t length)
{
        uint8_t sum = 0;

        for (size_t i = 0; i < length; i++)
                sum = (uint8_t)(sum + data[i]);
        return !sum;
}

/* Maps a whole table. Returns false if the table is not valid or cannot be mapped. */
static bool acpi_table_open(unsigned slot, paddr_t phys, struct acpi_table *table)
{
        table->data = phys ? boot_map(slot, phys, HEADER_SIZE) : NULL;
        table->length = HEADER_SIZE;
        if (!table->data)
                return false;

        const uint32_t length = (uint32_t)acpi_field(*table, 4, 4);
        if (length < HEADER_SIZE || length > TABLE_MAX)
                return false;
        table->data = boot_map(slot, phys, length);
        table->length = length;
        return table->data && acpi_sum_is_zero(table->data, length);
}

/* Returns the offset of a valid RSDP in memory, or -1. */
static int acpi_rsdp_search(const uint8_t *data, unsigned size)
{
        for (unsigned at = 0; at + RSDP_V1_SIZE <= size; at += 16)
                if (data[at] == 'R' && !memcmp(data + at, "RSD PTR ", 8) &&
                    acpi_sum_is_zero(data + at, RSDP_V1_SIZE))
                        return (int)at;
        return -1;
}

static bool acpi_rsdp_find_in(paddr_t phys, unsigned size, struct acpi_table *rsdp)
{
        const uint8_t *data = boot_map(0, phys, size);
        const int at = data ? acpi_rsdp_search(data, size) : -1;

        /*@ split at; */
        if (at < 0)
                return false;
        rsdp->data = data + at;
        rsdp->length = size - (unsigned)at < RSDP_V2_SIZE ? RSDP_V1_SIZE : RSDP_V2_SIZE;
        return true;
}

/* Takes the boot loader's copy of the RSDP, the only copy available under UEFI. */
static bool acpi_rsdp_from_loader(struct acpi_table *rsdp)
{
        if (acpi_loader_rsdp_size < RSDP_V1_SIZE ||
            acpi_rsdp_search(acpi_loader_rsdp, RSDP_V1_SIZE))
                return false;
        *rsdp = (struct acpi_table){acpi_loader_rsdp, acpi_loader_rsdp_size};
        return true;
}

static bool acpi_rsdp_find(struct acpi_table *rsdp)
{
        if (acpi_rsdp_from_loader(rsdp))
                return true;

        const uint8_t *segment = boot_map(0, BDA_EBDA_SEGMENT, 2);
        const paddr_t ebda = segment ? (paddr_t)(segment[0] | segment[1] << 8) << 4 : 0;

        return (ebda && acpi_rsdp_find_in(ebda, 1024, rsdp)) ||
               acpi_rsdp_find_in(BIOS_START, BIOS_END - BIOS_START, rsdp);
}

/* Widens a local APIC number of 8 bits to 32 bits. In both sizes, the broadcast number has all bits
 * set. */
static uint32_t acpi_widen(uint32_t apic_id)
{
        return apic_id == 0xff ? APIC_BROADCAST : apic_id;
}

static void acpi_add_cpu(uint32_t apic_id, uint32_t flags)
{
        if (!(flags & CPU_ENABLED))
                return;
        for (unsigned i = 0; i < acpi.cpus; i++)
                if (acpi.cpu[i] == apic_id)
                        return;
        if (acpi.cpus == ACPI_CPUS || apic_id == APIC_BROADCAST)
                acpi.left_out++;
        else
                acpi.cpu[acpi.cpus++] = apic_id;
}

static void acpi_read_madt_entry(struct acpi_table entry)
{
        switch (acpi_field(entry, 0, 1)) {
        case ENTRY_LAPIC:
                acpi_add_cpu(acpi_widen((uint32_t)acpi_field(entry, 3, 1)),
                             (uint32_t)acpi_field(entry, 4, 4));
                break;
        case ENTRY_X2APIC:
                acpi_add_cpu((uint32_t)acpi_field(entry, 4, 4), (uint32_t)acpi_field(entry, 8, 4));
                break;
        case ENTRY_IO_APIC:
                if (entry.length >= 12 && acpi.io_apics < ACPI_IO_APICS)
                        acpi.io_apic[acpi.io_apics++] = (struct acpi_io_apic){
                                .id = (uint8_t)acpi_field(entry, 2, 1),
                                .phys = acpi_field(entry, 4, 4),
                                .gsi = (uint32_t)acpi_field(entry, 8, 4),
                        };
                break;
        case ENTRY_OVERRIDE:
                if (entry.length >= 10 && acpi.overrides < ACPI_OVERRIDES)
                        acpi.override[acpi.overrides++] = (struct acpi_override){
                                .source = (uint8_t)acpi_field(entry, 3, 1),
                                .gsi = (uint32_t)acpi_field(entry, 4, 4),
                                .flags = (uint16_t)acpi_field(entry, 8, 2),
                        };
                break;
        }
}

static void acpi_read_madt(struct acpi_table madt)
{
        if (madt.length < MADT_ENTRIES || acpi.found)
                return;
        acpi.found = true;
        const uint32_t last = madt.length - 2;
        uint32_t at = MADT_ENTRIES;
        /*@ dynamic_split at; */
        while (at <= last) {
                const struct acpi_table entry = {madt.data + at, madt.data[at + 1]};

                if (entry.length < 2 || entry.length > madt.length - at) {
                        console_print("NOVA: the ACPI table of CPUs (MADT) is damaged at byte %u; "
                                      "the rest of it is ignored.\n",
                                      at);
                        return;
                }
                acpi_read_madt_entry(entry);
                at += entry.length;
        }
}

static uint16_t acpi_io_port(uint64_t port)
{
        return port <= 0xfffe ? (uint16_t)port : 0;
}

/* Reads an AML integer that fits into a byte (ACPI 6.0, 20.2.3). Returns false for other
 * objects. */
static bool acpi_aml_byte(struct acpi_table table, uint32_t *at, uint8_t *value)
{
        const unsigned op = (unsigned)acpi_field(table, *at, 1);

        if (*at >= table.length || op > AML_BYTE || (op > AML_ONE && op < AML_BYTE))
                return false;
        *value = (uint8_t)(op == AML_BYTE ? acpi_field(table, *at + 1, 1) : op);
        *at += op == AML_BYTE ? 2 : 1;
        return true;
}

/* Finds the package named _S5_ by its bytes; the AML code around it is not executed. */
static void acpi_read_s5(struct acpi_table table)
{
        static const uint8_t name[] = {'_', 'S', '5', '_', AML_PACKAGE};

        const uint32_t last = table.length - (uint32_t)sizeof(name) - 3;

        for (uint32_t at = HEADER_SIZE; at <= last; at++) {
                if (table.data[at] != '_' || memcmp(table.data + at, name, sizeof(name)) != 0)
                        continue;
                uint32_t element = at + (uint32_t)sizeof(name);
                element += 2 + (table.data[element] >> 6); /* skips length and element count */
                if (acpi_aml_byte(table, &element, &acpi.s5_type[0]) &&
                    acpi_aml_byte(table, &element, &acpi.s5_type[1])) {
                        acpi.has_s5 = true;
                        return;
                }
        }
}

static void acpi_read_fadt(struct acpi_table fadt)
{
        const uint32_t flags = (uint32_t)acpi_field(fadt, FADT_FLAGS, 4);
        uint64_t port = acpi_field(fadt, FADT_PM_TMR, 4);

        if (acpi_field(fadt, FADT_X_PM_TMR, 1) == ACPI_SPACE_IO &&
            acpi_field(fadt, FADT_X_PM_TMR + 4, 8))
                port = acpi_field(fadt, FADT_X_PM_TMR + 4, 8);
        if (acpi_field(fadt, FADT_PM_LEN, 1) == 4 && port <= 0xfffc)
                acpi.pm_timer = (uint16_t)port;
        acpi.pm_timer_32 = flags & FLAG_TMR_32;
        acpi.sci = (uint16_t)acpi_field(fadt, FADT_SCI, 2);
        acpi.pm1_control[0] = acpi_io_port(acpi_field(fadt, FADT_PM1A, 4));
        acpi.pm1_control[1] = acpi_io_port(acpi_field(fadt, FADT_PM1B, 4));
        acpi.smi_port = acpi_io_port(acpi_field(fadt, FADT_SMI, 4));
        acpi.smi_enable = (uint8_t)acpi_field(fadt, FADT_ENABLE, 1);
        dsdt = acpi_field(fadt, FADT_X_DSDT, 8);
        if (!dsdt)
                dsdt = acpi_field(fadt, FADT_DSDT, 4);
        acpi.has_8042 = acpi_field(fadt, FADT_BOOT_ARCH, 2) & ARCH_8042;
        if (flags & FLAG_RESET) {
                acpi.reset_space = (uint8_t)acpi_field(fadt, FADT_RESET, 1);
                acpi.reset_address = acpi_field(fadt, FADT_RESET + 4, 8);
                acpi.reset_value = (uint8_t)acpi_field(fadt, FADT_RESET_VAL, 1);
        }
}

static void acpi_read_mcfg(struct acpi_table mcfg)
{
        for (uint32_t at = MCFG_ENTRIES;
             at + MCFG_ENTRY_SIZE <= mcfg.length && acpi.windows < ACPI_WINDOWS;
             at += MCFG_ENTRY_SIZE) {
                const struct acpi_pci_window window = {
                        .phys = acpi_field(mcfg, at, 8),
                        .first = (uint8_t)acpi_field(mcfg, at + 10, 1),
                        .last = (uint8_t)acpi_field(mcfg, at + 11, 1)};

                if (window.phys && !acpi_field(mcfg, at + 8, 2) && window.first <= window.last)
                        acpi.window[acpi.windows++] = window;
        }
}

static void acpi_read_hpet(struct acpi_table hpet)
{
        const paddr_t phys = acpi_field(hpet, HPET_ADDRESS + 4, 8);

        if (hpet.length >= HPET_SIZE && acpi_field(hpet, HPET_ADDRESS, 1) == SPACE_MEMORY && phys &&
            acpi.hpets < ACPI_HPETS)
                acpi.hpet[acpi.hpets++] = (struct acpi_hpet){
                        .phys = phys, .number = (uint8_t)acpi_field(hpet, HPET_NUMBER, 1)};
}

static void acpi_read_table(paddr_t phys)
{
        struct acpi_table table;

        if (!acpi_table_open(1, phys, &table))
                return;
        if (!memcmp(table.data, "APIC", 4))
                acpi_read_madt(table);
        else if (!memcmp(table.data, "FACP", 4))
                acpi_read_fadt(table);
        else if (!memcmp(table.data, "DMAR", 4))
                acpi_read_dmar(table);
        else if (!memcmp(table.data, "IVRS", 4))
                acpi_read_ivrs(table);
        else if (!memcmp(table.data, "MCFG", 4))
                acpi_read_mcfg(table);
        else if (!memcmp(table.data, "HPET", 4))
                acpi_read_hpet(table);
}

/* Follows the entries of an RSDT (4 bytes each) or XSDT (8). */
static bool acpi_read_root(paddr_t phys, const char *signature, unsigned bytes)
{
        struct acpi_table table;

        if (!acpi_table_open(0, phys, &table) || memcmp(table.data, signature, 4) != 0)
                return false;
        for (uint32_t at = HEADER_SIZE; table.length - at >= bytes; at += bytes)
                acpi_read_table(acpi_field(table, at, bytes));
        return true;
}

void acpi_init(void)
{
        struct acpi_table rsdp;
        paddr_t rsdt, xsdt = 0;

        memset(&acpi, 0, sizeof(acpi));
        dsdt = 0;
        if (!acpi_rsdp_find(&rsdp)) {
                console_print("NOVA: no ACPI tables were found; only the boot CPU is used, and no "
                              "I/O APIC.\n");
                return;
        }
        rsdt = acpi_field(rsdp, 16, 4);
        if (acpi_field(rsdp, 15, 1) >= 2 && rsdp.length == RSDP_V2_SIZE &&
            acpi_sum_is_zero(rsdp.data, RSDP_V2_SIZE))
                xsdt = acpi_field(rsdp, 24, 8);
        if (!acpi_read_root(xsdt, "XSDT", 8))
                acpi_read_root(rsdt, "RSDT", 4);
        struct acpi_table table;
        if (acpi_table_open(1, dsdt, &table) && !memcmp(table.data, "DSDT", 4))
                acpi_read_s5(table);
        if (!acpi.found)
                console_print("NOVA: ACPI has no sound table of CPUs (MADT); only the boot CPU is "
                              "used, and no I/O APIC.\n");
}
