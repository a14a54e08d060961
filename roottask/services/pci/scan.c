/* SPDX-License-Identifier: BSD-2-Clause */
/* The scan of the buses (PCI Local Bus Specification 3.0, chapter 6; PCI Express 3.0, chapter 7).
 * Registers may have arbitrary values, so each loop has a bound of its own. */
#include "scan.h"

#include <stddef.h>

#include "config.h"
#include "registers.h"

#define BUSES     256u
#define DEVICES   32u
#define FUNCTIONS 8u

/* Returns the bits that stay set after all ones were written to a register. */
static uint32_t sizing_bits(uint16_t address, unsigned offset, uint32_t *old)
{
        *old = config_read(address, offset);
        config_write(address, offset, ALL_ONES);

        const uint32_t bits = config_read(address, offset);

        config_write(address, offset, *old);
        return bits;
}

/* Returns the size of a range from the masks of the address bits that can be written and of those
 * that a narrow register lacks; 0 if no bit can be written, or if the masks are not valid. */
static uint64_t size_of(uint64_t writable, uint64_t absent)
{
        const uint64_t size = ~(writable | absent) + 1;

        return writable && !(size & (size - 1)) ? size : 0;
}

/* Reads register number n of a header with `count` registers. Returns the number of registers that
 * it occupies. */
static unsigned read_bar(uint16_t address, unsigned n, unsigned count, struct nova_pci_bar *bar)
{
        uint32_t low, high = 0;
        const unsigned offset = REG_BAR + 4 * n;
        const uint32_t bits = sizing_bits(address, offset, &low);

        if (!bits || bits == ALL_ONES)
                return 1;
        if (bits & BAR_PORTS) {
                /* The upper 16 bits of the register may be absent. */
                bar->size = size_of(bits & ~PORTS_MASK & 0xffff, ~(uint64_t)0xffff);
                bar->base = low & ~PORTS_MASK & 0xffff;
                bar->flags = NOVA_PCI_BAR_PORTS;
                return 1;
        }

        uint64_t writable = bits & ~MEMORY_MASK, absent = ~(uint64_t)0xffffffff;

        bar->flags = bits & BAR_PREFETCH ? NOVA_PCI_BAR_PREFETCH : 0;
        if ((bits & BAR_TYPE) == BAR_TYPE_64) {
                if (n + 1 == count)
                        return 1;
                writable |= (uint64_t)sizing_bits(address, offset + 4, &high) << 32;
                absent = 0;
                bar->flags |= NOVA_PCI_BAR_64;
        }
        bar->size = size_of(writable, absent);
        bar->base = (uint64_t)high << 32 | (low & ~MEMORY_MASK);
        return bar->flags & NOVA_PCI_BAR_64 ? 2 : 1;
}

/* While their sizes are read, the registers hold wrong addresses, to which the function must not
 * respond. Host bridges and I/O MMUs are not changed, because the machine needs them while the scan
 * runs. */
static void read_bars(struct nova_pci_function *function)
{
        const unsigned counts[] = {NOVA_PCI_BARS, 2, 1};
        const unsigned class = function->class_code >> 8;
        const uint16_t address = function->address;

        if (function->header > NOVA_PCI_HEADER_CARDBUS || class == CLASS_HOST_BRIDGE ||
            class == CLASS_IOMMU)
                return;

        /* zeroes do not change the bits of the status register */
        const uint32_t command = config_read(address, REG_COMMAND) & COMMAND_MASK;

        config_write(address, REG_COMMAND, command & ~COMMAND_DECODES);
        for (unsigned n = 0; n < counts[function->header];)
                n += read_bar(address, n, counts[function->header], &function->bar[n]);
        config_write(address, REG_COMMAND, command);
}

static void read_capability(struct nova_pci_function *function, unsigned id, uint32_t head)
{
        const uint32_t control = head >> 16;

        if (id < 32)
                function->capabilities |= 1u << id;
        if (id == CAPABILITY_MSI && (control >> 1 & 0x7) <= MSI_VECTORS_LOG_MAX)
                function->msi_vectors = (uint8_t)(1u << (control >> 1 & 0x7));
        else if (id == CAPABILITY_EXPRESS)
                function->express_type = control >> 4 & 0xf;
        else if (id == CAPABILITY_MSIX)
                function->msix_vectors = (uint16_t)((control & 0x7ff) + 1);
}

/* Reads the first register of the capability at an offset; false if there is none. The list may be
 * circular, so *left bounds the steps. */
static bool next_capability(uint16_t address, unsigned at, unsigned *left, uint32_t *head)
{
        if (at < CAPABILITY_FIRST || !*left)
                return false;
        (*left)--;
        *head = config_read(address, at);
        return *head != ALL_ONES;
}

static unsigned first_capability(uint16_t address)
{
        return config_read(address, REG_COMMAND) & STATUS_LIST
                       ? config_read(address, REG_CAPABILITY) & 0xfc
                       : 0;
}

static void read_capabilities(struct nova_pci_function *function)
{
        unsigned left = CAPABILITIES;
        uint32_t head;

        for (unsigned at = first_capability(function->address);
             next_capability(function->address, at, &left, &head); at = head >> 8 & 0xfc)
                read_capability(function, head & 0xff, head);
}

unsigned scan_capability(uint16_t address, unsigned id, unsigned bytes)
{
        unsigned left = CAPABILITIES;
        uint32_t head;

        for (unsigned at = first_capability(address); next_capability(address, at, &left, &head);
             at = head >> 8 & 0xfc)
                if ((head & 0xff) == id)
                        return at + bytes <= CONFIG_PORT_BYTES ? at : 0;
        return 0;
}

static void read_header(struct nova_pci_function *function)
{
        const uint16_t address = function->address;
        const uint32_t class = config_read(address, REG_CLASS);
        const uint32_t interrupt = config_read(address, REG_INTERRUPT);

        function->class_code = class >> 8;
        function->revision = (uint8_t) class;
        function->interrupt_line = (uint8_t)interrupt;
        function->interrupt_pin = (interrupt >> 8 & 0xff) <= 4 ? (uint8_t)(interrupt >> 8) : 0;
        if (function->header == NOVA_PCI_HEADER_DEVICE) {
                const uint32_t subsystem = config_read(address, REG_SUBSYSTEM);

                function->subsystem_vendor = (uint16_t)subsystem;
                function->subsystem = (uint16_t)(subsystem >> 16);
        } else if (function->header <= NOVA_PCI_HEADER_CARDBUS) {
                const uint32_t buses = config_read(address, REG_BUSES);

                function->secondary_bus = (uint8_t)(buses >> 8);
                function->last_bus = (uint8_t)(buses >> 16);
        }
}

static void read_function(uint16_t address, uint32_t id, uint8_t header,
                          struct nova_pci_function *function)
{
        *function = (struct nova_pci_function){
                .address = address,
                .vendor = (uint16_t)id,
                .device = (uint16_t)(id >> 16),
                .header = header,
                .express_type = NOVA_PCI_NO_EXPRESS,
        };
        read_header(function);
        read_bars(function);
        read_capabilities(function);
}

unsigned scan_buses(struct nova_pci_function *table, unsigned max)
{
        unsigned count = 0, bus = BUSES; /* bus of the previous function */

        for (unsigned device = 0; device < BUSES * DEVICES; device++) {
                unsigned functions = 1;

                for (unsigned f = 0; f < functions; f++) {
                        const uint16_t address = (uint16_t)(device * FUNCTIONS + f);
                        const uint32_t id = config_read(address, REG_ID);

                        if ((id & 0xffff) == NO_VENDOR)
                                continue;

                        const uint8_t header = config_read(address, REG_HEADER) >> 16 & 0xff;

                        if (!f && header & HEADER_MULTIPLE)
                                functions = FUNCTIONS;
                        if (bus != address >> 8u)
                                config_map_bus(bus = address >> 8u);
                        if (count < max)
                                read_function(address, id, header & 0x7f, &table[count]);
                        count++;
                }
        }
        return count;
}

const struct nova_pci_function *scan_find(const struct nova_pci_function *table, unsigned count,
                                          uint16_t address)
{
        for (unsigned i = 0; i < count; i++)
                if (table[i].address == address)
                        return &table[i];
        return NULL;
}
