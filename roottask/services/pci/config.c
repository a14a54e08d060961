/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space by memory where the machine maps it, else by the ports 0xcf8 and 0xcfc. */
#include "config.h"

#include "nova/arch/port.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/parent.h"

#define DEVICE       "pci-config"
#define BUSES        256
#define FUNCTIONS    256u /* functions of a bus */
#define BUS_BYTES    0x100000u
#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define ENABLE       0x80000000u

static volatile uint32_t *bus_memory[BUSES]; /* NULL: not mapped */

/* Bit n: the page of function n of the bus is mapped. Functions that the kernel keeps, such as an
 * I/O MMU, have no mapped page; they are read through the ports and never written. */
static uint32_t function_mapped[BUSES][FUNCTIONS / 32];

int config_init(void)
{
        uint16_t first, last;

        return nova_parent_ports(DEVICE, 0, &first, &last);
}

void config_map_bus(unsigned bus)
{
        void *memory;
        size_t bytes;

        if (bus_memory[bus] || nova_parent_memory(DEVICE, bus, &memory, &bytes) ||
            bytes != BUS_BYTES)
                return;
        for (unsigned f = 0; f < FUNCTIONS; f++) {
                nova_crd_t crd = nova_crd_mem(((nova_word_t)memory >> NOVA_PAGE_BITS) + f, 0, 0);

                nova_lookup(&crd);
                if (nova_crd_type(crd) == NOVA_CRD_MEM)
                        function_mapped[bus][f / 32] |= 1u << f % 32;
        }
        bus_memory[bus] = memory;
}

static bool is_mapped(uint16_t address)
{
        return function_mapped[address >> 8][(address & 0xff) / 32] >> address % 32 & 1;
}

bool config_reaches(uint16_t address, unsigned offset)
{
        return offset < (is_mapped(address) ? CONFIG_BYTES : CONFIG_PORT_BYTES);
}

static volatile uint32_t *register_of(uint16_t address, unsigned offset)
{
        volatile uint32_t *const memory = bus_memory[address >> 8];

        return is_mapped(address)
                       ? &memory[((address & 0xffu) * CONFIG_BYTES + offset) / sizeof(*memory)]
                       : NULL;
}

nova_word_t config_page(uint16_t address)
{
        return (nova_word_t)register_of(address, 0);
}

uint32_t config_read(uint16_t address, unsigned offset)
{
        const volatile uint32_t *const memory = register_of(address, offset);

        if (memory)
                return *memory;
        if (offset >= CONFIG_PORT_BYTES)
                return UINT32_MAX; /* the ports would reach another function */
        nova_out32(PORT_ADDRESS, ENABLE | (uint32_t)address << 8 | offset);
        return nova_in32(PORT_DATA);
}

void config_write(uint16_t address, unsigned offset, uint32_t value)
{
        volatile uint32_t *const memory = register_of(address, offset);

        if (memory) {
                *memory = value;
                return;
        }
        if (bus_memory[address >> 8] || offset >= CONFIG_PORT_BYTES)
                return;
        nova_out32(PORT_ADDRESS, ENABLE | (uint32_t)address << 8 | offset);
        nova_out32(PORT_DATA, value);
}
