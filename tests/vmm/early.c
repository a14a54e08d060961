/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPU 0 runs at a higher priority than the monitor, and starts the second one before
 * nova_vm_run() has begun that one: both run. */
#include <stdio.h>

#include "novart/thread.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define FLAG_AT  0x5000
#define PORT     0xe9

/* In real mode. The first virtual CPU writes to the port and waits for the second one, which finds
 * the flag set. Both halt then. */
GUEST_CODE(guest, 16,
           "        xorw %ax, %ax\n"
           "        movw %ax, %ds\n"
           "        cmpw $1, 0x5000\n"
           "        je 2f\n"
           "        movw $1, 0x5000\n"
           "        outb %al, $0xe9\n"
           "        cli\n"
           "        hlt\n"
           "2:      movw $2, 0x5000\n"
           "        cli\n"
           "        hlt\n");

static struct nova_vm vm;

static void start_second(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        (void)value;
        nova_vcpu_start_at(&vm.vcpu[1], GUEST_AT >> 12);
}

int main(void)
{
        const struct nova_bus_range range = {PORT, PORT, NULL, start_second, NULL};
        const struct nova_vm_config config = {
                .name = "early",
                .memory = 2u << 20,
                .vcpus = 2,
                .local_apic = true,
                .priority = nova_thread_priority(nova_thread_self()) + 1,
        };
        uint16_t flag = 0;

        if (!machine_create(&vm, &config, NULL) || nova_bus_add(&vm.ports, &range))
                return 1;
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
        if (nova_vm_run(&vm))
                return 1;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_guest_read(&vm.memory, FLAG_AT, &flag, sizeof(flag));
        printf("end %d, flag %u\n", (int)end, flag);
        return end != NOVA_VM_HALTED || flag != 2;
}
