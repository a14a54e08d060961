/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's view of a function that is passed through (see novavmm/pass.h); PCI Local Bus
 * Specification 3.0, 6.2.5, 6.8. The view has no configuration register of the function itself. */
#include "novavmm/pass.h"

#include <string.h>

#define PAGE 4096u

#define COMMAND_MEMORY      0x0002u
#define COMMAND_MASTER      0x0004u
#define COMMAND_NO_PIN      0x0400u
#define STATUS_CAPABILITIES 0x00100000u

#define CACHE_LINE          3 /* register with the size of a cache line and the latency timer */
#define CACHE_LINE_WRITABLE 0xffffu
#define LINE_WRITABLE       0xffu
#define BAR_PREFETCH        0x8u
#define BAR_FLAGS           0xfu

/* The only capability. */
#define CAPABILITY_AT    0x40u
#define CONTROL          (CAPABILITY_AT / 4)
#define CAPABILITY_MSI   0x05u
#define CAPABILITY_MSIX  0x11u
#define MSI_64           0x00800000u
#define MSI_ENABLE       0x00010000u
#define MSI_DATA         0xffffu
#define MSIX_ENABLE      0x80000000u
#define MSIX_MASK_ALL    0x40000000u
#define MSIX_COUNT_SHIFT 16
#define ADDRESS_WRITABLE (~3u)

#define ENTRY_BYTES 16u
#define ENTRY_DATA  2
#define ENTRY_MASK  3
#define MASKED      1u

static bool is_on(const struct nova_pass *pass)
{
        const uint32_t control = pass->pci.config[CONTROL];

        return control & (pass->function.msix ? MSIX_ENABLE : MSI_ENABLE);
}

static bool is_masked(const struct nova_pass *pass, unsigned number)
{
        return pass->function.msix && (pass->pci.config[CONTROL] & MSIX_MASK_ALL ||
                                       pass->message[number][ENTRY_MASK] & MASKED);
}

static void send(const struct nova_pass *pass, unsigned number)
{
        const uint32_t *const entry =
                pass->function.msix ? pass->message[number] : &pass->pci.config[CONTROL + 1];

        pass->host.send(pass->host.context, (uint64_t)entry[1] << 32 | entry[0], entry[ENTRY_DATA]);
}

void nova_pass_message(struct nova_pass *pass, unsigned number)
{
        if (number >= pass->function.messages)
                return;
        if (!is_on(pass))
                pass->lost++;
        else if (is_masked(pass, number))
                pass->pending |= 1u << number;
        else
                send(pass, number);
}

/* Sends the pending messages that are not masked any more. */
static void unmasked(struct nova_pass *pass)
{
        for (unsigned i = 0; i < pass->function.messages; i++)
                if (pass->pending >> i & 1 && is_on(pass) && !is_masked(pass, i)) {
                        pass->pending &= ~(1u << i);
                        send(pass, i);
                }
}

/* Updates the addresses of the BARs' memory. */
static void place(struct nova_pass *pass)
{
        const uint32_t *const config = pass->pci.config;
        const bool responds = config[NOVA_VPCI_COMMAND] & COMMAND_MEMORY;
        bool moved = false;

        for (unsigned i = 0; i < NOVA_PASS_BARS; i++) {
                const uint32_t at = responds && pass->function.bar[i].bytes
                                            ? config[NOVA_VPCI_BAR + i] & ~BAR_FLAGS
                                            : 0;

                moved |= at != pass->at[i];
                pass->at[i] = at;
        }
        if (moved)
                pass->host.moved(pass->host.context);
}

static void set_master(struct nova_pass *pass)
{
        const bool master = pass->pci.config[NOVA_VPCI_COMMAND] & COMMAND_MASTER;

        if (master == pass->master)
                return;
        pass->master = master;
        pass->host.master(pass->host.context, master);
}

static void changed(void *context, unsigned reg)
{
        struct nova_pass *const pass = context;

        if (reg == NOVA_VPCI_COMMAND || reg - NOVA_VPCI_BAR < NOVA_PASS_BARS)
                place(pass);
        if (reg == NOVA_VPCI_COMMAND)
                set_master(pass);
        if (reg == CONTROL)
                unmasked(pass);
}

bool nova_pass_find(const struct nova_pass *pass, uint64_t address, unsigned bytes, unsigned *bar,
                    uint32_t *at)
{
        for (unsigned i = 0; i < NOVA_PASS_BARS; i++) {
                const uint32_t size = pass->function.bar[i].bytes;

                if (!pass->at[i] || address < pass->at[i] || address - pass->at[i] >= size ||
                    bytes > size - (address - pass->at[i]))
                        continue;
                *bar = i;
                *at = (uint32_t)(address - pass->at[i]);
                return true;
        }
        return false;
}

static bool decodes(const void *context, uint64_t address, unsigned bytes)
{
        unsigned bar;
        uint32_t at;

        return nova_pass_find(context, address, bytes, &bar, &at);
}

/* Returns true if @p bytes at @p at of a BAR's memory touch a table of @p size bytes. */
static bool touches(uint32_t table, uint32_t size, unsigned bar, uint64_t at, uint64_t bytes)
{
        const uint64_t begin = table & ~NOVA_PASS_TABLE_BAR;

        return (table & NOVA_PASS_TABLE_BAR) == bar && at < begin + size && begin < at + bytes;
}

/* Returns true if the byte @p at of a BAR's memory is in a page with vectors or pending bits of
 * MSI-X. */
static bool is_withheld(const struct nova_pass *pass, unsigned bar, uint32_t at)
{
        const struct nova_pass_function *const function = &pass->function;
        const uint32_t page = at & ~(PAGE - 1);

        return function->msix &&
               (touches(function->table, function->vectors * ENTRY_BYTES, bar, page, PAGE) ||
                touches(function->pending, (function->vectors + 63) / 64 * 8, bar, page, PAGE));
}

bool nova_pass_is_open(const struct nova_pass *pass, unsigned bar, uint32_t page)
{
        const uint32_t bytes = pass->function.bar[bar].bytes;

        return bytes >= PAGE && page < bytes / PAGE && !is_withheld(pass, bar, page * PAGE);
}

/* Returns the bytes of the guest's message table that an access to a withheld page addresses. NULL:
 * the access is outside of the table, or not naturally aligned. */
static uint8_t *in_table(struct nova_pass *pass, unsigned bar, uint32_t at, unsigned bytes)
{
        const uint32_t begin = pass->function.table & ~NOVA_PASS_TABLE_BAR;
        const uint32_t size = pass->function.messages * ENTRY_BYTES;

        if ((pass->function.table & NOVA_PASS_TABLE_BAR) != bar || at < begin ||
            at - begin >= size || bytes > size - (at - begin) || at & (bytes - 1))
                return NULL;
        return (uint8_t *)pass->message + (at - begin);
}

static uint64_t withheld_get(struct nova_pass *pass, unsigned bar, uint32_t at, unsigned bytes)
{
        const uint8_t *const entry = in_table(pass, bar, at, bytes);
        uint64_t value = 0;

        if (entry)
                memcpy(&value, entry, bytes);
        else if (at == (pass->function.pending & ~NOVA_PASS_TABLE_BAR) &&
                 (pass->function.pending & NOVA_PASS_TABLE_BAR) == bar)
                value = pass->pending;
        return value;
}

/* Drivers write 4 or 8 bytes at once; smaller writes have no effect. */
static void withheld_put(struct nova_pass *pass, unsigned bar, uint32_t at, unsigned bytes,
                         uint64_t value)
{
        uint8_t *const entry = bytes < 4 ? NULL : in_table(pass, bar, at, bytes);

        if (!entry)
                return;
        memcpy(entry, &value, bytes);
        for (unsigned i = 0; i < NOVA_PASS_MESSAGES; i++) {
                pass->message[i][0] &= ADDRESS_WRITABLE;
                pass->message[i][ENTRY_MASK] &= MASKED;
        }
        unmasked(pass);
}

static uint64_t memory_read(void *context, uint64_t address, unsigned bytes)
{
        struct nova_pass *const pass = context;
        unsigned bar;
        uint32_t at;

        if (!nova_pass_find(pass, address, bytes, &bar, &at))
                return UINT64_MAX;
        if (is_withheld(pass, bar, at) || is_withheld(pass, bar, at + bytes - 1))
                return withheld_get(pass, bar, at, bytes);
        return pass->host.read(pass->host.context, bar, at, bytes);
}

static void memory_write(void *context, uint64_t address, unsigned bytes, uint64_t value)
{
        struct nova_pass *const pass = context;
        unsigned bar;
        uint32_t at;

        if (!nova_pass_find(pass, address, bytes, &bar, &at))
                return;
        if (is_withheld(pass, bar, at) || is_withheld(pass, bar, at + bytes - 1))
                withheld_put(pass, bar, at, bytes, value);
        else
                pass->host.write(pass->host.context, bar, at, bytes, value);
}

static void make_capability(struct nova_pass *pass)
{
        const struct nova_pass_function *const function = &pass->function;
        uint32_t *const config = pass->pci.config, *const writable = pass->pci.writable;

        config[NOVA_VPCI_COMMAND] = STATUS_CAPABILITIES;
        config[NOVA_VPCI_CAPABILITIES] = CAPABILITY_AT;
        if (function->msix) {
                config[CONTROL] = CAPABILITY_MSIX | (function->messages - 1) << MSIX_COUNT_SHIFT;
                config[CONTROL + 1] = function->table;
                config[CONTROL + 2] = function->pending;
                writable[CONTROL] = MSIX_ENABLE | MSIX_MASK_ALL;
                for (unsigned i = 0; i < NOVA_PASS_MESSAGES; i++)
                        pass->message[i][ENTRY_MASK] = MASKED;
        } else {
                config[CONTROL] = CAPABILITY_MSI | MSI_64;
                writable[CONTROL] = MSI_ENABLE;
                writable[CONTROL + 1] = ADDRESS_WRITABLE;
                writable[CONTROL + 2] = UINT32_MAX;
                writable[CONTROL + 3] = MSI_DATA;
        }
}

void nova_pass_init(struct nova_pass *pass, const struct nova_pass_function *function,
                    const struct nova_pass_host *host)
{
        uint32_t *const config = pass->pci.config, *const writable = pass->pci.writable;

        memset(pass, 0, sizeof(*pass));
        pass->function = *function;
        pass->host = *host;
        nova_vpci_identify(&pass->pci, function->vendor, function->product, function->class_code);
        config[2] |= function->revision;
        config[NOVA_VPCI_SUBSYSTEM] =
                (uint32_t)function->subsystem << 16 | function->subsystem_vendor;
        make_capability(pass);
        writable[NOVA_VPCI_COMMAND] = COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_PIN;
        writable[CACHE_LINE] = CACHE_LINE_WRITABLE;
        writable[NOVA_VPCI_INTERRUPT] = LINE_WRITABLE;
        for (unsigned i = 0; i < NOVA_PASS_BARS; i++)
                if (function->bar[i].bytes) {
                        config[NOVA_VPCI_BAR + i] = function->bar[i].prefetch ? BAR_PREFETCH : 0;
                        writable[NOVA_VPCI_BAR + i] = ~(function->bar[i].bytes - 1);
                }
        pass->pci.changed = changed;
        pass->pci.decodes = decodes;
        pass->pci.memory_read = memory_read;
        pass->pci.memory_write = memory_write;
        pass->pci.context = pass;
}

/* Returns the largest BAR that has no address yet; NOVA_PASS_BARS: there is none. */
static unsigned largest(const struct nova_pass *pass, unsigned placed)
{
        unsigned best = NOVA_PASS_BARS;

        for (unsigned i = 0; i < NOVA_PASS_BARS; i++)
                if (!(placed >> i & 1) && pass->function.bar[i].bytes &&
                    (best == NOVA_PASS_BARS ||
                     pass->function.bar[i].bytes > pass->function.bar[best].bytes))
                        best = i;
        return best;
}

bool nova_pass_place(struct nova_pass *pass, uint32_t *next, uint32_t end)
{
        unsigned placed = 0, bar;

        while ((bar = largest(pass, placed)) != NOVA_PASS_BARS) {
                const uint64_t bytes = pass->function.bar[bar].bytes;
                const uint64_t at = (*next + bytes - 1) & ~(bytes - 1);

                if (at + bytes > end)
                        return false;
                pass->pci.config[NOVA_VPCI_BAR + bar] |= (uint32_t)at;
                *next = (uint32_t)(at + bytes);
                placed |= 1u << bar;
        }
        return true;
}
