/* SPDX-License-Identifier: BSD-2-Clause */
/* Which device answers at which address: a table for a guest's ports, another for its memory. */
#ifndef NOVAVMM_BUS_H
#define NOVAVMM_BUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Ranges that a bus can have. */
#define NOVA_BUS_RANGES 48

/** Asks a device, by its @p context, for @p bytes (1, 2, 4 or 8) at @p address. @return its answer
 */
typedef uint64_t nova_bus_read(void *context, uint64_t address, unsigned bytes);

/** Gives a device, by its @p context, @p bytes (1, 2, 4 or 8) of @p value at @p address. */
typedef void nova_bus_write(void *context, uint64_t address, unsigned bytes, uint64_t value);

/** Addresses that are one device's. An access of which only some bytes are its own reaches it byte
 * by byte. */
struct nova_bus_range {
        uint64_t first;        /**< its lowest address */
        uint64_t last;         /**< its highest one */
        nova_bus_read *read;   /**< NULL: reads give all ones */
        nova_bus_write *write; /**< NULL: writes are lost */
        void *device;          /**< handed to both */
};

/** A bus. Zeroed memory is one without devices. */
struct nova_bus {
        unsigned count; /**< ranges in use */
        struct nova_bus_range range[NOVA_BUS_RANGES];
};

/**
 * Add a device. Where ranges overlap, the one that came first answers.
 *
 * @retval 0      done
 * @retval EINVAL the range's end lies before its begin
 * @retval ENOSPC there are NOVA_BUS_RANGES already
 */
int nova_bus_add(struct nova_bus *bus, const struct nova_bus_range *range);

/** Reads @p bytes (1 to 8) at @p address. @return what the device says, cut to @p bytes; ones where
 *  there is none. Each byte of what is not one device's comes from its own, as PCs do it */
uint64_t nova_bus_get(const struct nova_bus *bus, uint64_t address, unsigned bytes);

/** Writes @p bytes (1 to 8) of @p value at @p address, taken apart as for nova_bus_get(); nothing
 *  happens where there is no device. */
void nova_bus_put(const struct nova_bus *bus, uint64_t address, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
