/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines of the tests. */
#ifndef NOVA_TESTS_VMM_MACHINE_H
#define NOVA_TESTS_VMM_MACHINE_H

#include <stdbool.h>
#include <stdio.h>

#include "novart/module.h"
#include "novavmm/pc.h"

/* Makes a machine, with a PC's devices unless pc is NULL. @return false if that failed; the reason
 * was printed */
static inline bool machine_create(struct nova_vm *vm, const struct nova_vm_config *config,
                                  struct nova_pc *pc)
{
        int error = nova_vm_create(vm, config);

        if (!error && pc)
                error = nova_pc_create(pc, vm);
        if (error)
                printf("The machine cannot be created: %s.\n", nova_vm_why(vm, error));
        return !error;
}

/* Maps the bytes of a boot module for good. @return NULL if there is none of this name; a line
 * reports it */
static inline const void *open_module(const char *name, size_t *bytes)
{
        const void *data;

        if (!nova_module_open(name, &data, bytes))
                return data;
        printf("The boot module %s is missing.\n", name);
        return NULL;
}

#endif
