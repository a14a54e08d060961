/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that is not a PC: two virtual CPUs, and a device in memory with an alarm and an
 * interrupt. */
#include <stdio.h>

#include "guest.h"
#include "novavmm/load.h"
#include "novavmm/vm.h"

extern const char guest_begin[], guest_end[]; /* guest.S */

/* A bell: a write to its register makes it ring later, which raises an interrupt. */
static struct bell {
        struct nova_vm *vm;
        struct nova_alarm alarm;
        unsigned rings;
        bool pending; /* the bell has rung, and the guest has not taken the interrupt */
} bell;

static char line[2][16]; /* output of each virtual CPU */

static uint64_t bell_read(void *device, uint64_t address, unsigned bytes)
{
        const struct bell *const self = device;

        (void)bytes;
        return address == BELL + BELL_RING ? self->rings : 0;
}

static void bell_write(void *device, uint64_t address, unsigned bytes, uint64_t value)
{
        struct bell *const self = device;

        (void)bytes;
        if (address == BELL + BELL_RING)
                self->alarm.deadline = nova_clock_now(&self->vm->clock) + (uint32_t)value * 1000000;
        else if (address == BELL + BELL_START)
                nova_vcpu_start_at(&self->vm->vcpu[1], (uint8_t)value);
}

/* Handles the alarm: makes an interrupt pending and makes virtual CPU 0 check for it. */
static void bell_ring(void *device, uint64_t now)
{
        struct bell *const self = device;

        (void)now;
        self->rings++;
        self->pending = true;
        nova_vcpu_kick(&self->vm->vcpu[0]);
}

/* Returns true if the virtual CPU has a pending interrupt: the bell interrupts only virtual CPU 0.
 * The library calls this function whenever a virtual CPU could take an interrupt. */
static bool interrupt_pending(void *context, unsigned vcpu)
{
        const struct bell *const self = context;

        return vcpu == 0 && self->pending;
}

static int interrupt_take(void *context, unsigned vcpu)
{
        struct bell *const self = context;

        if (!interrupt_pending(self, vcpu))
                return -1;
        self->pending = false;
        return BELL_VECTOR;
}

static void print(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        const struct nova_vm *const vm = device;
        char *at = line[vm->serving->number];
        char *const end = at + sizeof(line[0]) - 1;

        (void)port;
        (void)bytes;
        while (at < end && *at)
                at++;
        if (at < end)
                *at = (char)value;
}

static int add_devices(struct nova_vm *vm)
{
        const struct nova_bus_range registers = {BELL, BELL + 7, bell_read, bell_write, &bell};
        const struct nova_bus_range port = {PRINT_PORT, PRINT_PORT, NULL, print, vm};
        int error = nova_bus_add(&vm->mmio, &registers);

        bell.vm = vm;
        bell.alarm = (struct nova_alarm){NOVA_NEVER, bell_ring, &bell};
        vm->interrupts = (struct nova_vm_interrupts){interrupt_pending, interrupt_take, &bell};
        if (!error)
                error = nova_vm_add_alarm(vm, &bell.alarm);
        return error ? error : nova_bus_add(&vm->ports, &port);
}

int main(void)
{
        static struct nova_vm vm;
        const struct nova_vm_config config = {
                .name = "bell", .memory = 2u << 20, .vcpus = 2, .local_apic = true};
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = add_devices(&vm);
        if (!error) {
                nova_guest_write(&vm.memory, GUEST_AT, guest_begin,
                                 (size_t)(guest_end - guest_begin));
                nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
                error = nova_vm_run(&vm);
        }
        if (error) {
                printf("The machine does not run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const enum nova_vm_end end = nova_vm_wait(&vm);

        for (unsigned i = 0; i < 2; i++)
                printf("vCPU %u wrote: %s\n", i, line[i]);
        printf("The bell rang %u times.\n", bell.rings);
        nova_vm_destroy(&vm);
        return end != NOVA_VM_HALTED;
}
