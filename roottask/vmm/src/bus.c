/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of devices by address (see novavmm/bus.h). */
#include "novavmm/bus.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

int nova_bus_add(struct nova_bus *bus, const struct nova_bus_range *range)
{
        if (range->last < range->first)
                return EINVAL;
        if (bus->count == NOVA_BUS_RANGES)
                return ENOSPC;
        bus->range[bus->count++] = *range;
        if (bus->highest < range->last)
                bus->highest = range->last;
        return 0;
}

int nova_bus_add_bytes(struct nova_bus *bus, const struct nova_bus_range *range)
{
        const int error = nova_bus_add(bus, range);

        if (!error)
                bus->split |= UINT64_C(1) << (bus->count - 1);
        return error;
}

static const struct nova_bus_range *find(const struct nova_bus *bus, uint64_t address)
{
        /* `rest`, which has the notifications of virtio, is usually above all ranges. */
        for (unsigned i = 0; address <= bus->highest && i < bus->count; i++)
                if (address >= bus->range[i].first && address <= bus->range[i].last)
                        return &bus->range[i];
        return bus->rest.last && address >= bus->rest.first && address <= bus->rest.last
                       ? &bus->rest
                       : NULL;
}

static uint64_t mask(unsigned bytes)
{
        return UINT64_MAX >> (64 - 8 * bytes);
}

/* Returns true if a range begins after the first byte of an access, and before its end. */
static bool begins_inside(const struct nova_bus *bus, uint64_t address, unsigned bytes)
{
        for (unsigned i = 0; address < bus->highest && i < bus->count; i++)
                if (bus->range[i].first > address && bus->range[i].first - address < bytes)
                        return true;
        return false;
}

/* Returns true if the device of a range gets one access for each byte of the access. */
static bool is_split(const struct nova_bus *bus, const struct nova_bus_range *range, unsigned bytes)
{
        return bytes > 1 && range != &bus->rest && bus->split >> (range - bus->range) & 1;
}

/* Returns true if the device of a range gets the access as a whole. */
static bool holds(const struct nova_bus *bus, const struct nova_bus_range *range, uint64_t address,
                  unsigned bytes)
{
        return range && range->last - address >= bytes - 1 &&
               (range != &bus->rest || !begins_inside(bus, address, bytes)) &&
               !is_split(bus, range, bytes);
}

static uint64_t get(const struct nova_bus_range *range, uint64_t address, unsigned bytes)
{
        if (!range || !range->read)
                return mask(bytes);
        return range->read(range->device, address, bytes) & mask(bytes);
}

static void put(const struct nova_bus_range *range, uint64_t address, unsigned bytes,
                uint64_t value)
{
        if (range && range->write)
                range->write(range->device, address, bytes, value & mask(bytes));
}

uint64_t nova_bus_get(const struct nova_bus *bus, uint64_t address, unsigned bytes)
{
        if (bytes < 1 || bytes > 8)
                return UINT64_MAX;

        const struct nova_bus_range *const range = find(bus, address);
        uint64_t value = 0;

        if (holds(bus, range, address, bytes))
                return get(range, address, bytes);
        for (unsigned i = 0; i < bytes; i++)
                value |= get(find(bus, address + i), address + i, 1) << 8 * i;
        return value;
}

void nova_bus_put(const struct nova_bus *bus, uint64_t address, unsigned bytes, uint64_t value)
{
        if (bytes < 1 || bytes > 8)
                return;

        const struct nova_bus_range *const range = find(bus, address);

        if (holds(bus, range, address, bytes))
                put(range, address, bytes, value);
        else
                for (unsigned i = 0; i < bytes; i++)
                        put(find(bus, address + i), address + i, 1, value >> 8 * i);
}
