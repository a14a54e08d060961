/* SPDX-License-Identifier: BSD-2-Clause */
/* A PCI host bridge (see novavmm/pci.h); PCI Local Bus Specification 3.0, 3.2.2.3. */
#include "novavmm/pci.h"

#include <errno.h>
#include <string.h>

#define ADDRESS 0xcf8
#define DATA    0xcfc

#define COMMAND_PORTS  0x0001u
#define COMMAND_MEMORY 0x0002u
#define COMMAND_KEEPS  0x0404u /* bus master, interrupt disable */
#define BAR_TYPE       0x000fu
#define BAR_IS_PORT    0x0001u
#define PORT_BAR_TYPE  0x0003u

#define ADDRESS_ENABLE 0x80000000
#define ADDRESS_KEEPS  0x80fffffc

/* The bridge's identification: that of QEMU's generic host bridge. */
#define BRIDGE_VENDOR  0x1b36
#define BRIDGE_PRODUCT 0x0008
#define BRIDGE_CLASS   0x060000

void nova_vpci_identify(struct nova_vpci_device *device, uint16_t vendor, uint16_t product,
                        uint32_t class_code)
{
        device->config[0] = (uint32_t)product << 16 | vendor;
        device->config[2] = class_code << 8;
}

void nova_vpci_init(struct nova_vpci *pci)
{
        memset(pci, 0, sizeof(*pci));
        nova_vpci_identify(&pci->bridge, BRIDGE_VENDOR, BRIDGE_PRODUCT, BRIDGE_CLASS);
        pci->device[0] = &pci->bridge;
}

int nova_vpci_add(struct nova_vpci *pci, unsigned number, struct nova_vpci_device *device)
{
        if (number >= NOVA_VPCI_DEVICES)
                return EINVAL;
        if (pci->device[number])
                return EBUSY;
        pci->device[number] = device;
        return 0;
}

/* Returns the device that the address register selects; all devices are function 0 on bus 0. */
static struct nova_vpci_device *selected(const struct nova_vpci *pci)
{
        if (!(pci->address & ADDRESS_ENABLE) || pci->address & 0x00ff0700)
                return NULL;
        return pci->device[pci->address >> 11 & 31];
}

static uint32_t mask(unsigned bytes)
{
        return bytes >= 4 ? UINT32_MAX : (1u << 8 * bytes) - 1;
}

uint64_t nova_vpci_read(void *context, uint64_t port, unsigned bytes)
{
        const struct nova_vpci *const pci = context;
        const unsigned shift = 8 * (port & 3);

        if (port < DATA)
                return port == ADDRESS && bytes == 4 ? pci->address : UINT32_MAX;
        if (bytes > 4 - (port & 3))
                return UINT32_MAX;

        struct nova_vpci_device *const device = selected(pci);
        const unsigned reg = pci->address >> 2 & 63;

        if (!device)
                return UINT32_MAX;
        if (device->refresh)
                device->refresh(device->context, reg);
        return device->config[reg] >> shift;
}

void nova_vpci_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_vpci *const pci = context;
        const unsigned shift = 8 * (port & 3);

        if (port == ADDRESS && bytes == 4)
                pci->address = (uint32_t)value & ADDRESS_KEEPS;
        if (port < DATA || bytes > 4 - (port & 3))
                return;

        struct nova_vpci_device *const device = selected(pci);
        const unsigned reg = pci->address >> 2 & 63;

        if (!device)
                return;

        const uint32_t changes = mask(bytes) << shift & device->writable[reg];

        device->config[reg] =
                (device->config[reg] & ~changes) | ((uint32_t)value << shift & changes);
        if (device->changed)
                device->changed(device->context, reg);
}

void nova_vpci_set_memory(struct nova_vpci_device *device, uint32_t address, uint32_t bytes)
{
        device->memory_bytes = bytes;
        device->config[NOVA_VPCI_BAR] = address;
        device->writable[NOVA_VPCI_BAR] = ~(bytes - 1);
        device->config[NOVA_VPCI_COMMAND] |= COMMAND_MEMORY;
        device->writable[NOVA_VPCI_COMMAND] |= COMMAND_KEEPS | COMMAND_MEMORY;
}

void nova_vpci_set_ports(struct nova_vpci_device *device, uint32_t port, uint32_t ports)
{
        device->ports = ports;
        device->config[NOVA_VPCI_PORT_BAR] = port | BAR_IS_PORT;
        /* SeaBIOS expects the upper 16 bits, too, which a PC's ports do not have. */
        device->writable[NOVA_VPCI_PORT_BAR] = ~(ports - 1);
        device->config[NOVA_VPCI_COMMAND] |= COMMAND_PORTS;
        device->writable[NOVA_VPCI_COMMAND] |= COMMAND_KEEPS | COMMAND_PORTS;
}

/* Returns the device with registers at an address or port, if they include all bytes of the access.
 */
static inline struct nova_vpci_device *find(const struct nova_vpci *pci, bool port,
                                            uint64_t address, unsigned bytes)
{
        for (unsigned i = 0; i < NOVA_VPCI_DEVICES; i++) {
                struct nova_vpci_device *const device = pci->device[i];

                if (!device ||
                    !(device->config[NOVA_VPCI_COMMAND] & (port ? COMMAND_PORTS : COMMAND_MEMORY)))
                        continue;

                if (device->decodes && !port) {
                        if (device->decodes(device->context, address, bytes))
                                return device;
                        continue;
                }

                const uint32_t size = port ? device->ports : device->memory_bytes;
                const uint64_t first = port ? device->config[NOVA_VPCI_PORT_BAR] & ~PORT_BAR_TYPE
                                            : device->config[NOVA_VPCI_BAR] & ~BAR_TYPE;

                if (address >= first && address - first < size && bytes <= size - (address - first))
                        return device;
        }
        return NULL;
}

struct nova_vpci_device *nova_vpci_memory_device(const struct nova_vpci *pci, uint64_t address,
                                                 unsigned bytes)
{
        return find(pci, false, address, bytes);
}

static uint64_t offset(const struct nova_vpci_device *device, uint64_t address)
{
        return device->decodes ? address : address & (device->memory_bytes - 1);
}

uint64_t nova_vpci_memory_read(void *context, uint64_t address, unsigned bytes)
{
        const struct nova_vpci_device *const device = find(context, false, address, bytes);

        if (!device || !device->memory_read)
                return UINT64_MAX;
        return device->memory_read(device->context, offset(device, address), bytes);
}

void nova_vpci_memory_write(void *context, uint64_t address, unsigned bytes, uint64_t value)
{
        const struct nova_vpci_device *const device = find(context, false, address, bytes);

        if (device && device->memory_write)
                device->memory_write(device->context, offset(device, address), bytes, value);
}

uint64_t nova_vpci_port_read(void *context, uint64_t port, unsigned bytes)
{
        const struct nova_vpci_device *const device = find(context, true, port, bytes);

        if (!device || !device->port_read)
                return UINT64_MAX;
        return device->port_read(device->context, port & (device->ports - 1), bytes);
}

void nova_vpci_port_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        const struct nova_vpci_device *const device = find(context, true, port, bytes);

        if (device && device->port_write)
                device->port_write(device->context, port & (device->ports - 1), bytes, value);
}
