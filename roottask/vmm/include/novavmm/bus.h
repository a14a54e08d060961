/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of the devices at each address: one for a guest's ports, another for its memory. */
#ifndef NOVAVMM_BUS_H
#define NOVAVMM_BUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Maximum number of ranges of a bus. */
#define NOVA_BUS_RANGES 48

/** Reads @p bytes (1, 2, 4 or 8) at @p address from the device @p context. @return the value
 */
typedef uint64_t nova_bus_read(void *context, uint64_t address, unsigned bytes);

/** Writes @p bytes (1, 2, 4 or 8) of @p value at @p address to the device @p context. */
typedef void nova_bus_write(void *context, uint64_t address, unsigned bytes, uint64_t value);

/** Addresses of one device. An access that is only partly inside is split into bytes for the
 * device. */
struct nova_bus_range {
        uint64_t first;        /**< lowest address */
        uint64_t last;         /**< highest address */
        nova_bus_read *read;   /**< NULL: reads return all ones */
        nova_bus_write *write; /**< NULL: writes are ignored */
        void *device;          /**< context of both functions */
};

/** A bus. Zeroed memory is a bus without devices. */
struct nova_bus {
        unsigned count;   /**< ranges in use */
        uint64_t highest; /**< highest address of a range; 0 without a range */
        struct nova_bus_range range[NOVA_BUS_RANGES];
        uint64_t split; /**< ranges of nova_bus_add_bytes(): bit n for `range[n]` */
        /** Accesses outside all ranges go here: to devices whose addresses the guest chooses.
         * `last` 0: none. */
        struct nova_bus_range rest;
};

/**
 * Adds a device. Where ranges overlap, accesses go to the range that was added first.
 * @code
 * extern struct nova_bus ports; // vm.ports
 * void print(void *device, uint64_t port, unsigned bytes, uint64_t value);
 *
 * const struct nova_bus_range range = {.first = 0xe9, .last = 0xe9, .write = print};
 *
 * nova_bus_add(&ports, &range);
 * @endcode
 * @retval 0      done
 * @retval EINVAL the range ends before it begins
 * @retval ENOSPC the bus has NOVA_BUS_RANGES ranges already
 */
int nova_bus_add(struct nova_bus *bus, const struct nova_bus_range *range);

/**
 * Adds a device whose registers have a byte each, as nova_bus_add() does: larger accesses are split
 * into bytes for the device, in the order of the addresses.
 * @code
 * extern struct nova_bus ports; // vm.ports
 * extern struct nova_rtc rtc;
 * const struct nova_bus_range range = {0x70, 0x71, nova_rtc_read, nova_rtc_write, &rtc};
 *
 * nova_bus_add_bytes(&ports, &range); // OUT of AX at 0x70 writes the index and the register
 * @endcode
 * @return as nova_bus_add()
 */
int nova_bus_add_bytes(struct nova_bus *bus, const struct nova_bus_range *range);

/** Reads @p bytes (1 to 8) at @p address. @return the device's value, truncated to @p bytes; all
 * ones without a device. If several devices share the range, each byte comes from its own device,
 * as on PCs */
uint64_t nova_bus_get(const struct nova_bus *bus, uint64_t address, unsigned bytes);

/** Writes @p bytes (1 to 8) of @p value at @p address, split as for nova_bus_get(); bytes without a
 * device are ignored. */
void nova_bus_put(const struct nova_bus *bus, uint64_t address, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
