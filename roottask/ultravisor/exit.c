/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits of secure guests: the ultravisor answers an exit, performs it with the VMM's help, or ends
 * the guest. */
#include "vm.h"

/* Handlers of the library, which this file calls for the exits that it does not answer itself. They
 * reach ports and devices through the machine's buses, which lead to the VMM. All machines share
 * these handlers. */
static nova_vcpu_handler *usual[NOVA_VM_EXIT_COUNT];

static void start(struct nova_vcpu *vcpu)
{
        struct vm *const vm = vm_of(vcpu);
        enum nova_u_status status = NOVA_U_SUCCESS;

        if (vcpu->number == 0)
                status = vm->state == VM_CONVERTING ? convert(vm, vcpu) : NOVA_U_INVALID;
        if (status) {
                const uint64_t parameters[4] = {(uint64_t)(int64_t)status};

                reflect(vcpu, NOVA_H_SVM_INIT_ABORT, parameters, NULL);
                nova_vm_end_with(&vm->machine, NOVA_VM_STOPPED);
                return;
        }
        usual[NOVA_VM_EXIT_STARTUP](vcpu);
}

static void memory(struct nova_vcpu *vcpu)
{
        if (!memory_exit(vcpu))
                usual[NOVA_VM_EXIT_MEMORY](vcpu);
}

static void cpuid(struct nova_vcpu *vcpu)
{
        memory_drop_aliases(vcpu);
        cpu_cpuid(vcpu, usual[NOVA_VM_EXIT_CPUID]);
}

static void rdmsr(struct nova_vcpu *vcpu)
{
        if (!cpu_rdmsr(vcpu))
                usual[NOVA_VM_EXIT_RDMSR](vcpu);
}

static uint64_t read_port(void *context, uint64_t port, unsigned bytes)
{
        struct vm *const vm = context;
        const uint64_t parameters[4] = {port, bytes, false, 0};
        uint64_t value;

        reflect(vm->machine.serving, NOVA_H_PORT, parameters, &value);
        return value;
}

static void write_port(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct vm *const vm = context;
        const uint64_t parameters[4] = {port, bytes, true, value};

        reflect(vm->machine.serving, NOVA_H_PORT, parameters, NULL);
}

/* Answers a read of the guest's phrase or secrets, which the VMM does not see. */
static uint64_t read_secret(void *context, uint64_t port, unsigned bytes)
{
        const struct vm *const vm = context;

        return secrets_read(&vm->secrets, vm->seal, port, bytes);
}

static void write_secret(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct vm *const vm = context;

        secrets_write(&vm->secrets, port, bytes, value);
}

/* Adds the ranges of ports. The bus splits an access that lies in two ranges, so the VMM sees only
 * the bytes in its own ranges. */
static void add_ports(struct vm *vm)
{
        const struct nova_bus_range ranges[] = {
                {0, NOVA_UV_SECRET_VALUE - 1, read_port, write_port, vm},
                {NOVA_UV_SECRET_VALUE, NOVA_UV_SECRET_LAST, read_secret, write_secret, vm},
                {NOVA_UV_SECRET_LAST + 1, UINT16_MAX, read_port, write_port, vm}};

        for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
                nova_bus_add(&vm->machine.ports, &ranges[i]);
}

/* Tells the VMM that its guest has ended. */
static void notify(void *context)
{
        struct vm *const vm = context;

        vm_lock();
        nova_service_notify(vm_service, vm->session);
        vm_unlock();
}

void exit_init(struct vm *vm)
{
        struct nova_vm *const machine = &vm->machine;

        for (unsigned i = 0; i < NOVA_VM_EXIT_COUNT; i++)
                usual[i] = machine->handler[i];
        nova_vm_on(machine, NOVA_VM_EXIT_STARTUP, start);
        nova_vm_on(machine, NOVA_VM_EXIT_MEMORY, memory);
        nova_vm_on(machine, NOVA_VM_EXIT_CPUID, cpuid);
        nova_vm_on(machine, NOVA_VM_EXIT_RDMSR, rdmsr);
        nova_vm_on(machine, NOVA_VM_EXIT_HYPERCALL, guest_call);
        machine->ended_hook = notify;
        machine->ended_context = vm;
        add_ports(vm);
        access_init(vm);
        reflect_init(vm);
}
