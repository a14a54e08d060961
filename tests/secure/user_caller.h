/* SPDX-License-Identifier: BSD-2-Clause */
/* A normal guest that makes the ultracall UV_ESM in user mode. It has 32-bit segments, and a
 * handler of #UD in its kernel, which reports the address at which user mode stopped. */
#ifndef NOVA_TESTS_SECURE_USER_CALLER_H
#define NOVA_TESTS_SECURE_USER_CALLER_H

#include "../vmm/guest_code.h"
#include "novavmm/registers.h"
#include "novavmm/secure.h"

#define USER_PORT    0xe4
#define USER_CODE    0x1000u
#define USER_ENTRY   0x1800u          /* entry point of user mode */
#define USER_CALL    (USER_ENTRY + 5) /* address of VMMCALL */
#define USER_HANDLER 0x2000u
#define USER_GDT     0x3000u
#define USER_IDT     0x3100u
#define USER_TASK    0x3200u /* task state segment, with the kernel's stack */
#define USER_STACK   0x4000u
#define USER_KERNEL  0x8u /* selectors of the kernel's code and data */
#define USER_DATA    0x10u
#define USER_VECTOR  6u /* #UD */

GUEST_CODE(user_code, 32,
           "movl $0x4000, %esp\nmovl $0x28, %eax\nltr %ax\n"
           "pushl $0x23\npushl $0x5000\npushl $2\npushl $0x1b\npushl $0x1800\niret\n");
GUEST_CODE(user_entry, 32, "movl $0xf110, %eax\nvmmcall\nud2\n");
GUEST_CODE(user_handler, 32, "popl %eax\noutl %eax, $0xe4\ncli\nhlt\n");

static uint32_t user_stopped; /* instruction at which #UD was raised */

static inline void user_write_port(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        user_stopped = (uint32_t)value;
}

/* Writes code and tables to the guest's memory. */
static inline void user_load(struct nova_vm *machine)
{
        static const uint64_t gdt[] = {0,
                                       UINT64_C(0x00cf9b000000ffff),
                                       UINT64_C(0x00cf93000000ffff),
                                       UINT64_C(0x00cffb000000ffff),
                                       UINT64_C(0x00cff3000000ffff),
                                       UINT64_C(0x0000890000000067) | USER_TASK << 16};
        static const uint64_t gate = USER_HANDLER | USER_KERNEL << 16 | UINT64_C(0x8e00) << 32;
        static const uint32_t task[] = {0, USER_STACK, USER_DATA};

        nova_guest_write(&machine->memory, USER_CODE, user_code, GUEST_BYTES(user_code));
        nova_guest_write(&machine->memory, USER_ENTRY, user_entry, GUEST_BYTES(user_entry));
        nova_guest_write(&machine->memory, USER_HANDLER, user_handler, GUEST_BYTES(user_handler));
        nova_guest_write(&machine->memory, USER_GDT, gdt, sizeof(gdt));
        nova_guest_write(&machine->memory, USER_IDT + USER_VECTOR * sizeof(gate), &gate,
                         sizeof(gate));
        nova_guest_write(&machine->memory, USER_TASK, task, sizeof(task));
}

/* Returns true if the ultracall raises #UD in the guest. */
static inline bool user_call_is_undefined(void)
{
        static struct nova_vm machine;
        static struct nova_secure session;
        const struct nova_vm_config config = {
                .name = "user", .memory = 2u << 20, .secure = &session};
        const struct nova_bus_range port = {USER_PORT, USER_PORT + 3, NULL, user_write_port, NULL};
        enum nova_vm_end end;

        nova_secure_open(&session, "ultravisor");
        if (nova_vm_create(&machine, &config) || nova_bus_add(&machine.ports, &port))
                return false;
        user_load(&machine);
        nova_registers_protected(&machine.vcpu[0].start, USER_CODE, USER_KERNEL, USER_DATA);
        machine.vcpu[0].start.state.gdtr.base = USER_GDT;
        machine.vcpu[0].start.state.idtr.base = USER_IDT;
        if (nova_vm_run(&machine))
                return false;
        end = nova_vm_wait(&machine);
        nova_vm_destroy(&machine);
        return end == NOVA_VM_HALTED && user_stopped == USER_CALL;
}

#endif
