/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the function of each device of the description. */
#include "device.h"

#include <stdio.h>

#include "config.h"
#include "registers.h"
#include "scan.h"
#include "server.h"

#define CLASS_BRIDGE 0x06

struct device devices[DEVICES_MAX];
unsigned device_count;

static bool agrees(const struct nova_parent_pci_device *says,
                   const struct nova_pci_function *function)
{
        if (function->header != NOVA_PCI_HEADER_DEVICE ||
            function->class_code >> 16 == CLASS_BRIDGE || function->class_code >> 8 == CLASS_IOMMU)
                return false;
        if ((function->class_code ^ says->class_code) & says->class_mask)
                return false;
        if (says->flags & NOVA_PARENT_PCI_ID &&
            (function->vendor != says->vendor || function->device != says->device))
                return false;
        return !(says->flags & NOVA_PARENT_PCI_AT) || function->address == says->at;
}

static bool is_taken(const struct nova_pci_function *function)
{
        for (unsigned i = 0; i < device_count; i++)
                if (devices[i].state != DEVICE_ABSENT &&
                    devices[i].function.address == function->address)
                        return true;
        return false;
}

/* Reads the capability once, because a faulty device could change its registers. */
static void read_msix(struct device *device)
{
        const uint16_t address = device->function.address;
        const unsigned at = scan_capability(address, CAPABILITY_MSIX, MSIX_BYTES);

        if (!at) {
                device->function.msix_vectors = 0;
                return;
        }
        device->msix_table = config_read(address, at + MSIX_TABLE);
        device->msix_pending = config_read(address, at + MSIX_PENDING);
}

/* If several functions match a device, it gets the one with the lowest address that no earlier
 * device of the description has. So it gets the same function after a restart of this program. */
void device_find_all(const struct nova_pci_function *table, unsigned count)
{
        while (device_count < DEVICES_MAX &&
               !nova_parent_pci_describe(device_count, &devices[device_count].says)) {
                struct device *const device = &devices[device_count];

                for (unsigned i = 0; i < count && device->state == DEVICE_ABSENT; i++) {
                        if (!agrees(&device->says, &table[i]) || is_taken(&table[i]))
                                continue;
                        device->function = table[i];
                        device->state = DEVICE_FREE;
                        read_msix(device);
                }
                device_count++;
        }
}

bool device_may_master(const struct device *device)
{
        return device->is_confined || device->says.flags & NOVA_PARENT_PCI_UNPROTECTED;
}

bool device_is_above(const struct nova_pci_function *function, unsigned bus)
{
        return function->header == NOVA_PCI_HEADER_BRIDGE && function->secondary_bus &&
               bus >= function->secondary_bus && bus <= function->last_bus;
}

void device_open_bridges(const struct device *device)
{
        const struct nova_pci_function *function;

        for (unsigned i = 0; (function = pci_function(i)); i++) {
                if (!device_is_above(function, device->function.address >> 8))
                        continue;

                const uint32_t command = config_read(function->address, REG_COMMAND) & COMMAND_MASK;

                if (!(command & COMMAND_MASTER))
                        config_write(function->address, REG_COMMAND, command | COMMAND_MASTER);
        }
}

void device_command(const struct device *device, uint32_t set, uint32_t clear)
{
        const uint16_t address = device->function.address;
        const uint32_t command = config_read(address, REG_COMMAND) & COMMAND_MASK;

        /* zeroes do not change the bits of the status register */
        config_write(address, REG_COMMAND, (command & ~clear) | set);
}

struct device *device_next(bool (*waits)(const struct device *device))
{
        static unsigned last;

        for (unsigned i = 1; i <= device_count; i++) {
                const unsigned n = (last + i) % device_count;

                if (!waits(&devices[n]))
                        continue;
                last = n;
                return &devices[n];
        }
        return NULL;
}

const char *device_address(const struct device *device)
{
        static char text[16]; /* one thread at a time */
        const unsigned address = device->function.address;

        snprintf(text, sizeof(text), "%02x:%02x.%u", address >> 8, address >> 3 & 31, address & 7);
        return text;
}
