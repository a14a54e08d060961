/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and ports of functions. This program holds them and delegates them, so it can revoke
 * them. */
#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "device.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "registers.h"
#include "scan.h"
#include "server.h"

#define PAGE_MASK ((uint64_t)NOVA_PAGE_SIZE - 1)

static uint64_t first_page(const struct nova_pci_bar *bar)
{
        return bar->base & ~PAGE_MASK;
}

static uint64_t last_byte(const struct nova_pci_bar *bar)
{
        return (bar->base + bar->size - 1) | PAGE_MASK;
}

static size_t page_count(const struct nova_pci_bar *bar)
{
        return (size_t)((last_byte(bar) - first_page(bar)) / NOVA_PAGE_SIZE + 1);
}

static bool overlap(const struct nova_pci_bar *a, const struct nova_pci_bar *b)
{
        if (!b->size || !b->base || (a->flags ^ b->flags) & NOVA_PCI_BAR_PORTS)
                return false;
        if (a->flags & NOVA_PCI_BAR_PORTS)
                return a->base < b->base + b->size && b->base < a->base + a->size;
        return first_page(a) <= last_byte(b) && first_page(b) <= last_byte(a);
}

/* A page or a port that another function also has cannot be given to one driver alone. This check
 * also detects a device that reports wrong registers. */
static bool is_shared(const struct device *device, const struct nova_pci_bar *bar)
{
        const struct nova_pci_function *function;

        for (unsigned i = 0; (function = pci_function(i)); i++) {
                if (function->address == device->function.address)
                        continue;
                for (unsigned k = 0; k < NOVA_PCI_BARS; k++)
                        if (overlap(bar, &function->bar[k]))
                                return true;
        }
        return false;
}

/* Reports, once for each register, why a driver does not get a range. */
static int refuse(struct device *device, unsigned n, int error, const char *reason)
{
        const struct nova_pci_bar *const bar = &device->function.bar[n];

        if (device->told_refused >> n & 1)
                return error;
        device->told_refused |= (uint8_t)(1u << n);
        printf("'%s' (%s) does not get %s 0x%llx: %s.\n", device->says.name, device_address(device),
               bar->flags & NOVA_PCI_BAR_PORTS ? "port" : "memory", (unsigned long long)bar->base,
               reason);
        return error;
}

static const char *reason_of(int error)
{
        switch (error) {
        case EACCES:
                return "the machine has something else there";
        case ENOMEM:
                return "too little memory, kernel memory or addresses; give the program pci more";
        default:
                return "this program cannot reach it";
        }
}

/* Returns a register of a kind that can be given, or NULL with the reason in *error. */
static const struct nova_pci_bar *check(struct device *device, unsigned n, bool ports, int *error)
{
        const struct nova_pci_bar *const bar = &device->function.bar[n < NOVA_PCI_BARS ? n : 0];

        *error = ENOENT;
        if (n >= NOVA_PCI_BARS || !bar->size || !(bar->flags & NOVA_PCI_BAR_PORTS) != !ports)
                return NULL;
        if (!bar->base)
                *error = refuse(device, n, ENXIO, "firmware has assigned no address");
        else if (bar->base % bar->size || bar->base + (bar->size - 1) < bar->base)
                *error = refuse(device, n, ENXIO, "it is not aligned to its size");
        else if (is_shared(device, bar))
                *error = refuse(device, n, ENOTSUP, "another function has a part of it");
        else
                *error = 0;
        return *error ? NULL : bar;
}

/* Requests the memory of a register. */
static int get_memory(struct device *device, unsigned n)
{
        const struct nova_pci_bar *const bar = &device->function.bar[n];
        const int error = nova_parent_pci_memory(first_page(bar), page_count(bar) * NOVA_PAGE_SIZE,
                                                 &device->memory[n]);

        if (error)
                device->memory[n] = NULL;
        return error;
}

/* Requests the ports of a register. */
static int get_ports(struct device *device, unsigned n)
{
        const struct nova_pci_bar *const bar = &device->function.bar[n];
        const int error = nova_parent_pci_ports((uint16_t)bar->base, (unsigned)bar->size);

        device->has_ports[n] = !error;
        return error;
}

int memory_map(struct device *device, unsigned n)
{
        int error = 0;

        if (n < NOVA_PCI_BARS && device->memory[n])
                return 0;

        const struct nova_pci_bar *const bar = check(device, n, false, &error);

        if (!bar)
                return error;
        if (bar->size > SIZE_MAX / 2)
                return refuse(device, n, ENOMEM, reason_of(ENOMEM));
        error = get_memory(device, n);
        return error ? refuse(device, n, error, reason_of(error)) : 0;
}

int memory_ports(struct device *device, unsigned n)
{
        int error = 0;

        if (n < NOVA_PCI_BARS && device->has_ports[n])
                return 0;

        const struct nova_pci_bar *const bar = check(device, n, true, &error);

        if (!bar)
                return error;
        error = get_ports(device, n);
        return error ? refuse(device, n, error, reason_of(error)) : 0;
}

/* Returns true if the bytes first to last of register @p bar's memory overlap a table of MSI-X. @p
 * where is the value of the capability that places the table. */
static bool has_table(uint32_t where, size_t bytes, unsigned bar, uint64_t first, uint64_t last)
{
        const uint64_t begin = where & ~MSIX_BAR;

        return (where & MSIX_BAR) == bar && begin <= last && first <= begin + bytes - 1;
}

bool memory_is_withheld(const struct device *device, unsigned bar, size_t page)
{
        const unsigned vectors = device->function.msix_vectors;
        const uint64_t first = (uint64_t)page * NOVA_PAGE_SIZE, last = first + PAGE_MASK;

        return vectors &&
               (has_table(device->msix_table, vectors * MSIX_ENTRY_BYTES, bar, first, last) ||
                has_table(device->msix_pending, (vectors + 63) / 64 * 8, bar, first, last));
}

bool memory_is_open(const struct device *device, unsigned bar, size_t page, size_t count)
{
        if (!device->function.msix_vectors)
                return true;
        for (size_t i = 0; i < count; i++)
                if (memory_is_withheld(device, bar, page + i))
                        return false;
        return true;
}

size_t memory_pages(const struct device *device, unsigned bar)
{
        return page_count(&device->function.bar[bar]);
}

void memory_revoke(const struct device *device)
{
        for (unsigned n = 0; n < NOVA_PCI_BARS; n++) {
                const struct nova_pci_bar *const bar = &device->function.bar[n];

                if (device->memory[n])
                        nova_revoke(nova_crd_mem((nova_word_t)device->memory[n] >> NOVA_PAGE_BITS,
                                                 nova_crd_order_for(page_count(bar)), NOVA_MEM_RWX),
                                    0);
                if (device->has_ports[n])
                        nova_revoke(nova_crd_io((nova_sel_t)bar->base,
                                                nova_crd_order_for((nova_word_t)bar->size)),
                                    0);
        }
}
