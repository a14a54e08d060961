/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives devices to their drivers, and takes them back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "device.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "nova/text.h"
#include "novart/program.h"
#include "registers.h"

#define DENIALS_MAX 4 /* maximum messages about one device; a program may repeat its request */

static struct device *find(const char *name)
{
        for (unsigned i = 0; i < device_count; i++)
                if (strcmp(devices[i].says.name, name) == 0)
                        return &devices[i];
        return NULL;
}

static int deny(struct device *device, const char *client)
{
        if (device->denials++ < DENIALS_MAX)
                printf("%s asks for the device '%s', which the description does not give it; "
                       "write 'devices %s' into its section.\n",
                       client, device->says.name, device->says.name);
        return EACCES;
}

/* The client chose the name, so it may contain any characters. */
static int unknown(const char *name, const char *client)
{
        char text[sizeof(devices[0].says.name)] = "";
        static unsigned told;

        for (unsigned i = 0; name[i] && i + 1 < sizeof(text); i++)
                text[i] = nova_text_printable(name[i]);
        if (told++ < DENIALS_MAX)
                printf("%s asks for the device '%s', which the description does not declare; write "
                       "'device %s' with 'class', 'id' or 'at', or correct the name.\n",
                       client, text, text);
        return ENODEV;
}

static int absent(struct device *device)
{
        if (!device->told_absent)
                printf("no function of the machine is the device '%s' of %.*s: compare its "
                       "'class', 'id' and 'at' with what lspci prints.\n",
                       device->says.name, (int)sizeof(device->says.program), device->says.program);
        device->told_absent = true;
        return ENODEV;
}

/* Restricts the function to the driver's memory, if there is an I/O MMU. */
static int confine(struct device *device, nova_sel_t pd)
{
        const nova_word_t page = config_page(device->function.address);
        enum nova_status status = NOVA_BAD_DEV;

        if (page)
                status = nova_assign_pci(pd, page, device->function.address);
        device->is_confined = status == NOVA_SUCCESS;
        switch (status) {
        case NOVA_SUCCESS:
        case NOVA_BAD_DEV: /* there is no I/O MMU */
                return 0;
        case NOVA_OUT_OF_MEMORY:
                return ENOMEM;
        default:
                return ECONNRESET; /* the client has died */
        }
}

/* Returns the bits of the command register that let the function respond to its addresses. Omits
 * the bit for ports or memory if no register of that kind has an address: the function would
 * respond to addresses of other functions. */
static uint32_t decodes_of(const struct device *device)
{
        uint32_t decodes = 0;

        for (unsigned i = 0; i < NOVA_PCI_BARS; i++) {
                const struct nova_pci_bar *const bar = &device->function.bar[i];

                if (bar->size && bar->base)
                        decodes |= bar->flags & NOVA_PCI_BAR_PORTS ? COMMAND_PORTS : COMMAND_MEMORY;
        }
        return decodes;
}

void claim_open(const struct device *device)
{
        const uint32_t decodes = decodes_of(device);

        if (device_may_master(device))
                device_open_bridges(device);
        interrupt_off(device);
        device_command(device, decodes | COMMAND_NO_PIN,
                       COMMAND_MASTER | (COMMAND_DECODES & ~decodes));
        if (device->vectors)
                interrupt_program(device);
}

int claim_device(struct nova_request *request, const char *name, struct device **out)
{
        struct device *const device = find(name);

        if (!device)
                return unknown(name, request->client);
        if (!*device->says.program ||
            strncmp(device->says.program, request->client, sizeof(device->says.program)) != 0)
                return deny(device, request->client);
        if (device->state == DEVICE_ABSENT)
                return absent(device);
        /* the driver may be the successor of a driver that has died */
        if (device->state == DEVICE_CLAIMED)
                nova_service_sweep(request->service);
        if (device->state != DEVICE_FREE)
                return device->state == DEVICE_CLAIMED ? EBUSY : EAGAIN;

        int error = assign_empty(device);

        if (!error)
                error = confine(device, nova_service_client_pd(request->service, request->state));

        if (error)
                return error;
        device->session = request->state;
        device->state = DEVICE_CLAIMED;
        claim_open(device);
        *out = device;
        return 0;
}

int claim_command(struct device *device, uint32_t value)
{
        const uint32_t own = COMMAND_DECODES | COMMAND_MASTER | COMMAND_NO_PIN;
        const uint32_t command = config_read(device->function.address, REG_COMMAND) & COMMAND_MASK;
        const uint32_t set = value & ~command, clear = command & ~value;

        if ((set | clear) & ~own || set & COMMAND_DECODES & ~decodes_of(device) ||
            (value & COMMAND_MASTER && !device_may_master(device)) ||
            (clear & COMMAND_NO_PIN && device->interrupts != DEVICE_PIN))
                return EPERM;
        if (value & COMMAND_MASTER)
                device->is_loud = true;
        device_command(device, set, clear);
        return 0;
}

/* A change of the PD removes the routes of the function's messages, so a driver must request
 * interrupts afterwards. */
int claim_assign(struct device *device, nova_sel_t pd)
{
        const uint16_t address = device->function.address;

        if (!device->is_confined)
                return ENOTSUP;
        if (device->vectors || device->resetting)
                return EBUSY;
        device_command(device, 0, COMMAND_MASTER);
        switch (nova_assign_pci(pd, config_page(address), address)) {
        case NOVA_SUCCESS:
                return 0;
        case NOVA_OUT_OF_MEMORY:
                return ENOMEM;
        default:
                return EINVAL; /* it is not a PD, or the PD has ended */
        }
}

static void revoke(const struct device *device)
{
        memory_revoke(device);
        interrupt_revoke(device);
}

/* Ends a claim. By now, all answers that delegate something to the former driver have arrived. */
static void end(struct nova_later *later)
{
        struct device *const device = (struct device *)later;

        revoke(device);
        interrupt_free(device);
        if (device->is_confined)
                nova_assign_pci(nova_program.pd, config_page(device->function.address),
                                device->function.address);
        device->is_confined = false;
        device->stopped = true;
        stop_wake();
}

void claim_end(struct nova_service *service, struct device *device)
{
        device->state = DEVICE_STOPPING;
        device->session = NULL;
        interrupt_off(device);
        device_command(device, COMMAND_NO_PIN, COMMAND_MASTER | COMMAND_DECODES);
        revoke(device);
        device->later.function = end;
        nova_service_later(service, &device->later);
}
