/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPU 0 has a higher priority than the monitor, so it runs before nova_vm_run() has
 * returned. In one machine it starts the second virtual CPU, which must run. In another machine it
 * computes for ever, and another thread must be able to stop it. */
#include <stdio.h>

#include "novart/sync.h"
#include "novart/thread.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define FLAG_AT  0x5000
#define PORT     0xe9

/* Runs in real mode. The first virtual CPU writes to the port and waits for the second one, which
 * finds the flag set. Then both halt. */
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

/* Runs in real mode: writes to the port and computes for ever. */
GUEST_CODE(busy, 16,
           "        outb %al, $0xe9\n"
           "1:      jmp 1b\n");

static struct nova_vm vm;
static struct nova_semaphore written = NOVA_SEMAPHORE_INITIALIZER(0);

static void start_second(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        (void)value;
        nova_vcpu_start_at(&vm.vcpu[1], GUEST_AT >> 12);
}

static void report_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        (void)value;
        nova_semaphore_up(&written);
}

/* Stops the machine after its guest has written to the port. */
static void *stop(void *argument)
{
        nova_semaphore_down(&written);
        nova_vm_stop(&vm);
        return argument;
}

/* Starts a machine whose virtual CPUs have a higher priority than the monitor. */
static bool start(const char *code, size_t bytes, nova_bus_write *on_write)
{
        const struct nova_bus_range range = {PORT, PORT, NULL, on_write, NULL};
        const struct nova_vm_config config = {
                .name = "early",
                .memory = 2u << 20,
                .vcpus = 2,
                .local_apic = true,
                .priority = nova_thread_priority(nova_thread_self()) + 1,
        };

        if (!machine_create(&vm, &config, NULL) || nova_bus_add(&vm.ports, &range))
                return false;
        nova_guest_write(&vm.memory, GUEST_AT, code, bytes);
        nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
        return !nova_vm_run(&vm);
}

static bool second_starts(void)
{
        uint16_t flag = 0;

        if (!start(guest, GUEST_BYTES(guest), start_second))
                return false;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_guest_read(&vm.memory, FLAG_AT, &flag, sizeof(flag));
        nova_vm_destroy(&vm);
        printf("end %d, flag %u\n", (int)end, flag);
        return end == NOVA_VM_HALTED && flag == 2;
}

static bool busy_one_stops(void)
{
        const struct nova_thread_attr attr = {
                .cpu = NOVA_CPU_SELF,
                .priority = nova_thread_priority(nova_thread_self()) + 2,
        };
        struct nova_thread *thread;

        if (nova_thread_create(&thread, &attr, stop, NULL) ||
            !start(busy, GUEST_BYTES(busy), report_write))
                return false;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_thread_join(thread, NULL);
        nova_vm_destroy(&vm);
        printf("busy: end %d\n", (int)end);
        return end == NOVA_VM_STOPPED;
}

int main(void)
{
        return !second_starts() || !busy_one_stops();
}
