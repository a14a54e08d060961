/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the walker as a guest, with the records and with its observations without a hypervisor. */
#include <stdio.h>

#include "nova/exit.h"
#include "novavmm/load.h"

#include "machine.h"

#define GUEST_MEMORY (128u << 20)
#define MODULES      2

static struct nova_vm vm;
static struct nova_pc pc;
static uint64_t result = 1;

/* The port by which the guest reports its end and its status to its emulator. */
static void exit_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        result = value;
        nova_vm_end_with(&vm, NOVA_VM_OFF);
}

static bool load(void)
{
        static const char *const names[MODULES] = {"records", "outcomes"};
        struct nova_multiboot_module module[MODULES];
        struct nova_multiboot image = {.line = "walker", .module = module, .modules = MODULES};

        image.kernel = open_module("walker", &image.kernel_bytes);
        for (unsigned i = 0; i < MODULES; i++) {
                module[i].line = names[i];
                module[i].data = open_module(names[i], &module[i].bytes);
                if (!module[i].data)
                        return false;
        }
        if (!image.kernel)
                return false;

        const char *const why = nova_multiboot_load(&vm.memory, &image, &vm.vcpu[0].start);

        if (why)
                nova_vm_not_loaded(&vm, why);
        return !why;
}

int main(void)
{
        const struct nova_vm_config config = {.name = "walker", .memory = GUEST_MEMORY};
        const struct nova_bus_range exit_port = {NOVA_EXIT_PORT, NOVA_EXIT_PORT, NULL, exit_write,
                                                 NULL};

        if (!machine_create(&vm, &config, &pc) || nova_bus_add(&vm.ports, &exit_port) || !load())
                return 1;
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        printf("The guest's result is %llu.\n", (unsigned long long)result);
        return end != NOVA_VM_OFF || result;
}
