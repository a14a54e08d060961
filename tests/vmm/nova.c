/* SPDX-License-Identifier: BSD-2-Clause */
/* This kernel as a guest of this kernel: loaded by the Multiboot protocol, with a roottask as its
 * module, on the library's PC. */
#include <stdio.h>

#include "nova/exit.h"
#include "novavmm/load.h"

#include "machine.h"

#define GUEST_MEMORY (64u << 20)

static struct nova_vm vm;
static struct nova_pc pc;
static uint64_t result = 1;

/* The port by which the guest reports its end and its status to its emulator: nova_exit(). */
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
        struct nova_multiboot_module roottask = {.line = "hello"};
        struct nova_multiboot image = {.line = "serial", .module = &roottask, .modules = 1};

        image.kernel = open_module("nova.elf32", &image.kernel_bytes);
        roottask.data = open_module("hello", &roottask.bytes);
        if (!image.kernel || !roottask.data)
                return false;

        const char *const why = nova_multiboot_load(&vm.memory, &image, &vm.vcpu[0].start);

        if (why)
                nova_vm_not_loaded(&vm, why);
        return !why;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "nova", .memory = GUEST_MEMORY, .local_apic = true, .vcpus = 2};
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
