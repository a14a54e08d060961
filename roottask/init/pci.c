/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration space of PCI buses, which the kernel's information page names. */
#include <errno.h>

#include "init.h"
#include "nova/hip.h"
#include "novart/program.h"
#include "novart/region.h"

#define BUSES     256
#define BUS_BYTES 0x100000u

static void *mapped[BUSES]; /* NULL: not mapped yet */
static struct nova_mutex mutex;

/* Finds the physical address of a bus's configuration space. Returns false if the machine does not
 * map it. */
static bool find_bus(unsigned bus, uint64_t *phys)
{
        struct nova_hip_mem mem;

        if (!nova_hip_has(nova_program.hip, NOVA_HIP_PCI))
                return false;
        for (unsigned i = 0; nova_hip_get_mem(nova_program.hip, i, &mem); i++) {
                if (mem.type != NOVA_MEM_PCI || bus < mem.aux ||
                    (uint64_t)(bus - mem.aux) * BUS_BYTES >= mem.size)
                        continue;
                *phys = mem.addr + (uint64_t)(bus - mem.aux) * BUS_BYTES;
                return true;
        }
        return false;
}

int pci_get_bus(unsigned bus, struct nova_child_device *device)
{
        uint64_t phys;
        int error = 0;

        if (bus >= BUSES || !find_bus(bus, &phys))
                return ENOENT;
        nova_mutex_lock(&mutex);
        if (!mapped[bus])
                error = nova_map_physical(phys, BUS_BYTES, NOVA_MEM_R | NOVA_MEM_W, &mapped[bus]);
        nova_mutex_unlock(&mutex);
        if (error)
                return ENOENT;
        device->first = phys;
        device->last = phys + BUS_BYTES - 1;
        device->memory = mapped[bus];
        return 0;
}

void pci_revoke_buses(void)
{
        nova_mutex_lock(&mutex);
        for (unsigned bus = 0; bus < BUSES; bus++)
                if (mapped[bus])
                        devices_revoke(nova_crd_range_mem((nova_word_t)mapped[bus], BUS_BYTES,
                                                          NOVA_MEM_RWX));
        nova_mutex_unlock(&mutex);
}
