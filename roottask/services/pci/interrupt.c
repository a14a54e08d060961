/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of drivers: messages of MSI-X or MSI, else the pin. This program writes the messages,
 * because a message made up by a driver could raise any interrupt or write into memory. */
#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "device.h"
#include "nova/abi/hip.h"
#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "registers.h"
#include "scan.h"

#define NO_LINE     0xff
#define WAITERS_MAX 4096 /* maximum threads that a driver may leave waiting for one semaphore */

/* The semaphore of each interrupt that was ever given; 0: not requested yet. GSI_LOST: no driver
 * gets the interrupt any more, because threads of a former driver may still wait for its
 * semaphore. */
enum gsi_state { GSI_FREE, GSI_TAKEN, GSI_LOST };

static struct {
        nova_sel_t sel;
        enum gsi_state state;
} gsis[NOVA_HIP_GSI];

static bool get_semaphore(unsigned gsi)
{
        nova_sel_t sel;

        if (gsis[gsi].sel)
                return true;
        sel = nova_sel_alloc(0);
        if (sel == NOVA_SEL_NONE)
                return false;
        if (nova_parent_pci_gsi(gsi, sel)) {
                nova_sel_free(sel, 0);
                return false;
        }
        gsis[gsi].sel = sel;
        return true;
}

/* Wakes threads of a former driver that still wait, and discards interrupts that arrived for it, so
 * that neither affects the next driver. Returns false if there are too many. */
static bool drain(nova_sel_t sel)
{
        for (unsigned i = 0; i < WAITERS_MAX; i++) {
                nova_sm_up(sel);
                if (nova_sm_down_until(sel, NOVA_SM_ZC, 0) == NOVA_SUCCESS)
                        return true;
        }
        return false;
}

/* Takes an interrupt for messages. The pins of I/O APICs have the lowest numbers. */
static bool take_message(const struct device *device, nova_word_t cpu, struct device_vector *vector)
{
        const nova_word_t page = config_page(device->function.address);

        for (unsigned gsi = NOVA_HIP_GSI; gsi-- > 0;) {
                if (gsis[gsi].state != GSI_FREE || !get_semaphore(gsi))
                        continue;

                uint32_t address = 0, data = 0;
                const nova_sel_t sel = gsis[gsi].sel;
                const enum nova_status status = nova_assign_gsi(sel, page, cpu, &address, &data);

                if (status != NOVA_SUCCESS)
                        return false;
                if (!address)
                        return false; /* a pin, like all lower numbers */
                gsis[gsi].state = GSI_TAKEN;
                *vector = (struct device_vector){gsi, sel, address, data};
                return true;
        }
        return false;
}

static unsigned take_messages(struct device *device, unsigned wanted, nova_word_t cpu)
{
        while (device->vectors < wanted &&
               take_message(device, cpu, &device->vector[device->vectors]))
                device->vectors++;
        return device->vectors;
}

/* The table of MSI-X as this program maps it; NULL: there is none that can be used. */
static volatile uint32_t *msix_table(struct device *device)
{
        const unsigned bar = device->msix_table & MSIX_BAR;
        const uint64_t at = device->msix_table & ~MSIX_BAR;
        const uint64_t bytes = (uint64_t)device->function.msix_vectors * MSIX_ENTRY_BYTES;

        if (!bytes || bar >= NOVA_PCI_BARS || at + bytes > device->function.bar[bar].size ||
            memory_map(device, bar))
                return NULL;
        return (volatile uint32_t *)((char *)device->memory[bar] +
                                     device->function.bar[bar].base % NOVA_PAGE_SIZE + at);
}

static void program_msix(const struct device *device, unsigned at)
{
        const uint16_t address = device->function.address;
        volatile uint32_t *const table = msix_table((struct device *)device);
        const uint32_t control = config_read(address, at) & ~MSIX_MASK_ALL;

        /* The driver may have switched the function's memory off. */
        device_command(device, COMMAND_MEMORY, 0);
        config_write(address, at, control | MSIX_ENABLE | MSIX_MASK_ALL);
        for (unsigned i = 0; i < device->function.msix_vectors; i++) {
                volatile uint32_t *const entry = &table[i * MSIX_ENTRY_BYTES / sizeof(*table)];
                const bool used = i < device->vectors;

                entry[3] = MSIX_ENTRY_MASKED;
                entry[0] = used ? device->vector[i].address : 0;
                entry[1] = 0;
                entry[2] = used ? device->vector[i].data : 0;
                if (used)
                        entry[3] = 0;
        }
        config_write(address, at, control | MSIX_ENABLE);
}

static void program_msi(const struct device *device, unsigned at)
{
        const uint16_t address = device->function.address;
        const uint32_t control = config_read(address, at) & ~(MSI_ENABLE | MSI_VECTORS);
        const unsigned data = at + (control & MSI_64 ? 12 : 8);

        if (data + (control & MSI_MASKS ? 8 : 4) > CONFIG_PORT_BYTES)
                return; /* the device reports wrong values */
        config_write(address, at + MSI_ADDRESS, device->vector[0].address);
        if (control & MSI_64)
                config_write(address, at + MSI_ADDRESS + 4, 0);
        /* The upper half may belong to the next capability, so it is kept. */
        config_write(address, data,
                     (config_read(address, data) & 0xffff0000) | (device->vector[0].data & 0xffff));
        if (control & MSI_MASKS)
                config_write(address, data + 4, 0);
        config_write(address, at, control | MSI_ENABLE);
}

void interrupt_program(const struct device *device)
{
        const uint16_t address = device->function.address;
        const unsigned msix = scan_capability(address, CAPABILITY_MSIX, MSIX_BYTES);
        const unsigned msi = scan_capability(address, CAPABILITY_MSI, MSI_BYTES);

        if (device->interrupts == DEVICE_MSIX && msix)
                program_msix(device, msix);
        else if (device->interrupts == DEVICE_MSI && msi)
                program_msi(device, msi);
        device_command(device, device->interrupts == DEVICE_PIN ? 0 : COMMAND_NO_PIN,
                       device->interrupts == DEVICE_PIN ? COMMAND_NO_PIN : 0);
}

void interrupt_off(const struct device *device)
{
        const uint16_t address = device->function.address;
        const unsigned msix = scan_capability(address, CAPABILITY_MSIX, MSIX_BYTES);
        const unsigned msi = scan_capability(address, CAPABILITY_MSI, MSI_BYTES);

        device_command(device, COMMAND_NO_PIN, 0);
        if (msix)
                config_write(address, msix,
                             (config_read(address, msix) & ~MSIX_ENABLE) | MSIX_MASK_ALL);
        if (msi)
                config_write(address, msi, config_read(address, msi) & ~MSI_ENABLE);
}

/* The interrupt line that firmware wrote is the number of the pin only for the PC's 16
 * interrupts. */
static bool take_pin(struct device *device, nova_word_t cpu)
{
        const unsigned line = device->function.interrupt_line;
        uint32_t address = 0, data = 0;

        if (!device->function.interrupt_pin || line == NO_LINE || !line || line >= 16 ||
            gsis[line].state != GSI_FREE || !get_semaphore(line) ||
            nova_assign_gsi(gsis[line].sel, 0, cpu, &address, &data) != NOVA_SUCCESS || address)
                return false;
        gsis[line].state = GSI_TAKEN;
        device->vector[0] = (struct device_vector){line, gsis[line].sel, 0, 0};
        device->vectors = 1;
        return true;
}

static enum device_interrupts take(struct device *device, unsigned wanted, nova_word_t cpu)
{
        const uint16_t address = device->function.address;
        const bool messages = device_may_master(device) && config_page(address);
        const unsigned msix = device->function.msix_vectors;

        if (messages && msix && msix_table(device) &&
            take_messages(device, wanted < msix ? wanted : msix, cpu))
                return DEVICE_MSIX;
        if (messages && device->function.msi_vectors && take_messages(device, 1, cpu))
                return DEVICE_MSI;
        return take_pin(device, cpu) ? DEVICE_PIN : DEVICE_NO_INTERRUPTS;
}

int interrupt_take(struct device *device, unsigned wanted, nova_word_t cpu)
{
        if (device->vectors)
                return EEXIST;
        device->interrupts = take(device, wanted, cpu);
        if (device->vectors < wanted && !device->told_few) {
                printf("'%s' (%s) wants %u interrupts and gets %u.\n", device->says.name,
                       device_address(device), wanted, device->vectors);
                device->told_few = true;
        }
        if (!device->vectors)
                return ENOSPC;
        interrupt_program(device);
        return 0;
}

void interrupt_revoke(const struct device *device)
{
        for (unsigned i = 0; i < device->vectors; i++)
                nova_revoke(nova_crd_obj(device->vector[i].sel, 0, NOVA_PERM_ALL), 0);
}

void interrupt_free(struct device *device)
{
        for (unsigned i = 0; i < device->vectors; i++)
                gsis[device->vector[i].gsi].state =
                        drain(device->vector[i].sel) ? GSI_FREE : GSI_LOST;
        device->vectors = 0;
        device->interrupts = DEVICE_NO_INTERRUPTS;
}
