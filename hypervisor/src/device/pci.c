/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions (see pci.h). */
#include "device/pci.h"

#include "arch/x86/boot_paging.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/console.h"
#include "lib/string.h"
#include "object/pd.h"

/* A function has a page of its own: bus << 8 | device << 3 | function (PCIe 3.0, 7.2.2). */
#define FUNCTION_SIZE    PAGE_SIZE
#define FUNCTIONS        8   /* functions of a device */
#define BUS_FUNCTIONS    256 /* functions of a bus */
#define RIDS             0x10000
#define REG_ID           (0x00 / 4)
#define REG_HEADER       (0x0c / 4)
#define REG_BUSES        (0x18 / 4)
#define SECONDARY_SHIFT  8
#define NO_DEVICE        0xffff
#define IS_MULTIFUNCTION 0x800000

static uint32_t exists[RIDS / 32]; /* fixed after pci_init */

static bool pci_scan_function(const volatile char *bus, unsigned function, unsigned rid)
{
        const volatile uint32_t *registers =
                (const volatile void *)(bus + (word_t)function * FUNCTION_SIZE);

        if ((registers[REG_ID] & 0xffff) == NO_DEVICE)
                return false;
        exists[rid / 32] |= 1u << rid % 32;
        return registers[REG_HEADER] & IS_MULTIFUNCTION;
}

static void pci_scan_bus(const volatile char *registers, unsigned bus)
{
        for (unsigned first = 0; first < BUS_FUNCTIONS; first += FUNCTIONS) {
                const bool all = pci_scan_function(registers, first, bus << 8 | first);
                for (unsigned f = first + 1; all && f < first + FUNCTIONS; f++)
                        pci_scan_function(registers, f, bus << 8 | f);
        }
}

/* Returns true if a window that firmware reported is aligned and mappable, and overlaps neither RAM
 * nor anything else that the kernel knows. */
static bool pci_is_sound(const struct acpi_pci_window *window)
{
        const paddr_t start = window->phys + window->first * PCI_BUS_SIZE;
        const uint64_t size = (window->last - window->first + 1u) * PCI_BUS_SIZE;

        return !(window->phys % PCI_BUS_SIZE) && start >= window->phys && start < boot_phys_end &&
               size <= boot_phys_end - start && !memory_map_is_ram(start, size) &&
               !memory_map_is_taken(start, size);
}

static void pci_scan_window(const struct acpi_pci_window *window)
{
        for (unsigned bus = window->first; bus <= window->last; bus++) {
                const void *registers =
                        boot_map_device(0, window->phys + bus * PCI_BUS_SIZE, PCI_BUS_SIZE);
                if (!registers)
                        return;
                pci_scan_bus(registers, bus);
        }
}

void pci_init(void)
{
        memset(exists, 0, sizeof(exists));
        for (unsigned i = 0; i < acpi.windows;) {
                if (pci_is_sound(&acpi.window[i])) {
                        pci_scan_window(&acpi.window[i++]);
                        continue;
                }
                console_print("NOVA: PCI configuration space cannot be at 0x%llx and is ignored.\n",
                              (unsigned long long)acpi.window[i].phys);
                acpi.window[i] = acpi.window[--acpi.windows];
        }
}

bool pci_exists(uint16_t rid)
{
        return exists[rid / 32] >> rid % 32 & 1;
}

static paddr_t pci_config_of(uint16_t rid)
{
        for (unsigned i = 0; i < acpi.windows; i++)
                if (rid >> 8 >= acpi.window[i].first && rid >> 8 <= acpi.window[i].last)
                        return acpi.window[i].phys + (paddr_t)rid * FUNCTION_SIZE;
        return 0;
}

unsigned pci_bus_behind(uint16_t rid)
{
        const paddr_t phys = pci_config_of(rid);
        const volatile uint32_t *registers = phys ? boot_map_device(0, phys, FUNCTION_SIZE) : NULL;

        return registers ? registers[REG_BUSES] >> SECONDARY_SHIFT & 0xff : 0;
}

volatile uint32_t *pci_take(uint16_t rid)
{
        const paddr_t phys = pci_exists(rid) ? pci_config_of(rid) : 0;

        if (!phys)
                return NULL;
        memory_map_take(phys, FUNCTION_SIZE, true);
        return boot_map_device(0, phys, FUNCTION_SIZE);
}

/* Finds the function whose page is a frame. */
static bool pci_find_frame(word_t frame, uint16_t *rid)
{
        for (unsigned i = 0; i < acpi.windows; i++) {
                const struct acpi_pci_window *window = &acpi.window[i];
                const uint64_t page = (uint64_t)frame - (window->phys >> PAGE_BITS);

                if (page >> 8 < window->first || page >> 8 > window->last)
                        continue;
                *rid = (uint16_t)page;
                if (pci_exists(*rid))
                        return true;
        }
        return false;
}

bool pci_find(struct pd *pd, word_t device, uint16_t *rid)
{
        word_t frame;

        return (mapping_source(&pd->memory.space, device >> PAGE_BITS, &frame) &&
                pci_find_frame(frame, rid)) ||
               (mapping_source(&pd->memory.space, device, &frame) && pci_find_frame(frame, rid));
}
