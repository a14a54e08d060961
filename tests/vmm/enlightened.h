/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines with the hypercall interface for enlightened guests. */
#ifndef NOVA_TESTS_VMM_ENLIGHTENED_H
#define NOVA_TESTS_VMM_ENLIGHTENED_H

#include "machine.h"
#include "novavmm/hv.h"

/* Makes a machine without a PC's devices, with the interface. @return false if that failed; the
 * reason was printed */
static inline bool machine_create_enlightened(struct nova_vm *vm, struct nova_hv *hv,
                                              const struct nova_vm_config *config)
{
        const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};

        if (!machine_create(vm, config, NULL))
                return false;

        const int error = nova_hv_enable(hv, vm, &enlightened);

        if (error)
                printf("No interface: %s.\n", nova_vm_why(vm, error));
        return !error;
}

#endif
