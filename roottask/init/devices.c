/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: init requests ports, memory and interrupts from the kernel when a program first asks for
 * them. */
#include <errno.h>
#include <string.h>

#include "init.h"
#include "memory.h"
#include "nova/console.h"
#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "novart/console.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"

/* The ports and the memory that init holds of each range. */
static struct {
        bool there;
        void *memory;
} had[NOVA_SYSTEM_RANGES_MAX];

static nova_sel_t semaphores[NOVA_HIP_GSI]; /* of interrupts; 0: not requested yet */

static int get_ports(const struct nova_system_range *range)
{
        struct nova_crd_range ports = {NOVA_CRD_IO, NOVA_IO_A, (nova_sel_t)range->first,
                                       (nova_sel_t)range->first,
                                       (nova_word_t)(range->last - range->first + 1)};
        nova_crd_t crd;
        int error = 0;

        while (!error && nova_crd_next(&ports, &crd, NULL))
                error = nova_request(crd, nova_crd_base(crd));
        return error;
}

int devices_get_interrupt(nova_word_t gsi, nova_sel_t *sel)
{
        if (!semaphores[gsi]) {
                *sel = nova_sel_alloc(0);
                if (*sel == NOVA_SEL_NONE)
                        return ENOMEM;

                const int error = nova_request(
                        nova_crd_obj(NOVA_SEL_GSI_SM + gsi, 0, NOVA_SM_UP | NOVA_SM_DN), *sel);

                if (error) {
                        nova_sel_free(*sel, 0);
                        return error;
                }
                semaphores[gsi] = *sel;
        }
        *sel = semaphores[gsi];
        return 0;
}

static int get(unsigned kind, unsigned number)
{
        const struct nova_system_range *const range = &init.system.range[number];
        int error = ENOENT;

        if (kind == NOVA_PARENT_PORTS)
                error = get_ports(range);
        else if (kind == NOVA_PARENT_MEMORY)
                error = nova_map_physical(range->first, (size_t)(range->last - range->first + 1),
                                          NOVA_MEM_R | NOVA_MEM_W, &had[number].memory);
        had[number].there = !error;
        return error;
}

/* Finds the range of a list that an index selects. Each interrupt of a range has an index of its
 * own. */
static bool find(struct nova_system_list list, unsigned kind, unsigned index, unsigned *number,
                 struct nova_system_range *found)
{
        for (unsigned i = 0; i < list.count; i++) {
                const struct nova_system_range *const range = &init.system.range[list.first + i];
                const uint64_t parts =
                        kind == NOVA_PARENT_INTERRUPT ? range->last - range->first + 1 : 1;

                if (index >= parts) {
                        index -= (unsigned)parts;
                        continue;
                }
                *number = list.first + i;
                *found = *range;
                if (kind == NOVA_PARENT_INTERRUPT)
                        found->first = found->last = range->first + index;
                return true;
        }
        return false;
}

static bool has_console(const struct nova_system_device *says)
{
        for (unsigned i = 0; i < says->ports.count; i++) {
                const struct nova_system_range *const range =
                        &init.system.range[says->ports.first + i];

                if (range->first <= NOVA_CONSOLE_COM1 && range->last >= NOVA_CONSOLE_COM1)
                        return true;
        }
        return false;
}

const char *devices_taken(const struct nova_system_program *says,
                          const struct nova_system_device **device,
                          const struct nova_system_range **range)
{
        for (unsigned i = 0; i < init.system.devices; i++) {
                *device = &init.system.device[i];
                if (!grants_list_has(says->devices, (*device)->name))
                        continue;
                for (unsigned k = 0; k < (*device)->memory.count; k++) {
                        *range = &init.system.range[(*device)->memory.first + k];

                        const char *const content =
                                memory_content(nova_program.hip, (*range)->first, (*range)->last);

                        if (content)
                                return content;
                }
        }
        return NULL;
}

int devices_get(const char *name, unsigned index, struct nova_child_device *device)
{
        const int at = nova_system_find_device(&init.system, name);
        struct nova_system_range range;
        unsigned number;

        if (at < 0)
                return ENOENT;

        const struct nova_system_device *const says = &init.system.device[at];

        if (device->kind == NOVA_PARENT_CONSOLE)
                return has_console(says) && !index ? nova_console_turn(&device->sel) : ENOENT;

        if (device->kind == NOVA_PARENT_MEMORY && strcmp(name, NOVA_SYSTEM_PCI) == 0)
                return pci_get_bus(index, device);

        const struct nova_system_list list = device->kind == NOVA_PARENT_PORTS ? says->ports
                                             : device->kind == NOVA_PARENT_MEMORY
                                                     ? says->memory
                                                     : says->interrupts;

        if (!find(list, device->kind, index, &number, &range))
                return ENOENT;
        device->first = range.first;
        device->last = range.last;
        if (device->kind == NOVA_PARENT_INTERRUPT)
                return devices_get_interrupt((nova_word_t)range.first, &device->sel) ? ENOENT : 0;
        if (!had[number].there && get(device->kind, number))
                return ENOENT;
        device->memory = had[number].memory;
        return 0;
}

void devices_revoke(struct nova_crd_range range)
{
        nova_crd_t crd;

        while (nova_crd_next(&range, &crd, NULL))
                nova_revoke(crd, 0);
}

void devices_revoke_interrupt(nova_word_t gsi)
{
        if (semaphores[gsi])
                nova_revoke(nova_crd_obj(semaphores[gsi], 0, NOVA_PERM_ALL), 0);
}

static void take_ranges(unsigned kind, struct nova_system_list list)
{
        for (unsigned number = list.first; number < list.first + list.count; number++) {
                const struct nova_system_range *const range = &init.system.range[number];
                const uint64_t count = range->last - range->first + 1;

                if (!had[number].there)
                        continue;
                if (kind == NOVA_PARENT_PORTS)
                        devices_revoke(
                                nova_crd_range_io((nova_sel_t)range->first, (nova_word_t)count));
                else
                        devices_revoke(nova_crd_range_mem((nova_word_t)had[number].memory, count,
                                                          NOVA_MEM_RWX));
        }
}

static void take_device(const struct nova_system_device *says)
{
        nova_sel_t turn;

        take_ranges(NOVA_PARENT_PORTS, says->ports);
        take_ranges(NOVA_PARENT_MEMORY, says->memory);
        for (unsigned i = 0; i < says->interrupts.count; i++) {
                const struct nova_system_range *const range =
                        &init.system.range[says->interrupts.first + i];

                for (uint64_t gsi = range->first; gsi <= range->last; gsi++)
                        devices_revoke_interrupt((nova_word_t)gsi);
        }
        if (has_console(says) && !nova_console_turn(&turn))
                nova_revoke(nova_crd_obj(turn, 0, NOVA_PERM_ALL), 0);
}

/* No other program of the description has a resource of these devices: nova_system_read() refuses
 * such a description. */
void devices_take(const struct nova_system_program *says)
{
        for (unsigned i = 0; i < init.system.devices; i++)
                if (grants_list_has(says->devices, init.system.device[i].name))
                        take_device(&init.system.device[i]);
        if (grants_list_has(says->devices, NOVA_SYSTEM_PCI))
                pci_take();
}
