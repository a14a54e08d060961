/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that do wrong, one after the other. */
#include <stdio.h>
#include <string.h>

#include "novavmm/load.h"
#include "novavmm/vm.h"

#define GUEST_AT 0x1000

/* Code for protected mode without paging, and how the machine has to end. */
static const struct bad_guest {
        const char *name, *code;
        size_t bytes;
        enum nova_vm_end end;
} guests[] = {
        /* mov $0xd0000000, %eax; jmp *%eax */
        {"nowhere", "\xb8\x00\x00\x00\xd0\xff\xe0", 7, NOVA_VM_ERROR},
        /* ud2, without any table of interrupts */
        {"triple", "\x0f\x0b", 2, NOVA_VM_ERROR},
        /* movups %xmm0, 0xd0000000, after CR4.OSFXSR was set */
        {"vector", "\x0f\x20\xe0\x0d\x00\x02\x00\x00\x0f\x22\xe0\x0f\x11\x05\x00\x00\x00\xd0", 18,
         NOVA_VM_ERROR},
        /* reads of memory and ports that are not there give ones, writes are lost:
         * mov %eax, 0xd0000000; mov 0xd0000000, %eax; inc %eax; jnz .; in $0x80, %eax; inc %eax;
         * jnz .; cli; hlt */
        {"absent",
         "\xa3\x00\x00\x00\xd0\xa1\x00\x00\x00\xd0\x40\x75\xfe\xe5\x80\x40\x75\xfe\xfa\xf4", 20,
         NOVA_VM_HALTED},
        /* hlt with interrupts off */
        {"halted", "\xf4", 1, NOVA_VM_HALTED},
        /* what a guest cannot have raises exceptions: vmmcall, without a table of interrupts */
        {"refused", "\x0f\x01\xd9", 3, NOVA_VM_ERROR},
};

static int run(const struct bad_guest *guest)
{
        static struct nova_vm vm;
        const struct nova_vm_config config = {.name = guest->name, .memory = 2u << 20};
        const int error = nova_vm_create(&vm, &config);

        if (error) {
                printf("The machine cannot be made: %s.\n", strerror(error));
                return 0;
        }
        nova_guest_write(&vm.memory, GUEST_AT, guest->code, guest->bytes);
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        vm.vcpu[0].start.state.idtr.limit = 0;
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_vm_destroy(&vm);
        printf("%s: %s\n", guest->name, end == guest->end ? "as expected" : "wrong");
        return end == guest->end;
}

int main(void)
{
        const unsigned count = sizeof(guests) / sizeof(*guests);
        unsigned good = 0;

        for (unsigned i = 0; i < count; i++)
                good += (unsigned)run(&guests[i]);
        printf("%u of %u guests\n", good, count);
        return good != count;
}
