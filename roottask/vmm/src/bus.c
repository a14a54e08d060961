/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of devices by address (see novavmm/bus.h). */
#include "novavmm/bus.h"

#include <errno.h>
#include <stddef.h>

int nova_bus_add(struct nova_bus *bus, const struct nova_bus_range *range)
{
        if (range->last < range->first)
                return EINVAL;
        if (bus->count == NOVA_BUS_RANGES)
                return ENOSPC;
        bus->range[bus->count++] = *range;
        return 0;
}

static const struct nova_bus_range *find(const struct nova_bus *bus, uint64_t address,
                                         unsigned bytes)
{
        for (unsigned i = 0; i < bus->count; i++) {
                const struct nova_bus_range *const range = &bus->range[i];

                if (address >= range->first && address <= range->last)
                        return range->last - address >= bytes - 1 ? range : NULL;
        }
        return NULL;
}

static uint64_t mask(unsigned bytes)
{
        return UINT64_MAX >> (64 - 8 * bytes);
}

uint64_t nova_bus_get(const struct nova_bus *bus, uint64_t address, unsigned bytes)
{
        if (bytes < 1 || bytes > 8)
                return UINT64_MAX;

        const struct nova_bus_range *const range = find(bus, address, bytes);

        if (!range || !range->read)
                return mask(bytes);
        return range->read(range->device, address, bytes) & mask(bytes);
}

void nova_bus_put(const struct nova_bus *bus, uint64_t address, unsigned bytes, uint64_t value)
{
        if (bytes < 1 || bytes > 8)
                return;

        const struct nova_bus_range *const range = find(bus, address, bytes);

        if (range && range->write)
                range->write(range->device, address, bytes, value & mask(bytes));
}
