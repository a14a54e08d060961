/* SPDX-License-Identifier: BSD-2-Clause */
/* A 32-bit program in a guest enters the guest's kernel by INT 0x80, SYSCALL and SYSENTER. The
 * guest's kernel is as wide as the VMM library: 64 or 32 bits. The guest sets the MSRs; values that
 * no CPU accepts raise #GP. */
#include <stdio.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x1000
#define PROGRAM_AT 0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define TSS_AT     0x5000
#define FOUND_AT   0x6000 /* number of #GPs; bits WAY_ of the entries that worked; number of #UDs */
#define STACK_AT   0x8000
#define TABLES_AT  0x10000

#define CODE_SEL      0x08
#define DATA_SEL      0x10
#define USER_CODE_SEL 0x1b
#define USER_DATA_SEL 0x23

#define WAY_INT      0x1
#define WAY_SYSCALL  0x2
#define WAY_SYSENTER 0x4

#define WRMSR(msr, high, low) \
        "movl $" #msr ", %ecx\nmovl $" #high ", %edx\nmovl $" #low ", %eax\nwrmsr\n"

#if __SIZEOF_POINTER__ == 8
#define BITS        64
#define FAULTS      8 /* CSTAR, LSTAR, KERNEL_GS_BASE, FMASK, SYSENTER's two, FS and GS */
#define SP          "%rsp"
#define WORD_BYTES  "8"
#define IRET        "iretq\n"
#define PUSH_USER   "pushq $0x23\npushq $0x9000\npushq $2\npushq $0x1b\npushq $0x2000\n"
#define PUSH_RETURN "pushq $0x23\npushq %rcx\npushq $2\npushq $0x1b\npushq %rdx\n"
#define RETURN_IP   "addq $2, (%rsp)\n"
/* Addresses that are not canonical (bits 63 and 47 differ), and an FMASK of more than 32 bits. */
#define FAULTY                           \
        WRMSR(0xc0000083, 0x80000000, 0) \
        WRMSR(0xc0000082, 0x80000000, 0) \
        WRMSR(0xc0000102, 0x8000, 0)     \
        WRMSR(0xc0000084, 1, 0)          \
        WRMSR(0x175, 0x80000000, 0)      \
        WRMSR(0x176, 0x8000, 0)          \
        WRMSR(0xc0000100, 0x8000, 0)     \
        WRMSR(0xc0000101, 0x8000, 0)
#else
#define BITS        32
#define FAULTS      1
#define SP          "%esp"
#define WORD_BYTES  "4"
#define IRET        "iretl\n"
#define PUSH_USER   "pushl $0x23\npushl $0x9000\npushl $2\npushl $0x1b\npushl $0x2000\n"
#define PUSH_RETURN "pushl $0x23\npushl %ecx\npushl $2\npushl $0x1b\npushl %edx\n"
#define RETURN_IP   "addl $2, (%esp)\n"
#define FAULTY      WRMSR(0xc0000084, 1, 0)
#endif

/* Parts of the guest's kernel. */
#define GP_AT       0x1200
#define UD_AT       0x1240
#define INT_AT      0x1280
#define SYSCALL_AT  0x12c0
#define SYSENTER_AT 0x1300

/* SYSCALL takes its entry address from STAR in legacy mode and from CSTAR in compatibility mode.
 * LSTAR leads to HLT. Under QEMU, an AMD CPU in compatibility mode executes SYSENTER, but not
 * SYSEXIT, so the kernel returns by IRET. OUT exits, so that the next VM entry loads the segments
 * that SYSCALL or SYSENTER has set. */
#define KERNEL                                                                                   \
        "movl $0x28, %eax\nltr %ax\n" FAULTY WRMSR(0xc0000081, 0x1b0008, 0x12c0) WRMSR(          \
                0xc0000082, 0, 0x1340) WRMSR(0xc0000083, 0, 0x12c0) WRMSR(0xc0000084, 0, 0x200)  \
                WRMSR(0x174, 0, 8) WRMSR(0x175, 0, 0x8000) WRMSR(                                \
                        0x176, 0,                                                                \
                        0x1300) "movl $0xc0000080, %ecx\nrdmsr\norl $1, %eax\nwrmsr\n" PUSH_USER \
                        IRET ".org kernel + 0x200\nincl 0x6000\nadd $" WORD_BYTES ", " SP        \
                                "\n" RETURN_IP IRET                                              \
                                ".org kernel + 0x240\nincl 0x6008\n" RETURN_IP IRET              \
                                ".org kernel + 0x280\ntestl %eax, %eax\njnz 1f\norl $1, "        \
                                "0x6004\n" IRET "1: hlt\n"                                       \
                                ".org kernel + 0x2c0\norl $2, 0x6004\n"                          \
                                "outb %al, $0x80\nsysretl\n"                                     \
                                ".org kernel + 0x300\norl $4, 0x6004\n"                          \
                                "outb %al, $0x80\n" PUSH_RETURN IRET ".org kernel + 0x340\nhlt\n"

#if __SIZEOF_POINTER__ == 8
GUEST_CODE(kernel, 64, KERNEL);
#else
GUEST_CODE(kernel, 32, KERNEL);
#endif

GUEST_CODE(program, 32,
           "movl $0x23, %eax\nmovl %eax, %ds\n"
           "xorl %eax, %eax\nint $0x80\n"
           "syscall\n"
           "movl %esp, %ecx\nmovl $(1f - program + 0x2000), %edx\nsysenter\n"
           "1: movl $1, %eax\nint $0x80\n");

static struct nova_vm vm;

static void add_gate(unsigned vector, uint64_t handler, unsigned level)
{
        const uint64_t gate = handler | CODE_SEL << 16 | (uint64_t)(0x8e00 | level << 13) << 32;
        const uint64_t gates[2] = {gate, 0};

        nova_guest_write(&vm.memory, IDT_AT + vector * BITS / 4, gates, BITS / 4);
}

static void prepare_memory(void)
{
        static const uint64_t gdt[] = {0,
                                       BITS == 64 ? 0xaf9b000000ffff : 0xcf9b000000ffff,
                                       0xcf93000000ffff,
                                       0xcffb000000ffff,
                                       0xcff3000000ffff,
                                       0x890000000067 | (uint64_t)TSS_AT << 16,
                                       0};
        static const uint32_t tss[] = {0, STACK_AT, BITS == 64 ? 0 : DATA_SEL};

        nova_guest_write(&vm.memory, GUEST_AT, kernel, GUEST_BYTES(kernel));
        nova_guest_write(&vm.memory, PROGRAM_AT, program, GUEST_BYTES(program));
        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, TSS_AT, tss, sizeof(tss));
        add_gate(6, UD_AT, 0);
        add_gate(13, GP_AT, 0);
        add_gate(0x80, INT_AT, 3);
        for (uint64_t i = 0; i < 3; i++) {
                const uint64_t entry = i == 2 ? 0x87 : (TABLES_AT + (i + 1) * 0x1000) | 7;
                nova_guest_write(&vm.memory, TABLES_AT + i * 0x1000, &entry, sizeof(entry));
        }
}

static void prepare_state(void)
{
        struct nova_utcb_state *const state = &vm.vcpu[0].start.state;

        if (BITS == 64)
                nova_registers_long(&vm.vcpu[0].start, GUEST_AT, TABLES_AT, CODE_SEL, DATA_SEL);
        else
                nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, CODE_SEL, DATA_SEL);
        state->sp = STACK_AT;
        state->gdtr.base = GDT_AT;
        state->gdtr.limit = 7 * 8 - 1;
        state->idtr.base = IDT_AT;
        state->idtr.limit = 0x81 * BITS / 4 - 1;
}

/* In compatibility mode an Intel CPU lacks SYSCALL, and an AMD CPU lacks SYSENTER. */
int main(void)
{
        const struct nova_vm_config config = {.name = "syscalls", .memory = 2u << 20};
        uint32_t found[3] = {0};

        if (!machine_create(&vm, &config, NULL))
                return 1;
        prepare_memory();
        prepare_state();
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_guest_read(&vm.memory, FOUND_AT, found, sizeof(found));
        printf("#GP %u, #UD %u, in by%s%s%s\n", (unsigned)found[0], (unsigned)found[2],
               found[1] & WAY_INT ? " INT" : "", found[1] & WAY_SYSCALL ? " SYSCALL" : "",
               found[1] & WAY_SYSENTER ? " SYSENTER" : "");

        const unsigned ways = !!(found[1] & WAY_SYSCALL) + !!(found[1] & WAY_SYSENTER);
        const bool good = end == NOVA_VM_HALTED && found[0] == FAULTS && found[1] & WAY_INT &&
                          ways && ways + found[2] == 2;

        printf("system calls: %s\n", good ? "as on a CPU" : "wrong");
        return !good;
}
