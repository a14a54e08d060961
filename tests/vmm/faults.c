/* SPDX-License-Identifier: BSD-2-Clause */
/* #GP that the library or the kernel injects into a guest. In real mode exceptions have no error
 * codes, and a CPU with VMX refuses an injection with one; in protected mode #GP has an error
 * code. */
#include <stdio.h>

#include "novavmm/cpuid.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define HANDLER_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define NOTE_AT    0x6000
#define STACK_AT   0x8000

/* The handler's stack holds three words of 16 bits in real mode. In protected mode it holds four of
 * 32 bits, because there is an error code. */
#define REAL_NOTE      (STACK_AT - 6)
#define PROTECTED_NOTE (STACK_AT - 16)

/* The handlers record their stack pointer. */
GUEST_CODE(real_handler, 16, "movw %sp, 0x6000\nhlt\n");
GUEST_CODE(protected_handler, 32, "movl %esp, 0x6000\nhlt\n");

/* Instructions that raise #GP. If one does not, the guest halts and has recorded nothing. */
GUEST_CODE(rdmsr, 16, "movl $0x12345678, %ecx\nrdmsr\nhlt\n");
GUEST_CODE(wrmsr, 16, "movl $0x12345678, %ecx\nwrmsr\nhlt\n");
GUEST_CODE(rdpmc, 16, "xorl %ecx, %ecx\nrdpmc\nhlt\n");
GUEST_CODE(write_cr0, 16, "movl $0x20000010, %eax\nmovl %eax, %cr0\nhlt\n");
GUEST_CODE(xsetbv, 16,
           "movl $0x40000, %eax\nmovl %eax, %cr4\nmovl $1, %ecx\nxorl %edx, %edx\n"
           "movl $1, %eax\nxsetbv\nhlt\n");
GUEST_CODE(rdmsr32, 32, "movl $0x12345678, %ecx\nrdmsr\nhlt\n");
GUEST_CODE(rdpmc32, 32, "xorl %ecx, %ecx\nrdpmc\nhlt\n");
GUEST_CODE(write_cr0_32, 32, "movl $0x20000011, %eax\nmovl %eax, %cr0\nhlt\n");

static struct nova_vm vm;

static void prepare_real(void)
{
        static const uint16_t vector[] = {HANDLER_AT, 0};

        nova_guest_write(&vm.memory, 13 * 4, vector, sizeof(vector));
        nova_guest_write(&vm.memory, HANDLER_AT, real_handler, GUEST_BYTES(real_handler));
        nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
}

static void prepare_protected(void)
{
        static const uint64_t gdt[] = {0, 0xcf9b000000ffff, 0xcf93000000ffff};
        static const uint64_t gate = 0x8e0000080000 | HANDLER_AT;
        struct nova_utcb_state *const start = &vm.vcpu[0].start.state;

        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, IDT_AT + 13 * sizeof(gate), &gate, sizeof(gate));
        nova_guest_write(&vm.memory, HANDLER_AT, protected_handler, GUEST_BYTES(protected_handler));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        start->gdtr.base = GDT_AT;
        start->gdtr.limit = sizeof(gdt) - 1;
        start->idtr.base = IDT_AT;
        start->idtr.limit = 14 * sizeof(gate) - 1;
}

/* Runs a guest. @return whether it got its exception, with the expected words on its stack */
static bool run(const char *name, const char *code, size_t bytes, bool protected)
{
        const struct nova_vm_config config = {.name = name, .memory = 2u << 20};
        const uint32_t want = protected ? PROTECTED_NOTE : REAL_NOTE;
        enum nova_vm_end end;
        uint32_t note = 0;

        if (!machine_create(&vm, &config, NULL))
                return false;
        if (protected)
                prepare_protected();
        else
                prepare_real();
        nova_guest_write(&vm.memory, GUEST_AT, code, bytes);
        vm.vcpu[0].start.state.sp = STACK_AT;
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, NOTE_AT, &note, sizeof(note));
        nova_vm_destroy(&vm);
        if (end == NOVA_VM_HALTED && note == want)
                return true;
        printf("%s: it %s, its stack was at 0x%x\n", name, nova_vm_end_text(end), (unsigned)note);
        return false;
}

#define RUN(name, protected) run(#name, name, GUEST_BYTES(name), protected)

/* QEMU does not raise #GP for CR0.NW without CR0.CD, and offers no XSAVE to guests of SVM. */
int main(void)
{
        bool good = RUN(rdmsr, false);

        good &= RUN(wrmsr, false);
        good &= RUN(rdpmc, false);
        good &= RUN(rdmsr32, true);
        good &= RUN(rdpmc32, true);
        if (nova_cpuid_has_xsave(nova_cpuid_host, vm.svm)) {
                good &= RUN(xsetbv, false);
                printf("XSETBV was tried\n");
        }
        if (!vm.svm) {
                good &= RUN(write_cr0, false);
                good &= RUN(write_cr0_32, true);
                printf("CR0 was tried\n");
        }
        printf("#GP: %s\n", good ? "as on a CPU" : "wrong");
        return !good;
}
