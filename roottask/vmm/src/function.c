/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims a PCI function for a guest (see function.h). */
#include "function.h"

#include <errno.h>
#include <string.h>

#include "novart/selector.h"
#include "novart/service/pci_device.h"

#define CAPABILITY_MSIX 0x11
#define CAPABILITY_MSI  0x05
#define CONTROL         2
#define MSIX_TABLE      4
#define MSIX_PENDING    8
#define MSIX_ENABLE     0x8000u
#define MSI_ENABLE      0x1u

/* Returns an error with its reason as the end of a sentence. */
static int refuse(struct nova_guest_function *function, int error, const char *why)
{
        function->why = why;
        return error;
}

static void describe(struct nova_guest_function *function)
{
        const struct nova_pci_function *const is = nova_pci_describe(function->session);
        struct nova_pass_function *const shown = &function->shown;

        shown->vendor = is->vendor;
        shown->product = is->device;
        shown->subsystem_vendor = is->subsystem_vendor;
        shown->subsystem = is->subsystem;
        shown->class_code = is->class_code;
        shown->revision = is->revision;
}

/* Returns false if the guest's range for devices has no room for the memory of the BARs. */
static bool may_fit(const struct nova_pci_function *is)
{
        uint64_t left = FUNCTION_END - FUNCTION_FIRST;

        for (unsigned i = 0; i < NOVA_PASS_BARS; i++) {
                if (is->bar[i].flags & NOVA_PCI_BAR_PORTS)
                        continue;
                if (is->bar[i].size > left)
                        return false;
                left -= is->bar[i].size;
        }
        return true;
}

/* Maps the memory of all BARs. The guest finds 64-bit BARs as 32-bit ones, and no ports. */
static int map_memory(struct nova_guest_function *function)
{
        const struct nova_pci_function *const is = nova_pci_describe(function->session);
        int error = 0;

        if (!may_fit(is))
                return refuse(function, ENOSPC,
                              "its memory is larger than the guest's range for devices");
        for (unsigned i = 0; i < NOVA_PASS_BARS && !error; i++) {
                const struct nova_pci_bar *const bar = &is->bar[i];
                volatile void *memory = NULL;
                size_t bytes = 0;

                if (!bar->size || bar->flags & NOVA_PCI_BAR_PORTS)
                        continue;
                error = nova_pci_map(function->session, i, &memory, &bytes);
                function->memory[i] = memory;
                function->shown.bar[i].bytes = (uint32_t)bytes;
                function->shown.bar[i].prefetch = bar->flags & NOVA_PCI_BAR_PREFETCH;
        }
        return error;
}

static bool is_enabled(const struct nova_guest_function *function, unsigned capability,
                       uint32_t enable, unsigned *at)
{
        uint32_t control = 0;

        *at = 0;
        return nova_pci_capability(function->session, capability, at) == 0 &&
               nova_pci_config_read(function->session, *at + CONTROL, 2, &control) == 0 &&
               control & enable;
}

/* Finds out how the function sends messages. */
static int read_messages(struct nova_guest_function *function)
{
        struct nova_pass_function *const shown = &function->shown;
        unsigned at;

        shown->msix = is_enabled(function, CAPABILITY_MSIX, MSIX_ENABLE, &at);
        shown->vectors = nova_pci_describe(function->session)->msix_vectors;
        if (shown->msix) {
                const int error =
                        nova_pci_config_read(function->session, at + MSIX_TABLE, 4, &shown->table);

                return error ? error
                             : nova_pci_config_read(function->session, at + MSIX_PENDING, 4,
                                                    &shown->pending);
        }
        shown->messages = 1;
        return is_enabled(function, CAPABILITY_MSI, MSI_ENABLE, &at)
                       ? 0
                       : refuse(function, ENOTSUP, "it has no interrupt messages (MSI or MSI-X)");
}

static int get_interrupts(struct nova_guest_function *function)
{
        const unsigned vectors = nova_pci_describe(function->session)->msix_vectors;
        const unsigned wanted = !vectors                       ? 1
                                : vectors < NOVA_PASS_MESSAGES ? vectors
                                                               : NOVA_PASS_MESSAGES;

        for (unsigned i = 0; i < wanted; i++) {
                function->interrupt[i] = nova_sel_alloc(0);
                if (function->interrupt[i] == NOVA_SEL_NONE)
                        return ENOMEM;
        }

        const int error = nova_pci_interrupts(function->session, wanted, function->interrupt,
                                              &function->shown.messages);

        return error ? error : read_messages(function);
}

static int take(struct nova_guest_function *function, nova_sel_t pd)
{
        int error = ENOTSUP;

        if (nova_pci_flags(function->session) & NOVA_PCI_CONFINED)
                error = nova_pci_assign(function->session, pd);
        if (error == ENOTSUP)
                return refuse(function, error,
                              "the machine has no I/O MMU, which would keep its DMA in the guest's "
                              "memory");
        describe(function);
        if (!error)
                error = map_memory(function);
        return error ? error : get_interrupts(function);
}

static int claim(struct nova_guest_function *function, const char *name)
{
        struct nova_pci_device *device;
        const int error = nova_pci_claim(&device, name);

        switch (error) {
        case 0:
                function->session = device;
                return 0;
        case ENODEV:
                return refuse(function, error, "the machine or the description does not have it");
        case EACCES:
                return refuse(function, error, "the description gives it to another program");
        case EBUSY:
                return refuse(function, error, "the program has it already");
        default:
                return error;
        }
}

int novavmm_function_claim(struct nova_guest_function *function, const char *name, nova_sel_t pd)
{
        int error;

        memset(function, 0, sizeof(*function));
        for (unsigned i = 0; i < NOVA_PASS_MESSAGES; i++)
                function->interrupt[i] = NOVA_SEL_NONE;
        error = claim(function, name);
        if (!error)
                error = take(function, pd);
        if (error) {
                const char *const why = function->why ? function->why : strerror(error);

                novavmm_function_release(function);
                function->why = why;
        }
        return error;
}

void novavmm_function_master(const struct nova_guest_function *function, bool on)
{
        nova_pci_master(function->session, on);
}

void novavmm_function_release(struct nova_guest_function *function)
{
        if (function->session)
                nova_pci_release(function->session);
        function->session = NULL;
        for (unsigned i = 0; i < NOVA_PASS_MESSAGES; i++)
                if (function->interrupt[i] != NOVA_SEL_NONE)
                        nova_sel_release(function->interrupt[i], 0);
}
