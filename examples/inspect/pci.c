/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions, read through the ports 0xcf8 and 0xcfc (PCI Local Bus Specification 3.0, chapter
 * 3.2.2.3). */
#include <nova/arch/port.h>
#include <nova/crd.h>
#include <nova/hip.h>
#include <nova/hypercall.h>
#include <novart/program.h>
#include <novart/region.h>
#include <stdio.h>
#include <string.h>

#include "inspect.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define PORT_ORDER   3
#define ENABLE       0x80000000u

#define FUNCTIONS    0x10000u /* number of addresses that a function may have */
#define REG_ID       0x00
#define REG_CLASS    0x08
#define REG_HEADER   0x0c
#define NO_VENDOR    0xffff
#define MULTIPLE     0x80 /* bit of the header type: the device has more than one function */
#define PAGE         4096u
#define CLASS_BRIDGE 0x06
#define CLASS_IOMMU  0x0806

/* ROW(class << 8 | subclass, "name of the section") */
#define NAME_ROWS(ROW)        \
        ROW(0x0100, "scsi")   \
        ROW(0x0101, "ide")    \
        ROW(0x0104, "raid")   \
        ROW(0x0106, "sata")   \
        ROW(0x0107, "sas")    \
        ROW(0x0108, "nvme")   \
        ROW(0x0200, "nic")    \
        ROW(0x0280, "nic")    \
        ROW(0x0300, "vga")    \
        ROW(0x0380, "screen") \
        ROW(0x0401, "audio")  \
        ROW(0x0403, "audio")  \
        ROW(0x0c03, "usb")    \
        ROW(0x0c05, "smbus")

static struct pci_function functions[PCI_FUNCTIONS_MAX];
static unsigned count; /* may exceed PCI_FUNCTIONS_MAX */

static uint32_t read_register(uint32_t address, unsigned offset)
{
        nova_out32(PORT_ADDRESS, ENABLE | address << 8 | offset);
        return nova_in32(PORT_DATA);
}

static void find(void)
{
        bool multiple = false;

        for (uint32_t address = 0; address < FUNCTIONS; address++) {
                if (address % 8 && !multiple)
                        continue;
                if (address % 8 == 0)
                        multiple = false;

                const uint32_t id = read_register(address, REG_ID);

                if ((id & 0xffff) == NO_VENDOR)
                        continue;

                const uint8_t header = read_register(address, REG_HEADER) >> 16 & 0xff;

                if (address % 8 == 0)
                        multiple = header & MULTIPLE;
                if (count < PCI_FUNCTIONS_MAX)
                        functions[count] = (struct pci_function){
                                (uint16_t)address, (uint16_t)id, (uint16_t)(id >> 16),
                                read_register(address, REG_CLASS) >> 8, header & ~MULTIPLE};
                count++;
        }
}

static bool is_device(const struct pci_function *function)
{
        return function->header == 0 && function->class_code >> 16 != CLASS_BRIDGE &&
               function->class_code >> 8 != CLASS_IOMMU;
}

static bool find_memory(struct nova_hip_mem *memory)
{
        return nova_hip_has(nova_program.hip, NOVA_HIP_PCI) &&
               nova_hip_find_mem(nova_program.hip, NOVA_MEM_PCI, memory);
}

/* Prints whether the I/O MMU is in use: only then can a device be assigned to a protection
 * domain. */
static void print_iommu(const struct nova_hip_mem *space)
{
        for (unsigned i = 0; i < count && i < PCI_FUNCTIONS_MAX; i++) {
                const struct pci_function *const function = &functions[i];
                const uint64_t page = (uint64_t)(function->address - (space->aux << 8)) * PAGE;
                void *memory;

                if (!is_device(function) || function->address >> 8 < space->aux ||
                    page >= space->size ||
                    nova_map_physical(space->addr + page, PAGE, NOVA_MEM_R, &memory))
                        continue;

                const bool used = nova_assign_pci(nova_program.pd, (nova_word_t)memory,
                                                  function->address) == NOVA_SUCCESS;

                nova_region_free(memory);
                printf("# I/O MMU: %s.\n",
                       used ? "in use; a device with DMA reaches only the memory of its driver"
                            : "none in use; a device with DMA reaches all memory");
                return;
        }
        puts("# I/O MMU: unknown, because no device has its configuration space in memory.");
}

void pci_print(void)
{
        struct nova_hip_mem space;

        if (nova_request(nova_crd_io(PORT_ADDRESS, PORT_ORDER), PORT_ADDRESS)) {
                puts("# PCI: the kernel does not grant the configuration ports to this program.");
                return;
        }
        find();
        if (!count) {
                puts("# PCI: the machine has no PCI bus, or its configuration ports do not "
                     "answer.");
                return;
        }
        printf("# PCI: %u function%s; ", count, count == 1 ? "" : "s");
        if (!find_memory(&space)) {
                puts("the configuration space is not in memory, so devices cannot send interrupts "
                     "as messages.");
                puts("# I/O MMU: none in use; a device with DMA reaches all memory.");
                return;
        }
        printf("the configuration space of buses %u to %u is in memory.\n", (unsigned)space.aux,
               (unsigned)(space.aux + (space.size >> 20) - 1));
        print_iommu(&space);
}

static const char *name_of(uint32_t class_code)
{
        switch (class_code >> 8) {
#define NAME_CASE(number, name) \
        case number:            \
                return name;
                NAME_ROWS(NAME_CASE)
#undef NAME_CASE
        default:
                return "device";
        }
}

/* Returns the number of devices up to function n that have the name of function n. */
static unsigned number_of(unsigned n)
{
        const char *const name = name_of(functions[n].class_code);
        unsigned number = 0;

        for (unsigned i = 0; i <= n; i++)
                number += is_device(&functions[i]) &&
                          strcmp(name_of(functions[i].class_code), name) == 0;
        return number;
}

static void describe(unsigned n)
{
        const struct pci_function *const function = &functions[n];
        const unsigned number = number_of(n), bus = function->address >> 8;
        const unsigned device = function->address >> 3 & 0x1f, f = function->address & 0x7;

        printf("\ndevice %s", name_of(function->class_code));
        if (number > 1)
                printf("-%u", number);
        printf(" # %02x:%02x.%x\n        class 0x%04x\n        id %04x:%04x\n"
               "        at %02x:%02x.%x\n",
               bus, device, f, (unsigned)function->class_code >> 8, function->vendor,
               function->device, bus, device, f);
}

void pci_describe(void)
{
        if (!count)
                return;
        puts("\nprogram pci\n        devices pci-config\n        provides pci\n"
             "        kernel-memory 256K");
        if (count > PCI_FUNCTIONS_MAX)
                printf("\n# The first %u functions:\n", PCI_FUNCTIONS_MAX);
        for (unsigned i = 0; i < count && i < PCI_FUNCTIONS_MAX; i++)
                if (is_device(&functions[i]))
                        describe(i);
}
