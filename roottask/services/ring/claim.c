/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks that a function is of the driver's kind, before the driver accesses its registers. */
#include "claim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "novart/program.h"

static bool is_of_kind(const struct nova_pci_function *function, const struct driver_kind *kind)
{
        if (!kind->vendor)
                return function->class_code == kind->class_code;
        return function->vendor == kind->vendor &&
               (function->device == kind->device[0] || function->device == kind->device[1]);
}

/* Returns the exit status after a failed claim. A restart does not cure ENODEV and EACCES. */
static int status_of(int error)
{
        return error == ENODEV || error == EACCES ? NOVA_EXIT_FINAL : EXIT_FAILURE;
}

void driver_claim(struct nova_pci_device **pci, const char *name, const struct driver_kind *kind)
{
        const struct nova_pci_function *function;
        int error;

        if (!*name)
                driver_refuse("argument 1, the name of the device, is empty.");
        error = nova_pci_claim(pci, name);
        if (error) {
                puts(strerror(error));
                exit(status_of(error));
        }
        function = nova_pci_describe(*pci);
        if (!is_of_kind(function, kind)) {
                printf("the device is %04x:%04x of class 0x%06" PRIx32 ", not %s; correct "
                       "'class', 'id' or 'at' of its 'device' in the description.\n",
                       function->vendor, function->device, function->class_code, kind->text);
                exit(NOVA_EXIT_FINAL);
        }
        if (!(nova_pci_flags(*pci) & NOVA_PCI_MASTER))
                driver_refuse(
                        "the device may not access memory; write \"grants dma\" in the section "
                        "of this program, and \"dma-unprotected\" in that of its device unless "
                        "the machine has an I/O MMU.");
}
