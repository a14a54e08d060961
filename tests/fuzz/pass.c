/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile guest with a PCI function that is passed through. It writes to configuration space,
 * accesses memory and sends messages; the function's tables may lie anywhere. The test checks that
 * no access leaves the function's memory or reaches a page that the guest may not map, and that no
 * message is sent before the guest has enabled messages. */
#include <stdlib.h>
#include <string.h>

#include "novavmm/pass.h"

#define STEP_BYTES 8
#define FIRST      0xe1000000u
#define END        0xf0000000u
#define PAGE       4096u
#define NUMBER     5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct guest {
        struct nova_vpci bus;
        struct nova_pass pass;
        bool master;
        uint32_t at[NOVA_PASS_BARS]; /* addresses of the function's memory at the last call of
                                        moved() */
};

static void set_master(void *context, bool on)
{
        struct guest *const guest = context;

        if (on == guest->master)
                abort();
        guest->master = on;
}

static void moved(void *context)
{
        struct guest *const guest = context;

        memcpy(guest->at, guest->pass.at, sizeof(guest->at));
}

static bool has_table(uint32_t table, uint64_t bytes, unsigned bar, uint32_t page)
{
        const uint64_t first = (table & ~7u) / PAGE, last = ((table & ~7u) + bytes - 1) / PAGE;

        return (table & 7) == bar && page >= first && page <= last;
}

/* Ends the test if the guest may not access this memory. */
static void check(const struct guest *guest, unsigned bar, uint32_t at, unsigned bytes)
{
        const struct nova_pass_function *const function = &guest->pass.function;

        if (bar >= NOVA_PASS_BARS || bytes > function->bar[bar].bytes ||
            at > function->bar[bar].bytes - bytes)
                abort();
        for (unsigned i = 0; i < bytes && function->msix; i++)
                if (has_table(function->table, 16 * function->vectors, bar, (at + i) / PAGE) ||
                    has_table(function->pending, (function->vectors + 63) / 64 * 8, bar,
                              (at + i) / PAGE))
                        abort();
}

static uint64_t load(void *context, unsigned bar, uint32_t at, unsigned bytes)
{
        check(context, bar, at, bytes);
        return 0;
}

static void store(void *context, unsigned bar, uint32_t at, unsigned bytes, uint64_t value)
{
        (void)value;
        check(context, bar, at, bytes);
}

static void send(void *context, uint64_t address, uint32_t data)
{
        const struct guest *const guest = context;
        const uint32_t enable = guest->pass.function.msix ? 0x80000000u : 0x10000u;

        (void)address, (void)data;
        if (!(guest->pass.pci.config[16] & enable))
                abort();
}

/* Makes a function whose properties are the first bytes of the input. */
static void make(struct guest *guest, const uint8_t *bytes)
{
        const struct nova_pass_host host = {set_master, moved, load, store, send, guest};
        struct nova_pass_function function = {.vendor = 0x1234, .product = 1};
        uint32_t next = FIRST;

        function.msix = bytes[0] & 1;
        function.messages = function.msix ? 1 + (bytes[0] >> 1) % NOVA_PASS_MESSAGES : 1;
        function.vectors = function.messages + bytes[1] * 8u;
        for (unsigned i = 0; i < NOVA_PASS_BARS; i++)
                if (bytes[2] >> i & 1)
                        function.bar[i].bytes = 16u << bytes[3 + i % 2] % 20;
        memcpy(&function.table, bytes + 5, 3);
        function.pending = (bytes[4] & 7u) | bytes[3] * 8u;
        nova_vpci_init(&guest->bus);
        nova_pass_init(&guest->pass, &function, &host);
        if (!nova_pass_place(&guest->pass, &next, END) || next > END)
                abort();
        nova_vpci_add(&guest->bus, NUMBER, &guest->pass.pci);
}

/* Checks that a page that the guest may map belongs to the function, and that moved() has announced
 * the function's present address. */
static void check_pages(const struct guest *guest, uint64_t address)
{
        unsigned bar;
        uint32_t at;

        if (!nova_pass_find(&guest->pass, address & ~(uint64_t)(PAGE - 1), PAGE, &bar, &at))
                return;
        if (guest->at[bar] != guest->pass.at[bar] || at % PAGE)
                abort();
        if (nova_pass_is_open(&guest->pass, bar, at / PAGE))
                check(guest, bar, at, PAGE);
}

static void run_step(struct guest *guest, const uint8_t *bytes)
{
        const unsigned width = 1u << (bytes[0] >> 4 & 3);
        uint32_t value;
        uint64_t address;

        memcpy(&value, bytes + 4, sizeof(value));
        address = bytes[0] & 8 ? guest->pass.at[bytes[1] % NOVA_PASS_BARS] + value % 0x8000 : value;
        switch (bytes[0] & 7) {
        case 0:
        case 1:
                nova_vpci_write(&guest->bus, 0xcf8, 4, 0x80000000u | NUMBER << 11 | bytes[1] << 2);
                nova_vpci_write(&guest->bus, 0xcfc + bytes[2] % 4u, width > 4 ? 4 : width, value);
                break;
        case 2:
                nova_vpci_read(&guest->bus, 0xcfc + bytes[2] % 4u, width);
                break;
        case 3:
                nova_vpci_memory_read(&guest->bus, address, width);
                break;
        case 4:
                nova_vpci_memory_write(&guest->bus, address, width, value);
                break;
        case 5:
                nova_pass_message(&guest->pass, bytes[1]);
                break;
        default:
                check_pages(guest, address);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct guest *guest;

        if (size < STEP_BYTES)
                return 0;
        guest = calloc(1, sizeof(*guest));
        if (!guest)
                abort();
        make(guest, data);
        for (size_t i = STEP_BYTES; i + STEP_BYTES <= size; i += STEP_BYTES)
                run_step(guest, data + i);
        free(guest);
        return 0;
}
