/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines of the tests. */
#ifndef NOVA_TESTS_VMM_MACHINE_H
#define NOVA_TESTS_VMM_MACHINE_H

#include <stdbool.h>
#include <stdio.h>

#include "novart/module.h"
#include "novart/time.h"
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

/* Starts virtual CPU 1 at a page below 1 MiB when virtual CPU 0 has written a word other than 0 to
 * ready: then the guest has its RAM. */
static inline void machine_start_second(struct nova_vm *vm, uint64_t ready, uint64_t page)
{
        uint32_t word = 0;

        while (!word && nova_guest_read(&vm->memory, ready, &word, sizeof(word)))
                nova_sleep(1000000);
        nova_vm_lock(vm);
        nova_vcpu_start_at(&vm->vcpu[1], (uint8_t)(page >> 12));
        nova_vm_unlock(vm);
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
