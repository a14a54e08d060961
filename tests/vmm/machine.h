/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines of the tests. */
#ifndef NOVA_TESTS_VMM_MACHINE_H
#define NOVA_TESTS_VMM_MACHINE_H

#include <stdbool.h>
#include <stdio.h>

#include "novart/module.h"
#include "novart/time.h"
#include "novavmm/pc.h"
#include "novavmm/registers.h"

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
 * the address ready. An earlier start would be wrong: the guest gets its RAM only when virtual
 * CPU 0 starts. */
static inline void machine_start_second(struct nova_vm *vm, uint64_t ready, uint64_t page)
{
        uint32_t word = 0;

        while (!word && nova_guest_read(&vm->memory, ready, &word, sizeof(word)))
                nova_sleep(1000000);
        nova_vm_lock(vm);
        nova_vcpu_start_at(&vm->vcpu[1], (uint8_t)(page >> 12));
        nova_vm_unlock(vm);
}

/* Starts all virtual CPUs but the first one, as machine_start_second() does. */
static inline void machine_start_others(struct nova_vm *vm, uint64_t ready, uint64_t page)
{
        machine_start_second(vm, ready, page);
        nova_vm_lock(vm);
        for (unsigned i = 2; i < vm->vcpus; i++)
                nova_vcpu_start_at(&vm->vcpu[i], (uint8_t)(page >> 12));
        nova_vm_unlock(vm);
}

/* Writes a GDT with flat segments, code at selector 8 and data at 16, and lets virtual CPU 0 begin
 * with it and with an IDT for vectors up to last. Call it after nova_registers_protected() or
 * machine_begin(), which set other registers. */
static inline void machine_set_tables(struct nova_vm *vm, uint32_t gdt_at, uint32_t idt_at,
                                      unsigned last)
{
        static const uint64_t gdt[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff, 0};
        struct nova_utcb_state *const start = &vm->vcpu[0].start.state;

        nova_guest_write(&vm->memory, gdt_at, gdt, sizeof(gdt));
        start->gdtr.base = gdt_at;
        start->gdtr.limit = sizeof(gdt) - 1;
        start->idtr.base = idt_at;
        start->idtr.limit = (last + 1) * 8 - 1;
}

/* Writes an operand of LGDT and, 8 bytes above it, an operand of LIDT. They load the tables of
 * machine_set_tables(). */
static inline void machine_write_operands(struct nova_vm *vm, uint64_t at)
{
        const struct nova_utcb_state *const start = &vm->vcpu[0].start.state;
        const uint64_t gdtr = start->gdtr.limit | (uint64_t)start->gdtr.base << 16;
        const uint64_t idtr = start->idtr.limit | (uint64_t)start->idtr.base << 16;

        nova_guest_write(&vm->memory, at, &gdtr, sizeof(gdtr));
        nova_guest_write(&vm->memory, at + 8, &idtr, sizeof(idtr));
}

/* Writes a gate of the IDT that leads to a handler in the first 64 KiB. */
static inline void machine_set_gate(struct nova_vm *vm, uint32_t idt_at, unsigned vector,
                                    uint32_t handler)
{
        const uint64_t gate = 0x8e0000080000 | handler;

        nova_guest_write(&vm->memory, idt_at + vector * sizeof(gate), &gate, sizeof(gate));
}

/* Writes the handler of a vector, in the first 64 KiB, and its gate. */
static inline void machine_add_handler(struct nova_vm *vm, uint32_t idt_at, unsigned vector,
                                       uint32_t at, const char *code, size_t bytes)
{
        nova_guest_write(&vm->memory, at, code, bytes);
        machine_set_gate(vm, idt_at, vector, at);
}

/* Writes code with which virtual CPU 0 begins in protected mode. */
static inline void machine_begin(struct nova_vm *vm, uint32_t at, const char *code, size_t bytes)
{
        nova_guest_write(&vm->memory, at, code, bytes);
        nova_registers_protected(&vm->vcpu[0].start, at, 8, 16);
}

/* Maps the bytes of a boot module permanently. @return NULL, after a message, if there is no module
 * of this name */
static inline const void *open_module(const char *name, size_t *bytes)
{
        const void *data;

        if (!nova_module_open(name, &data, bytes))
                return data;
        printf("The boot module %s is missing.\n", name);
        return NULL;
}

#endif
