/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the RSDP of the boot loader, of the EBDA or of the BIOS, maps the RSDT or XSDT, the tables
 * that it names and the DSDT, and reads them. All of them have arbitrary content; in a run, all
 * tables have one of the lengths in main(). The readers of tables about I/O MMUs are stubs. */
#include "firmware/acpi.c"

#include "../driver.h"

#define EBDA_BYTES 1024

/* The tables of a run: their length, and their places in the two slots. */
static uint32_t table_length;
static char *table_of[2];
static bool has_old_rsdp;

/* Maps memory with arbitrary content. Only the length in a table's header is not arbitrary. */
void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        static char root_head[HEADER_SIZE], head[HEADER_SIZE], segment[2], ebda[EBDA_BYTES];
        static char bios[BIOS_END - BIOS_START];
        char *const place = size == HEADER_SIZE       ? (slot ? head : root_head)
                            : size == table_length    ? table_of[slot]
                            : size == sizeof(segment) ? segment
                            : !has_old_rsdp           ? NULL
                            : size == sizeof(ebda)    ? ebda
                            : size == sizeof(bios)    ? bios
                                                      : NULL;

        if (!phys || !place || any_bool())
                return NULL;
        Frama_C_make_unknown(place, size);
        if (size == HEADER_SIZE)
                ((uint32_t *)place)[1] = table_length;
        return place;
}

void acpi_read_dmar(struct acpi_table dmar)
{
        /*@ assert dmar: \valid_read(dmar.data + (0 .. dmar.length - 1)); */
        (void)dmar;
}

void acpi_read_ivrs(struct acpi_table ivrs)
{
        /*@ assert ivrs: \valid_read(ivrs.data + (0 .. ivrs.length - 1)); */
        (void)ivrs;
}

/* Searches memory for the RSDP. */
static void find(void)
{
        struct acpi_table rsdp;

        has_old_rsdp = true;
        acpi_loader_rsdp_size = 0;
        if (acpi_rsdp_find(&rsdp)) {
                /*@ assert inside: \valid_read(rsdp.data + (0 .. rsdp.length - 1)); */
        }
}

/* Reads tables of a given length. The boot loader's RSDP has the size rsdp; 0: there is none. */
static void read(uint32_t length, unsigned rsdp)
{
        table_length = length;
        has_old_rsdp = false;
        Frama_C_make_unknown((char *)acpi_loader_rsdp, sizeof(acpi_loader_rsdp));
        acpi_loader_rsdp_size = rsdp;
        acpi_init();
}

/* Reads tables in buffers of exactly their length. */
#define READ(bytes)                                    \
        do {                                           \
                static char root[bytes], table[bytes]; \
                                                       \
                table_of[0] = root;                    \
                table_of[1] = table;                   \
                read(bytes, RSDP_V1_SIZE);             \
                read(bytes, RSDP_V2_SIZE);             \
        } while (0)

int main(void)
{
        READ(3);
        READ(HEADER_SIZE);
        READ(HEADER_SIZE + 1);
        READ(HEADER_SIZE + 4);
        READ(HEADER_SIZE + 8);
        READ(HEADER_SIZE + 20);
        table_of[0] = table_of[1] = NULL;
        read(TABLE_MAX + 1, ACPI_RSDP_SIZE);
        read(UINT32_MAX, 0);
        find();
        return 0;
}
