/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine monitor: one guest, one device, one exit with its own handler. */
#include <stdio.h>

#include "novavmm/load.h"
#include "novavmm/vm.h"

#define GUEST_AT   0x1000
#define PRINT_PORT 0xe9

/* The guest, in real mode: prints a text, then EBX of CPUID, and halts. */
__asm__(".pushsection .rodata\n"
        ".code16\n"
        "guest:  movw %cs, %ax\n"
        "        movw %ax, %ds\n"
        "        movw $(text - guest), %si\n"
        "1:      lodsb\n"
        "        testb %al, %al\n"
        "        jz 2f\n"
        "        outb %al, $0xe9\n"
        "        jmp 1b\n"
        "2:      xorl %eax, %eax\n"
        "        cpuid\n"
        "        movw $4, %cx\n"
        "3:      movb %bl, %al\n"
        "        outb %al, $0xe9\n"
        "        shrl $8, %ebx\n"
        "        loop 3b; hlt\n"
        "text:   .asciz \"My CPU is called \"\n"
        "guest_end:\n"
#if __SIZEOF_POINTER__ == 8
        ".code64\n"
#else
        ".code32\n"
#endif
        ".popsection\n");

extern const char guest[], guest_end[];

/* A device: collects the guest's output in a line of text. */
struct printer {
        char line[80];
        size_t length;
};

static void print(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        struct printer *const printer = device;

        (void)port, (void)bytes;
        if (printer->length < sizeof(printer->line) - 1)
                printer->line[printer->length++] = (char)value;
}

/* Handles the exit CPUID instead of the library. */
static void answer_cpuid(struct nova_vcpu *vcpu)
{
        vcpu->state->bx = 'N' | 'o' << 8 | 'v' << 16 | 'a' << 24;
        vcpu->changed |= NOVA_MTD_ACDB;
        nova_vcpu_skip(vcpu, 2);
}

static int fail(const char *what, const char *why)
{
        printf("%s: %s.\n", what, why);
        return 1;
}

int main(void)
{
        static struct nova_vm vm;
        static struct printer printer;
        const struct nova_vm_config config = {.name = "talker", .memory = 2u << 20};
        const struct nova_bus_range range = {PRINT_PORT, PRINT_PORT, NULL, print, &printer};
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_bus_add(&vm.ports, &range);
        /* For an enlightened guest: <novavmm/hv.h>, no answer_cpuid(), static struct nova_hv hv;
         * const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
         * if (!error) error = nova_hv_enable(&hv, &vm, &enlightened); */
        if (error)
                return fail("The machine cannot be created", nova_vm_why(&vm, error));
        nova_vm_on(&vm, NOVA_VM_EXIT_CPUID, answer_cpuid);

        const char *const why = nova_flat_load(&vm.memory, guest, (size_t)(guest_end - guest),
                                               GUEST_AT, &vm.vcpu[0].start);

        if (why)
                return nova_vm_not_loaded(&vm, why);
        error = nova_vm_run(&vm);
        if (error)
                return fail("The machine cannot run", nova_vm_why(&vm, error));

        const enum nova_vm_end end = nova_vm_wait(&vm);

        printf("guest: %s!\nThe guest %s.\n", printer.line, nova_vm_end_text(end));
        nova_vm_destroy(&vm);
        return end != NOVA_VM_HALTED;
}
