/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI's tables for a guest's PC (see novavmm/acpi.h); ACPI Specification 6.4, chapter 5. */
#include <string.h>

#include "device/dsdt.h"
#include "novavmm/acpi.h"

/* Address and size of the area of the tables, and the fixed offset of each table in it. */
#define AREA       0xe0000u
#define AREA_BYTES 0x20000u
#define RSDP_AT    0x0000u
#define XSDT_AT    0x0040u
#define RSDT_AT    0x0080u
#define FADT_AT    0x0100u
#define FACS_AT    0x0240u
#define MADT_AT    0x0280u
#define DSDT_AT    0x0800u

#define HEADER_BYTES 36u
#define RSDP_BYTES   36u
#define FADT_BYTES   244u
#define FACS_BYTES   64u
#define MADT_BYTES   44u

#define LOCAL_APIC 0xfee00000u
#define IO_APIC    0xfec00000u

#define RESET_PORT  0xcf9
#define RESET_VALUE 6

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
        memcpy(at, &value, bytes);
}

static void put_text(uint8_t *at, const char *text)
{
        while (*text)
                *at++ = (uint8_t)*text++;
}

static uint8_t negative_sum(const uint8_t *from, size_t bytes)
{
        uint8_t sum = 0;

        while (bytes--)
                sum = (uint8_t)(sum - *from++);
        return sum;
}

/* Fills in a table's header. Must be the last step, because the header contains the checksum. */
static void finish(uint8_t *table, const char *signature, uint8_t revision, size_t bytes)
{
        put_text(table, signature);
        put(table + 4, bytes, 4);
        table[8] = revision;
        table[9] = 0;
        put_text(table + 10, "NOVA  NOVAVMM ");
        put(table + 24, 1, 4);
        put_text(table + 28, "NOVA");
        put(table + 32, 1, 4);
        table[9] = negative_sum(table, bytes);
}

static void make_rsdp(uint8_t *area)
{
        uint8_t *const rsdp = area + RSDP_AT;

        put_text(rsdp, "RSD PTR ");
        put_text(rsdp + 9, "NOVA  ");
        rsdp[15] = 2;
        put(rsdp + 16, AREA + RSDT_AT, 4);
        put(rsdp + 20, RSDP_BYTES, 4);
        put(rsdp + 24, AREA + XSDT_AT, 8);
        rsdp[8] = negative_sum(rsdp, 20);
        rsdp[32] = negative_sum(rsdp, RSDP_BYTES);
}

static void make_xsdt(uint8_t *area)
{
        uint8_t *const xsdt = area + XSDT_AT;

        put(xsdt + HEADER_BYTES, AREA + FADT_AT, 8);
        put(xsdt + HEADER_BYTES + 8, AREA + MADT_AT, 8);
        finish(xsdt, "XSDT", 1, HEADER_BYTES + 16);
}

/* Systems before ACPI 2.0 know only this table. It lists the same tables as the XSDT. */
static void make_rsdt(uint8_t *area)
{
        uint8_t *const rsdt = area + RSDT_AT;

        put(rsdt + HEADER_BYTES, AREA + FADT_AT, 4);
        put(rsdt + HEADER_BYTES + 4, AREA + MADT_AT, 4);
        finish(rsdt, "RSDT", 1, HEADER_BYTES + 8);
}

/* Writes a generic address: a port and its width. */
static void put_port(uint8_t *at, uint64_t port, uint8_t bits)
{
        at[0] = 1;
        at[1] = bits;
        at[3] = (uint8_t)(bits / 16 + 1);
        put(at + 4, port, 8);
}

static void make_fadt(uint8_t *area)
{
        uint8_t *const fadt = area + FADT_AT;

        put(fadt + 36, AREA + FACS_AT, 4);
        put(fadt + 40, AREA + DSDT_AT, 4);
        put(fadt + 46, NOVA_ACPI_IRQ, 2);
        put(fadt + 56, NOVA_ACPI_PORT, 4);     /* PM1a event block */
        put(fadt + 64, NOVA_ACPI_PORT + 4, 4); /* PM1a control block */
        put(fadt + 76, NOVA_ACPI_PORT + 8, 4); /* PM timer */
        fadt[88] = 4;
        fadt[89] = 2;
        fadt[91] = 4;
        put(fadt + 96, 0xffff, 2);  /* no C2 */
        put(fadt + 98, 0xffff, 2);  /* no C3 */
        fadt[108] = 0x32;           /* the RTC's century */
        put(fadt + 109, 0x0005, 2); /* boot: legacy devices, no keyboard controller, no VGA */
        /* WBINVD works, all CPUs have C1, no button is part of the fixed hardware, the timer has 32
         * bits, there is a reset register. */
        put(fadt + 112, 0x00000535, 4);
        put_port(fadt + 116, RESET_PORT, 8);
        fadt[128] = RESET_VALUE;
        put(fadt + 140, AREA + DSDT_AT, 8);
        put_port(fadt + 148, NOVA_ACPI_PORT, 32);
        put_port(fadt + 172, NOVA_ACPI_PORT + 4, 16);
        put_port(fadt + 208, NOVA_ACPI_PORT + 8, 32);
        finish(fadt, "FACP", 3, FADT_BYTES);
}

static void make_facs(uint8_t *area)
{
        uint8_t *const facs = area + FACS_AT;

        put_text(facs, "FACS");
        put(facs + 4, FACS_BYTES, 4);
        facs[32] = 1;
}

static void make_madt(uint8_t *area, const struct nova_acpi_config *config)
{
        uint8_t *const madt = area + MADT_AT, *at = madt + MADT_BYTES;

        put(madt + 36, LOCAL_APIC, 4);
        put(madt + 40, 1, 4); /* there are two 8259s, too */
        for (unsigned i = 0; config->local_apics && i < config->vcpus; i++, at += 8) {
                at[1] = 8;
                at[2] = at[3] = (uint8_t)i;
                put(at + 4, 1, 4);
        }
        if (config->local_apics) {
                at[0] = 1; /* the I/O APIC, its number is 0 */
                at[1] = 12;
                put(at + 4, IO_APIC, 4);
                at += 12;
                at[0] = 2; /* the timer's interrupt 0 arrives at input 2 */
                at[1] = 10;
                at[4] = 2;
                at += 10;
                at[0] = 2; /* ACPI's interrupt is level-triggered, high */
                at[1] = 10;
                at[3] = NOVA_ACPI_IRQ;
                at[4] = NOVA_ACPI_IRQ;
                put(at + 8, 0xd, 2);
                at += 10;
        }
        finish(madt, "APIC", 3, (size_t)(at - madt));
}

uint64_t nova_acpi_tables(const struct nova_guest_memory *memory,
                          const struct nova_acpi_config *config)
{
        uint8_t *const area = nova_guest_pointer(memory, AREA, AREA_BYTES);

        if (!area)
                return 0;
        memset(area, 0, AREA_BYTES);
        make_rsdp(area);
        make_xsdt(area);
        make_rsdt(area);
        make_fadt(area);
        make_facs(area);
        make_madt(area, config);
        memcpy(area + DSDT_AT + HEADER_BYTES, novavmm_dsdt_body, novavmm_dsdt_bytes);
        finish(area + DSDT_AT, "DSDT", 2, HEADER_BYTES + novavmm_dsdt_bytes);
        return AREA + RSDP_AT;
}
