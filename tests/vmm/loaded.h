/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that Multiboot loads out of boot modules, and that ends by nova_exit(). */
#ifndef NOVA_TESTS_VMM_LOADED_H
#define NOVA_TESTS_VMM_LOADED_H

#include <string.h>

#include "nova/exit.h"
#include "novavmm/load.h"

#include "machine.h"

#define LOADED_MODULES 8

struct loaded {
        struct nova_vm vm;
        struct nova_pc pc;
        uint64_t result; /* status of nova_exit(); 1 until then */
};

/* Takes the status at the port by which nova_exit() reports it to an emulator. */
static inline void loaded_exit(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        struct loaded *const guest = device;

        (void)port;
        (void)bytes;
        guest->result = value;
        nova_vm_end_with(&guest->vm, NOVA_VM_OFF);
}

/* Makes the machine. @return false after a message */
static inline bool loaded_create(struct loaded *guest, const struct nova_vm_config *config)
{
        const struct nova_bus_range exit_port = {NOVA_EXIT_PORT, NOVA_EXIT_PORT, NULL, loaded_exit,
                                                 guest};

        guest->result = 1;
        return machine_create(&guest->vm, config, &guest->pc) &&
               !nova_bus_add(&guest->vm.ports, &exit_port);
}

/* Loads a kernel with a command line, and modules, whose names are the first words of their command
 * lines. @return false after a message */
static inline bool loaded_load(struct loaded *guest, const char *kernel, const char *line,
                               const char *const lines[], unsigned count)
{
        struct nova_multiboot_module module[LOADED_MODULES];
        struct nova_multiboot image = {.line = line, .module = module, .modules = count};
        const char *why;
        char name[32];

        image.kernel = open_module(kernel, &image.kernel_bytes);
        if (!image.kernel)
                return false;
        for (unsigned i = 0; i < count; i++) {
                snprintf(name, sizeof(name), "%.*s", (int)strcspn(lines[i], " "), lines[i]);
                module[i].line = lines[i];
                module[i].data = open_module(name, &module[i].bytes);
                if (!module[i].data)
                        return false;
        }
        why = nova_multiboot_load(&guest->vm.memory, &image, &guest->vm.vcpu[0].start);
        if (why)
                nova_vm_not_loaded(&guest->vm, why);
        return !why;
}

/* Runs the guest to its end, and prints its last lines. @return false if it did not end by
 * nova_exit() */
static inline bool loaded_run(struct loaded *guest)
{
        bool ended;

        nova_vm_run(&guest->vm);
        ended = nova_vm_wait(&guest->vm) == NOVA_VM_OFF;
        nova_pc_flush(&guest->pc);
        return ended;
}

#endif
