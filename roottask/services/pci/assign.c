/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses for base address registers that firmware left empty. A function below a bridge gets
 * them from the bridge's window. The windows of the first bus are not known, so its functions get
 * addresses from the gaps between the ranges that firmware has assigned to other functions of that
 * bus. The parent may report an obstacle that is not a PCI function. */
#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "device.h"
#include "nova/abi/types.h"
#include "registers.h"
#include "server.h"

#define MEMORY_END  0xfec00000u /* the interrupt controllers begin here */
#define PORTS_FIRST 0x1000u     /* lower addresses belong to the board */
#define PORTS_END   0x10000u
#define STEPS_MAX   4096
#define TRIES_MAX   256 /* addresses that the parent may refuse */

/* [first, end) */
struct range {
        uint64_t first, end;
};

static bool is_ports(const struct nova_pci_bar *bar)
{
        return bar->flags & NOVA_PCI_BAR_PORTS;
}

static struct range range_of(const struct nova_pci_bar *bar)
{
        return (struct range){bar->base, bar->base + bar->size};
}

/* The range that a bridge forwards according to one of its registers. */
static struct range window_of(const struct nova_pci_function *bridge, unsigned reg)
{
        const uint32_t value = config_read(bridge->address, reg);
        struct range window = {(uint64_t)(value & 0xfff0) << 16,
                               ((uint64_t)(value & 0xfff00000) | 0xfffff) + 1};

        if (reg == REG_WINDOW_PORTS)
                window = (struct range){(value & 0xf0) << 8, ((value & 0xf000) | 0xfff) + 1};
        if (window.first >= window.end || !window.first)
                window = (struct range){0, 0};
        return window;
}

/* Returns the range that register number k of a function uses or, for larger k, a bridge's window.
 * Returns an empty range if there is none. */
static struct range taken(const struct nova_pci_function *function, unsigned k, bool ports)
{
        static const unsigned windows[] = {REG_WINDOW_PORTS, REG_WINDOW_MEMORY,
                                           REG_WINDOW_PREFETCH};
        const struct range none = {0, 0};

        if (k < NOVA_PCI_BARS) {
                const struct nova_pci_bar *const bar = &function->bar[k];

                return bar->base && bar->size && is_ports(bar) == ports ? range_of(bar) : none;
        }
        if (function->header != NOVA_PCI_HEADER_BRIDGE || (k == NOVA_PCI_BARS) != ports)
                return none;
        return window_of(function, windows[k - NOVA_PCI_BARS]);
}

#define TAKEN_MAX (NOVA_PCI_BARS + 3)

static void widen(struct range *range, struct range by)
{
        if (by.first == by.end)
                return;
        if (range->first == range->end)
                *range = by;
        range->first = by.first < range->first ? by.first : range->first;
        range->end = by.end > range->end ? by.end : range->end;
}

/* The known addresses that reach a bus. */
static struct range reach(unsigned bus, bool ports)
{
        const struct nova_pci_function *function;
        const struct range all = ports ? (struct range){PORTS_FIRST, PORTS_END}
                                       : (struct range){NOVA_PAGE_SIZE, MEMORY_END};
        struct range known = {0, 0};

        for (unsigned i = 0; (function = pci_function(i)); i++)
                if (device_is_above(function, bus) && function->secondary_bus == bus)
                        return window_of(function, ports ? REG_WINDOW_PORTS : REG_WINDOW_MEMORY);
        for (unsigned i = 0; (function = pci_function(i)); i++)
                for (unsigned k = 0; k < TAKEN_MAX && function->address >> 8u == bus; k++) {
                        const struct range range = taken(function, k, ports);

                        if (range.first >= all.first && range.end <= all.end)
                                widen(&known, range);
                }
        return known;
}

/* Returns a range in use that overlaps the wanted one, or an empty range. Ignores the windows of
 * bridges that lead to the bus. */
static struct range obstacle(struct range wanted, unsigned bus, bool ports)
{
        const struct nova_pci_function *function;

        for (unsigned i = 0; (function = pci_function(i)); i++) {
                const bool above = device_is_above(function, bus);

                for (unsigned k = 0; k < (above ? NOVA_PCI_BARS : TAKEN_MAX); k++) {
                        const struct range range = taken(function, k, ports);

                        if (range.first < wanted.end && wanted.first < range.end)
                                return range;
                }
        }
        return (struct range){0, 0};
}

/* Returns the address of the highest free and aligned range of this size that ends at a limit or
 * below; 0: there is none. */
static uint64_t find(uint64_t size, unsigned bus, bool ports, uint64_t limit)
{
        const struct range all = reach(bus, ports);
        uint64_t end = all.end < limit ? all.end : limit;

        for (unsigned i = 0; i < STEPS_MAX && end >= size; i++) {
                const uint64_t first = (end - size) & ~(size - 1);

                if (first < all.first || !first)
                        return 0;

                const struct range other =
                        obstacle((struct range){first, first + size}, bus, ports);

                if (other.first == other.end)
                        return first;
                end = other.first;
        }
        return 0;
}

/* Writes an address into a register. Returns false if the function does not take it. */
static bool write_base(struct device *device, struct nova_pci_function *function, unsigned n,
                       uint64_t base)
{
        struct nova_pci_bar *const bar = &function->bar[n];
        const unsigned offset = REG_BAR + 4 * n;
        const uint32_t mask = is_ports(bar) ? ~PORTS_MASK : ~MEMORY_MASK;

        config_write(function->address, offset, (uint32_t)base);
        if (bar->flags & NOVA_PCI_BAR_64)
                config_write(function->address, offset + 4, 0);
        bar->base = base;
        device->function.bar[n].base = base;
        return (config_read(function->address, offset) & mask) == base;
}

/* Gives a register an address at which the parent reports no obstacle. After a report, the search
 * continues below the obstacle. The function does not respond meanwhile. If the table lacks some
 * functions, each address may belong to one of them, so the register gets none. */
static bool assign(struct device *device, struct nova_pci_function *function, unsigned n)
{
        const struct nova_pci_bar *const bar = &function->bar[n];
        const bool ports = is_ports(bar);
        const uint64_t size = ports || bar->size > NOVA_PAGE_SIZE ? bar->size : NOVA_PAGE_SIZE;
        const enum nova_parent_pci_kind kind =
                ports ? NOVA_PARENT_PCI_PORTS : NOVA_PARENT_PCI_MEMORY;
        uint64_t limit = UINT64_MAX;

        if (!pci_knows_bus(PCI_LAST_BUS))
                return false;
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                const uint64_t base = find(size, function->address >> 8, ports, limit);
                uint64_t begin = base;

                if (!base)
                        break;

                const int error = nova_parent_pci_obstacle(kind, base, size, &begin);

                if (!error && write_base(device, function, n, base))
                        return true;
                if (error != EACCES)
                        break;
                limit = begin < base + size ? begin : base;
        }
        write_base(device, function, n, 0);
        return false;
}

static void tell_empty(struct device *device, unsigned n)
{
        if (device->told_empty)
                return;
        device->told_empty = true;
        printf("'%s' (%s) cannot be given: firmware has assigned no address to its register %u, "
               "and ",
               device->says.name, device_address(device), n);
        if (pci_knows_bus(PCI_LAST_BUS))
                printf("no free range of %llu bytes is known on its bus.\n",
                       (unsigned long long)device->function.bar[n].size);
        else
                printf("the addresses of the ignored functions are not known.\n");
}

int assign_empty(struct device *device)
{
        struct nova_pci_function *function = NULL;

        for (unsigned i = 0; (function = pci_function(i)); i++)
                if (function->address == device->function.address)
                        break;
        for (unsigned n = 0; n < NOVA_PCI_BARS && function; n++) {
                const struct nova_pci_bar *const bar = &function->bar[n];

                if (!bar->size || bar->base)
                        continue;
                device_command(device, 0, COMMAND_DECODES);
                /* A function must work without its ports, because many bridges have none left. */
                if (!assign(device, function, n) && !is_ports(bar)) {
                        tell_empty(device, n);
                        return ENXIO;
                }
        }
        return 0;
}
