/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers the service pci: the owner of each function, and the resources of functions. The service
 * reads addresses and ports from registers of devices, which may be wrong, so init refuses ranges
 * that it knows to belong to something else. */
#include <errno.h>
#include <string.h>

#include "init.h"
#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/region.h"

#define RANGES_MAX 192                   /* of memory, and of ports: six for each of 32 devices */
#define BYTES_MAX  (UINT64_C(256) << 20) /* total size of all ranges, which init maps, too */
#define PORTS_MIN  0x1000                /* lower ports belong to the board */
#define PORTS_END  0x10000

/* Memory that the service has requested. It stays mapped for later requests. */
static struct {
        uint64_t first, bytes;
        void *memory;
} ranges[RANGES_MAX];
static unsigned range_count;
static uint64_t range_bytes;

/* Ports that the service has requested. */
static struct {
        nova_sel_t first;
        nova_word_t count;
} port_ranges[RANGES_MAX];
static unsigned port_range_count;

/* Returns true if a range of the list overlaps the range from @p first to @p last. Sets @p begin to
 * the first number of the list's range. */
static bool overlap(struct nova_system_list list, uint64_t first, uint64_t last, uint64_t *begin)
{
        for (unsigned i = 0; i < list.count; i++) {
                const struct nova_system_range *const range = &init.system.range[list.first + i];

                if (range->first > last || first > range->last)
                        continue;
                *begin = range->first;
                return true;
        }
        return false;
}

/* Returns true if some of the ports belong to the board or to a device of the description. Sets
 * @p begin to the first port of the board or of the device's range. */
static bool ports_are_taken(uint64_t first, uint64_t last, uint64_t *begin)
{
        *begin = 0;
        if (first < PORTS_MIN)
                return true;
        for (unsigned i = 0; i < init.system.devices; i++)
                if (overlap(init.system.device[i].ports, first, last, begin))
                        return true;
        return false;
}

/* Returns true if a memory descriptor of the HIP or a device of the description covers some of the
 * addresses. Sets @p begin to the first address of that memory or device. */
static bool memory_is_taken(uint64_t first, uint64_t last, uint64_t *begin)
{
        struct nova_hip_mem mem;

        for (unsigned i = 0; nova_hip_get_mem(nova_program.hip, i, &mem); i++)
                if (mem.size && mem.addr <= last && first <= mem.addr + (mem.size - 1)) {
                        *begin = mem.addr;
                        return true;
                }
        for (unsigned i = 0; i < init.system.devices; i++)
                if (overlap(init.system.device[i].memory, first, last, begin))
                        return true;
        return false;
}

/* Devices that no program uses, such as the clock, do not reserve their interrupts. */
static bool interrupt_is_free(nova_word_t gsi)
{
        uint64_t begin;

        for (unsigned i = 0; i < init.system.devices; i++)
                if (overlap(init.system.device[i].interrupts, gsi, gsi, &begin) &&
                    nova_system_owner(&init.system, init.system.device[i].name) >= 0)
                        return false;
        return true;
}

/* Returns the index of PCI device number `number` among all devices of the description. Returns the
 * number of all devices if there is no such PCI device. */
static unsigned find_device(nova_word_t number)
{
        unsigned i = 0;

        while (i < init.system.devices && (!nova_system_is_pci(&init.system.device[i]) || number--))
                i++;
        return i;
}

static int answer_device(struct nova_child_pci *question)
{
        const unsigned number = find_device(question->number);
        const struct nova_system_device *const device = &init.system.device[number];
        struct nova_parent_pci_device *const answer = &question->device;

        if (number == init.system.devices)
                return ENOENT;

        const struct nova_system_pci_match *const match = &device->pci;
        const int owner = nova_system_owner(&init.system, device->name);

        memcpy(answer->name, device->name, strlen(device->name));
        if (owner >= 0)
                memcpy(answer->program, init.system.program[owner].name,
                       strnlen(init.system.program[owner].name, sizeof(answer->program)));
        answer->class_code = match->class_code;
        answer->class_mask = match->class_mask;
        answer->vendor = match->vendor;
        answer->device = match->device;
        answer->at = match->at;
        answer->flags = (match->lines & NOVA_SYSTEM_PCI_ID ? NOVA_PARENT_PCI_ID : 0) |
                        (match->lines & NOVA_SYSTEM_PCI_AT ? NOVA_PARENT_PCI_AT : 0);
        if (match->lines & NOVA_SYSTEM_PCI_UNPROTECTED && owner >= 0 &&
            init.system.program[owner].grants & NOVA_SYSTEM_GRANT_DMA)
                answer->flags |= NOVA_PARENT_PCI_UNPROTECTED;
        return 0;
}

static int answer_memory(struct nova_child_pci *question)
{
        const uint64_t first = question->first, bytes = question->bytes;
        uint64_t begin;
        unsigned i = 0;

        if (!bytes || (first | bytes) % NOVA_PAGE_SIZE || first + (bytes - 1) < first)
                return EINVAL;
        while (i < range_count && (ranges[i].first != first || ranges[i].bytes != bytes))
                i++;
        if (i == range_count) {
                if (memory_is_taken(first, first + (bytes - 1), &begin))
                        return EACCES;
                if (i == RANGES_MAX || bytes > BYTES_MAX - range_bytes)
                        return ENOMEM;

                const int error = nova_map_physical(first, (size_t)bytes, NOVA_MEM_R | NOVA_MEM_W,
                                                    &ranges[i].memory);

                if (error)
                        return error;
                ranges[i].first = first;
                ranges[i].bytes = bytes;
                range_bytes += bytes;
                range_count++;
        }
        question->memory = ranges[i].memory;
        return 0;
}

static int request_ports(nova_sel_t first, nova_word_t count)
{
        struct nova_crd_range range = nova_crd_range_io(first, count);
        nova_crd_t crd;
        unsigned i = 0;
        int error = 0;

        while (i < port_range_count &&
               (port_ranges[i].first != first || port_ranges[i].count != count))
                i++;
        if (i < port_range_count)
                return 0;
        if (i == RANGES_MAX)
                return ENOMEM;
        while (!error && nova_crd_next(&range, &crd, NULL))
                error = nova_request(crd, nova_crd_base(crd));
        if (error)
                return error;
        port_ranges[i].first = first;
        port_ranges[i].count = count;
        port_range_count++;
        return 0;
}

static int answer_ports(const struct nova_child_pci *question)
{
        const uint64_t first = question->first, count = question->bytes;
        uint64_t begin;

        if (!count || first >= PORTS_END || count > PORTS_END - first)
                return EINVAL;
        if (ports_are_taken(first, first + count - 1, &begin))
                return EACCES;

        return request_ports((nova_sel_t)first, (nova_word_t)count);
}

static int answer_obstacle(struct nova_child_pci *question)
{
        const bool ports = question->number == NOVA_PARENT_PCI_PORTS;
        const uint64_t first = question->first, count = question->bytes;

        if (!count || first + (count - 1) < first || (ports && first + (count - 1) >= PORTS_END))
                return EINVAL;
        if (!ports && question->number != NOVA_PARENT_PCI_MEMORY)
                return EINVAL;
        question->taken = ports ? ports_are_taken(first, first + (count - 1), &question->first)
                                : memory_is_taken(first, first + (count - 1), &question->first);
        return 0;
}

static int answer_gsi(struct nova_child_pci *question)
{
        const nova_word_t gsi = question->number;

        if (gsi >= NOVA_HIP_GSI)
                return EINVAL;
        if (!interrupt_is_free(gsi))
                return EACCES;
        return devices_get_interrupt(gsi, &question->sel);
}

static int answer_quiet(const struct nova_child_pci *question)
{
        const unsigned number = find_device(question->number);

        if (number == init.system.devices)
                return ENOENT;
        quarantine_report(number, question->first);
        return 0;
}

int pci_answer(const struct program *program, struct nova_child_pci *question)
{
        if (!grants_list_has(program->says->devices, NOVA_SYSTEM_PCI))
                return EACCES;
        switch (question->kind) {
        case NOVA_PARENT_PCI_DEVICE:
                return answer_device(question);
        case NOVA_PARENT_PCI_MEMORY:
                return answer_memory(question);
        case NOVA_PARENT_PCI_PORTS:
                return answer_ports(question);
        case NOVA_PARENT_PCI_GSI:
                return answer_gsi(question);
        case NOVA_PARENT_PCI_QUIET:
                return answer_quiet(question);
        case NOVA_PARENT_PCI_OBSTACLE:
                return answer_obstacle(question);
        case NOVA_PARENT_PCI_WATCH:
                quarantine_watch(question->sel);
                return 0;
        default:
                return EINVAL;
        }
}

void pci_take(void)
{
        for (unsigned i = 0; i < range_count; i++)
                devices_revoke(nova_crd_range_mem((nova_word_t)ranges[i].memory, ranges[i].bytes,
                                                  NOVA_MEM_RWX));
        for (unsigned i = 0; i < port_range_count; i++)
                devices_revoke(nova_crd_range_io(port_ranges[i].first, port_ranges[i].count));
        for (nova_word_t gsi = 0; gsi < NOVA_HIP_GSI; gsi++)
                if (interrupt_is_free(gsi))
                        devices_revoke_interrupt(gsi);
        pci_revoke_buses();
}

/* Tries to assign a function, which the kernel does only if there is an I/O MMU. Takes the first
 * host bridge for this: it exists on every machine, and does no DMA of its own, so that its
 * assignment to init is harmless. */
bool pci_has_iommu(void)
{
        static enum { UNKNOWN, NO, YES } known;
        struct nova_child_device bus;

        if (known == UNKNOWN)
                known = !pci_get_bus(0, &bus) &&
                                        nova_assign_pci(nova_program.pd, (nova_word_t)bus.memory,
                                                        0) == NOVA_SUCCESS
                                ? YES
                                : NO;
        return known == YES;
}

/* This function does not look for devices that could access all memory even with an I/O MMU:
 * nova_system_read() refuses a description that has such devices. */
const struct nova_system_device *pci_unprotected(const struct nova_system_program *says)
{
        for (unsigned i = 0; i < init.system.devices; i++) {
                const struct nova_system_device *const device = &init.system.device[i];

                if (grants_list_has(says->devices, device->name) &&
                    nova_system_is_unprotected(&init.system, says, device, false) &&
                    !pci_has_iommu())
                        return device;
        }
        return NULL;
}
