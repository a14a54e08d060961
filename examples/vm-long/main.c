/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor for a guest that switches to long mode and takes interrupts. */
#include <stdio.h>
#include <string.h>

#include "novavmm/load.h"
#include "novavmm/pc.h"

#define GUEST_AT 0x100000

/* guest.S */
extern const char guest_begin[], guest_end[];

static struct nova_vm vm;
static struct nova_pc pc;

int main(void)
{
        const struct nova_vm_config config = {.name = "long", .memory = 2u << 20};
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        nova_guest_write(&vm.memory, GUEST_AT, guest_begin, (size_t)(guest_end - guest_begin));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine cannot run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        printf("The guest %s.\n", nova_vm_end_text(end));
        return end != NOVA_VM_OFF;
}
