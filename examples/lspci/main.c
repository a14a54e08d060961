/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists the functions of the PCI buses, each bus below its bridge. */
#include <novart/service/pci.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

#define BUSES           256
#define FUNCTIONS_MAX   256
#define EXTENDED_OFFSET 0x100

static struct nova_session *pci;
static struct nova_pci_function functions[FUNCTIONS_MAX];
static unsigned count;
static bool shown[BUSES];

static void show_bar(const struct nova_pci_bar *bar, int indent)
{
        if (!bar->size)
                return;
        printf("%*s%s 0x%llx, %llu bytes%s%s\n", indent, "",
               bar->flags & NOVA_PCI_BAR_PORTS ? "ports" : "memory", (unsigned long long)bar->base,
               (unsigned long long)bar->size,
               bar->flags & NOVA_PCI_BAR_PREFETCH ? ", prefetchable" : "",
               bar->base ? "" : ", not assigned");
}

static void show_interrupts(unsigned vectors, const char *way)
{
        printf(", %u interrupt%s by %s", vectors, vectors == 1 ? "" : "s", way);
}

static void show_function(const struct nova_pci_function *function, int indent)
{
        const char *vendor = vendor_name(function->vendor);
        const char *device = device_name(function->vendor, function->device);

        printf("%*s%02x:%02x.%x %s: ", indent, "", function->address >> 8,
               function->address >> 3 & 0x1f, function->address & 0x7,
               class_name(function->class_code));
        if (vendor && device)
                printf("%s %s", vendor, device);
        else if (vendor)
                printf("%s %04x", vendor, function->device);
        else
                printf("%04x:%04x", function->vendor, function->device);
        if (function->msix_vectors)
                show_interrupts(function->msix_vectors, "MSI-X");
        else if (function->msi_vectors)
                show_interrupts(function->msi_vectors, "MSI");
        putchar('\n');
        for (unsigned i = 0; i < NOVA_PCI_BARS; i++)
                show_bar(&function->bar[i], indent + 8);
}

/* Returns true if a bridge on another bus leads to this bus. */
static bool has_bridge(unsigned bus)
{
        for (unsigned n = 0; n < count; n++)
                if (functions[n].header == NOVA_PCI_HEADER_BRIDGE &&
                    functions[n].secondary_bus == bus && functions[n].address >> 8 != bus)
                        return true;
        return false;
}

/* Lists the functions of a bus. A bridge may claim any bus, so each bus is shown only once. */
static void show_bus(unsigned bus, int depth)
{
        if (shown[bus])
                return;
        shown[bus] = true;
        for (unsigned n = 0; n < count; n++) {
                if (functions[n].address >> 8 != bus)
                        continue;
                show_function(&functions[n], 2 * depth);
                if (functions[n].header == NOVA_PCI_HEADER_BRIDGE)
                        show_bus(functions[n].secondary_bus, depth + 1);
        }
}

int main(void)
{
        const int error = nova_pci_open(&pci);
        uint32_t value;

        if (error) {
                printf("no session with the service pci: %s\n", strerror(error));
                return 1;
        }
        while (count < FUNCTIONS_MAX && nova_pci_stat(pci, count, &functions[count]) == 0)
                count++;
        for (unsigned bus = 0; bus < BUSES; bus++)
                if (!has_bridge(bus))
                        show_bus(bus, 0);
        /* Shows the remaining buses, whose bridges lead to each other. */
        for (unsigned bus = 0; bus < BUSES; bus++)
                show_bus(bus, 0);
        if (count)
                printf("a function has a configuration space of %u bytes\n",
                       nova_pci_read(pci, functions[0].address, EXTENDED_OFFSET, 4, &value) ? 256
                                                                                            : 4096);
        return 0;
}
