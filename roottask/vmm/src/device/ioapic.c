/* SPDX-License-Identifier: BSD-2-Clause */
/* An I/O APIC (see novavmm/ioapic.h); Intel's data sheet 290566 of the 82093AA. */
#include "novavmm/ioapic.h"

#include <string.h>

#define SELECT 0x00
#define WINDOW 0x10

#define REG_ID      0x00
#define REG_VERSION 0x01
#define REG_ARB     0x02
#define REG_ENTRY   0x10

#define VERSION (0x11u | (NOVA_IOAPIC_PINS - 1) << 16)
#define ID_BITS 0x0f000000u

/* Bits of an entry. */
#define DELIVERY_SHIFT    8
#define LOGICAL           0x800u
#define ACTIVE_LOW        0x2000u
#define REMOTE            0x4000u /* a level-triggered interrupt that was sent and has not ended */
#define LEVEL             0x8000u
#define MASKED            0x10000u
#define WRITABLE          0x1afffu
#define DESTINATION_SHIFT 56

void nova_ioapic_init(struct nova_ioapic *ioapic,
                      bool (*send)(void *context, const struct nova_apic_message *message),
                      void *context)
{
        memset(ioapic, 0, sizeof(*ioapic));
        for (unsigned i = 0; i < NOVA_IOAPIC_PINS; i++)
                ioapic->entry[i] = MASKED;
        ioapic->send = send;
        ioapic->context = context;
}

/* Returns true if an entry waits for the end of its interrupt. NMIs, INIT and interrupts of the
 * 8259s have no end, and are edge-triggered whatever the entry says. */
static bool is_level(uint64_t entry)
{
        const enum nova_delivery delivery = (enum nova_delivery)(entry >> DELIVERY_SHIFT & 7);

        return entry & LEVEL && (delivery == NOVA_DELIVER_FIXED || delivery == NOVA_DELIVER_LOWEST);
}

static void fire(struct nova_ioapic *ioapic, unsigned pin)
{
        const uint64_t entry = ioapic->entry[pin];
        const struct nova_apic_message message = {
                .vector = (uint8_t)entry,
                .delivery = (enum nova_delivery)(entry >> DELIVERY_SHIFT & 7),
                .logical = entry & LOGICAL,
                .destination = (uint8_t)(entry >> DESTINATION_SHIFT),
                .level = is_level(entry),
        };

        if (ioapic->send(ioapic->context, &message) && message.level)
                ioapic->entry[pin] |= REMOTE;
}

/* Sends a pin's level-triggered interrupt if its level is active, unless the interrupt is masked or
 * in service. */
static void look(struct nova_ioapic *ioapic, unsigned pin)
{
        const uint64_t entry = ioapic->entry[pin];

        if (ioapic->pins >> pin & 1 && is_level(entry) && !(entry & (MASKED | REMOTE)))
                fire(ioapic, pin);
}

void nova_ioapic_set(void *context, unsigned pin, bool level)
{
        struct nova_ioapic *const ioapic = context;

        if (pin >= NOVA_IOAPIC_PINS)
                return;

        const uint32_t bit = 1u << pin;
        const bool rises = level && !(ioapic->pins & bit);

        ioapic->pins = level ? ioapic->pins | bit : ioapic->pins & ~bit;
        if (rises && !(ioapic->entry[pin] & MASKED) && !is_level(ioapic->entry[pin]))
                fire(ioapic, pin);
        else
                look(ioapic, pin);
}

void nova_ioapic_retry(struct nova_ioapic *ioapic)
{
        for (unsigned pin = 0; pin < NOVA_IOAPIC_PINS; pin++)
                look(ioapic, pin);
}

void nova_ioapic_end(struct nova_ioapic *ioapic, uint8_t vector)
{
        for (unsigned pin = 0; pin < NOVA_IOAPIC_PINS; pin++) {
                if (!(ioapic->entry[pin] & REMOTE) || (uint8_t)ioapic->entry[pin] != vector)
                        continue;
                ioapic->entry[pin] &= ~(uint64_t)REMOTE;
                look(ioapic, pin);
        }
}

static uint32_t read_register(const struct nova_ioapic *ioapic)
{
        const unsigned pin = (ioapic->index - REG_ENTRY) / 2u;

        switch (ioapic->index) {
        case REG_ID:
        case REG_ARB:
                return ioapic->id;
        case REG_VERSION:
                return VERSION;
        default:
                if (ioapic->index < REG_ENTRY || pin >= NOVA_IOAPIC_PINS)
                        return 0;
                return (uint32_t)(ioapic->entry[pin] >> (ioapic->index & 1 ? 32 : 0));
        }
}

static void write_register(struct nova_ioapic *ioapic, uint32_t value)
{
        const unsigned pin = (ioapic->index - REG_ENTRY) / 2u;

        if (ioapic->index == REG_ID)
                ioapic->id = value & ID_BITS;
        if (ioapic->index < REG_ENTRY || pin >= NOVA_IOAPIC_PINS)
                return;

        uint64_t *const entry = &ioapic->entry[pin];

        if (ioapic->index & 1)
                *entry = (uint32_t)*entry | (uint64_t)value << 32;
        else
                *entry = (*entry & ~(uint64_t)WRITABLE) | (value & WRITABLE);
        if (!(*entry & LEVEL))
                *entry &= ~(uint64_t)REMOTE;
        look(ioapic, pin);
}

uint64_t nova_ioapic_read(void *context, uint64_t address, unsigned bytes)
{
        const struct nova_ioapic *const ioapic = context;

        (void)bytes;
        switch (address & (NOVA_IOAPIC_BYTES - 1)) {
        case SELECT:
                return ioapic->index;
        case WINDOW:
                return read_register(ioapic);
        default:
                return 0;
        }
}

void nova_ioapic_write(void *context, uint64_t address, unsigned bytes, uint64_t value)
{
        struct nova_ioapic *const ioapic = context;

        (void)bytes;
        switch (address & (NOVA_IOAPIC_BYTES - 1)) {
        case SELECT:
                ioapic->index = (uint8_t)value;
                break;
        case WINDOW:
                write_register(ioapic, (uint32_t)value);
                break;
        default:
                break;
        }
}
