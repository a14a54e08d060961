/* SPDX-License-Identifier: BSD-2-Clause */
/* The service pci: describes the functions that its scan has found, reads their registers, and
 * gives the functions to drivers. */
#include "server.h"

#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "device.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/status.h"
#include "novart/program.h"
#include "registers.h"
#include "scan.h"

#define FUNCTIONS_MAX 256

static struct nova_pci_function functions[FUNCTIONS_MAX]; /* fixed once the service has started */
static unsigned function_count;
static bool is_full; /* functions with higher addresses are ignored */

struct nova_pci_function *pci_function(unsigned number)
{
        return number < function_count ? &functions[number] : NULL;
}

bool pci_knows_bus(unsigned bus)
{
        return !is_full || bus < functions[function_count - 1].address >> 8u;
}

static int describe(struct nova_request *request)
{
        if (request->word[0] >= function_count)
                return ENOENT;
        nova_request_answer_bytes(request, &functions[request->word[0]], sizeof(functions[0]));
        return 0;
}

static int read_register(struct nova_request *request)
{
        const nova_word_t address = request->word[0], offset = request->word[1];
        const nova_word_t bytes = request->word[2];

        if ((bytes != 1 && bytes != 2 && bytes != 4) || offset % bytes || offset >= CONFIG_BYTES)
                return EINVAL;
        if (address > UINT16_MAX || !scan_find(functions, function_count, (uint16_t)address))
                return ENOENT;
        if (!config_reaches((uint16_t)address, (unsigned)offset))
                return ENOTSUP;

        const uint32_t value = config_read((uint16_t)address, (unsigned)offset & ~3u);

        nova_request_answer(request, value >> offset % 4 * 8 & (UINT32_MAX >> (32 - 8 * bytes)));
        return 0;
}

/* The device that the argument of the session names; NULL if there was no argument. */
struct state {
        struct device *device;
};

static struct device *device_of(const struct nova_request *request)
{
        return ((const struct state *)request->state)->device;
}

static int open_session(struct nova_request *request, const char *name)
{
        return *name ? claim_device(request, name, &((struct state *)request->state)->device) : 0;
}

static void close_session(struct nova_service *service, void *state)
{
        struct device *const device = ((struct state *)state)->device;

        if (device)
                claim_end(service, device);
}

static int describe_own(struct nova_request *request)
{
        const struct device *const device = device_of(request);

        if (!device)
                return EBADF;
        nova_request_answer(request, (device->is_confined ? NOVA_PCI_CONFINED : 0) |
                                             (device_may_master(device) ? NOVA_PCI_MASTER : 0));
        nova_request_answer_bytes(request, &device->function, sizeof(device->function));
        return 0;
}

/* Gives the largest naturally aligned block that begins at the page, has at most the client's
 * order, and contains no page that must be withheld. Words of the answer: pages to skip (1 if the
 * page itself is withheld, else 0), pages given. */
static int map(struct nova_request *request)
{
        struct device *const device = device_of(request);
        const unsigned bar =
                request->word[0] < NOVA_PCI_BARS ? (unsigned)request->word[0] : NOVA_PCI_BARS;
        const nova_word_t page = request->word[1];
        unsigned order = 0;

        if (!device)
                return EBADF;

        const int error = memory_map(device, bar);

        if (error)
                return error;

        const nova_word_t pages = memory_pages(device, bar);

        if (page >= pages || request->word[2] >= NOVA_WORD_BITS - NOVA_PAGE_BITS)
                return EINVAL;
        if (memory_is_withheld(device, bar, page)) {
                nova_request_answer(request, 1);
                nova_request_answer(request, 0);
                return 0;
        }
        while (order < request->word[2] && !(page >> order & 1) &&
               page + ((nova_word_t)2 << order) <= pages &&
               memory_is_open(device, bar, page, (size_t)2 << order))
                order++;
        nova_request_answer(request, 0);
        nova_request_answer(request, (nova_word_t)1 << order);
        nova_request_give(request,
                          nova_crd_mem(((nova_word_t)device->memory[bar] >> NOVA_PAGE_BITS) + page,
                                       order, NOVA_MEM_R | NOVA_MEM_W));
        return 0;
}

static int ports(struct nova_request *request)
{
        struct device *const device = device_of(request);
        const unsigned bar =
                request->word[0] < NOVA_PCI_BARS ? (unsigned)request->word[0] : NOVA_PCI_BARS;

        if (!device)
                return EBADF;

        const int error = memory_ports(device, bar);

        if (error)
                return error;

        const struct nova_pci_bar *const range = &device->function.bar[bar];

        nova_request_answer(request, (nova_word_t)range->base);
        nova_request_answer(request, (nova_word_t)range->size);
        nova_request_give(request, nova_crd_io((nova_sel_t)range->base,
                                               nova_crd_order_for((nova_word_t)range->size)));
        return 0;
}

/* The requested CPU must be that of the call, so that no driver uses the time of other CPUs. */
static int interrupts(struct nova_request *request)
{
        struct device *const device = device_of(request);
        const nova_word_t wanted = request->word[0], cpu = request->word[1];

        if (!device)
                return EBADF;
        if (!wanted || wanted > NOVA_PCI_INTERRUPTS_MAX || cpu != request->cpu)
                return EINVAL;
        if (device->resetting)
                return EBUSY;

        const int error = interrupt_take(device, (unsigned)wanted, cpu);

        if (!error)
                nova_request_answer(request, device->vectors);
        return error;
}

static int vector(struct nova_request *request)
{
        const struct device *const device = device_of(request);

        if (!device)
                return EBADF;
        if (request->word[0] >= device->vectors)
                return ENOENT;
        nova_request_give(request,
                          nova_crd_obj(device->vector[request->word[0]].sel, 0, NOVA_SM_DN));
        return 0;
}

/* Writes the command register. A driver must not write base address registers, because it could set
 * them to the addresses of another device. It must not change the settings of message-signalled
 * interrupts, power or link either. */
static int write_register(struct nova_request *request)
{
        struct device *const device = device_of(request);

        if (!device)
                return EBADF;
        if (device->resetting)
                return EBUSY;
        if (request->word[0] != REG_COMMAND || request->word[1] != 2)
                return EPERM;
        return claim_command(device, (uint32_t)request->word[2]);
}

/* Handles a driver's report that it has brought the device into a known state, by the method of the
 * device's class. */
static int quiet(struct nova_request *request)
{
        struct device *const device = device_of(request);

        if (!device)
                return EBADF;
        device_command(device, 0, COMMAND_MASTER);
        device->is_loud = false;
        stop_report(device);
        return 0;
}

static int begin_reset(struct nova_request *request)
{
        struct device *const device = device_of(request);

        if (!device)
                return EBADF;
        device->resetting = true;
        stop_wake();
        return 0;
}

static int reset_done(struct nova_request *request)
{
        const struct device *const device = device_of(request);

        if (!device)
                return EBADF;
        return device->resetting ? EAGAIN : 0;
}

/* Returns true if the capability that the client has sent permits it to create ECs in the PD. The
 * item itself shows the permissions that the client named, even those that the client lacks. */
static bool may_create_ecs(nova_sel_t pd)
{
        nova_crd_t crd = nova_crd_obj(pd, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && nova_crd_perms(crd) & NOVA_PD_EC;
}

/* The client's right to create ECs in the PD shows that the client can access the memory of the PD
 * anyway. The capabilities that a service has for its clients' PDs lack this right, so the service
 * cannot assign a device to a client. */
static int assign(struct nova_request *request)
{
        struct device *const device = device_of(request);

        if (!device)
                return EBADF;
        if (!request->item)
                return EINVAL;
        if (!may_create_ecs(nova_crd_base(request->item)))
                return EPERM;
        return claim_assign(device, nova_crd_base(request->item));
}

/* Resets the functions of all devices. Drivers that got them from a former instance of this program
 * have lost them, but the functions may still do DMA. */
static void stop_all(void)
{
        for (unsigned i = 0; i < device_count; i++)
                if (devices[i].state == DEVICE_FREE)
                        devices[i].is_loud = !reset_function(NULL, &devices[i]);
}

int pci_service_start(void)
{
        static const struct nova_service_operation operations[] = {
                {describe, 1, 1, false},     {read_register, 3, 3, false},
                {describe_own, 0, 0, false}, {map, 3, 3, false},
                {ports, 1, 1, false},        {interrupts, 2, 2, false},
                {vector, 1, 1, false},       {write_register, 3, 3, false},
                {begin_reset, 0, 0, false},  {reset_done, 0, 0, false},
                {quiet, 0, 0, false},        {assign, 0, 0, true},
        };
        const struct nova_service_config config = {
                .name = "pci",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct state),
                .open = open_session,
                .close = close_session,
        };
        struct nova_service *service;

        function_count = scan_buses(functions, FUNCTIONS_MAX);
        if (function_count > FUNCTIONS_MAX) {
                printf("the machine has %u functions; those after the first %u are ignored.\n",
                       function_count, FUNCTIONS_MAX);
                function_count = FUNCTIONS_MAX;
                is_full = true;
        }
        device_find_all(functions, function_count);
        stop_all();

        const int error = nova_service_start(&service, &config);

        return error ? error : stop_start(service);
}
