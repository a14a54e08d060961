/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs machines with one virtual CPU, with two, and so on. For each machine, prints a bit mask of
 * the CPUs on which its virtual CPUs ran. */
#include <stdio.h>

#include "novart/program.h"
#include "novart/thread.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define PORT     0xe9

/* Runs in real mode. */
GUEST_CODE(guest, 16,
           "        outb %al, $0xe9\n"
           "        cli\n"
           "        hlt\n");

static struct nova_vm vm;
/* Written under the VM's lock. */
static unsigned long cpus; /* bit n: a virtual CPU has run on CPU n */
static unsigned started;   /* number of virtual CPUs that have run */

/* Handles a write to the port. Each virtual CPU writes once, and this function runs on the CPU of
 * the virtual CPU that writes. */
static void start_next(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        (void)value;
        cpus |= 1ul << nova_thread_cpu();
        started++;
        if (started < vm.vcpus)
                nova_vcpu_start_at(&vm.vcpu[started], GUEST_AT >> 12);
}

static bool run(unsigned vcpus)
{
        const struct nova_bus_range range = {PORT, PORT, NULL, start_next, NULL};
        const struct nova_vm_config config = {
                .name = "placement",
                .memory = 2u << 20,
                .vcpus = vcpus,
                .local_apic = true,
        };

        cpus = 0;
        started = 0;
        if (!machine_create(&vm, &config, NULL) || nova_bus_add(&vm.ports, &range))
                return false;
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
        if (nova_vm_run(&vm))
                return false;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_vm_destroy(&vm);
        printf("%u virtual: %u ran on %#lx\n", vcpus, started, cpus);
        return end == NOVA_VM_HALTED;
}

int main(void)
{
        const unsigned count = (unsigned)__builtin_popcountll(nova_program.cpus);

        for (unsigned vcpus = 1; vcpus <= count; vcpus++)
                if (!run(vcpus))
                        return 1;
        return 0;
}
