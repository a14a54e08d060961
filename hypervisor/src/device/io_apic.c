/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O APICs (Intel 82093AA). */
#include "device/io_apic.h"

#include "arch/x86/boot_paging.h"
#include "lib/spinlock.h"
#include "platform/acpi.h"
#include "platform/console.h"
#include "platform/memory_map.h"

/* Registers are reached through an index and a window. */
#define INDEX       0x00
#define WINDOW      0x10
#define REG_VERSION 0x01
#define REG_PIN     0x10 /* two registers per pin */

#define PIN_LOW_ACTIVE 0x2000
#define PIN_LEVEL      0x8000
#define PIN_MASKED     0x10000

#define PINS_MAX       240
#define ISA_INTERRUPTS 16

/* MPS INTI flags of an override (ACPI 5.2.12.5). */
#define POLARITY(flags) ((flags)&3)
#define TRIGGER(flags)  ((flags) >> 2 & 3)
#define IS_LOW_OR_LEVEL 3

struct io_apic {
        volatile char *registers;
        uint32_t gsi; /* of the first pin */
        unsigned pins;
        struct spinlock lock; /* index and window belong together */
};

static struct io_apic io_apics[ACPI_IO_APICS];
static unsigned io_apic_count;

static uint32_t reg_read(struct io_apic *io_apic, unsigned reg)
{
        *(volatile uint32_t *)(io_apic->registers + INDEX) = reg;
        return *(volatile uint32_t *)(io_apic->registers + WINDOW);
}

static void reg_write(struct io_apic *io_apic, unsigned reg, uint32_t value)
{
        *(volatile uint32_t *)(io_apic->registers + INDEX) = reg;
        *(volatile uint32_t *)(io_apic->registers + WINDOW) = value;
}

static void add(const struct acpi_io_apic *entry)
{
        struct io_apic *io_apic = &io_apics[io_apic_count];

        if (!entry->phys || memory_map_is_ram(entry->phys, PAGE_SIZE)) {
                console_print("NOVA: the I/O APIC at 0x%llx cannot be one and is ignored.\n",
                              (unsigned long long)entry->phys);
                return;
        }
        io_apic->registers = boot_paging_map_device(entry->phys);
        if (!io_apic->registers)
                return;
        memory_map_take(entry->phys & ~(paddr_t)(PAGE_SIZE - 1), PAGE_SIZE, true);
        io_apic->gsi = entry->gsi;
        io_apic->pins = (reg_read(io_apic, REG_VERSION) >> 16 & 0xff) + 1;
        if (io_apic->pins > PINS_MAX) /* nothing answers there */
                return;
        for (unsigned pin = 0; pin < io_apic->pins; pin++)
                reg_write(io_apic, REG_PIN + pin * 2, PIN_MASKED);
        io_apic_count++;
}

void io_apic_init(void)
{
        for (unsigned i = 0; i < acpi.io_apics; i++)
                add(&acpi.io_apic[i]);
}

static struct io_apic *find(unsigned gsi)
{
        for (unsigned i = 0; i < io_apic_count; i++)
                if (gsi >= io_apics[i].gsi && gsi - io_apics[i].gsi < io_apics[i].pins)
                        return &io_apics[i];
        return NULL;
}

bool io_apic_has(unsigned gsi)
{
        return find(gsi);
}

void io_apic_route(unsigned gsi, unsigned vector, unsigned apic_id, bool level, bool active_low)
{
        struct io_apic *io_apic = find(gsi);

        if (!io_apic)
                return;

        const unsigned reg = REG_PIN + (gsi - io_apic->gsi) * 2;
        spin_lock(&io_apic->lock);
        reg_write(io_apic, reg, PIN_MASKED);
        reg_write(io_apic, reg + 1, apic_id << 24);
        reg_write(io_apic, reg,
                  PIN_MASKED | vector | (level ? PIN_LEVEL : 0) |
                          (active_low ? PIN_LOW_ACTIVE : 0));
        spin_unlock(&io_apic->lock);
}

static void set_mask(unsigned gsi, uint32_t mask)
{
        struct io_apic *io_apic = find(gsi);

        if (!io_apic)
                return;

        const unsigned reg = REG_PIN + (gsi - io_apic->gsi) * 2;
        spin_lock(&io_apic->lock);
        reg_write(io_apic, reg, (reg_read(io_apic, reg) & ~(uint32_t)PIN_MASKED) | mask);
        spin_unlock(&io_apic->lock);
}

void io_apic_mask(unsigned gsi)
{
        set_mask(gsi, PIN_MASKED);
}

void io_apic_unmask(unsigned gsi)
{
        set_mask(gsi, 0);
}

void gsi_default(unsigned gsi, bool *level, bool *active_low)
{
        *level = gsi >= ISA_INTERRUPTS;
        *active_low = gsi >= ISA_INTERRUPTS;
        for (unsigned i = 0; i < acpi.overrides; i++) {
                const struct acpi_override *override = &acpi.override[i];

                /* What an override does not say is as on the ISA bus: edge, active high. */
                if (override->gsi == gsi) {
                        *level = TRIGGER(override->flags) == IS_LOW_OR_LEVEL;
                        *active_low = POLARITY(override->flags) == IS_LOW_OR_LEVEL;
                        return;
                }
        }
}
