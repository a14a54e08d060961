/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulated instructions with prefixes, also on CPUs that do not report the length of
 * instructions. */
#include <stdio.h>

#include "novavmm/cpuid.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT  0x1000
#define TABLES_AT 0x10000
#define NOTE_AT   0x6000
#define STACK_AT  0x8000

/* The guest counts after each instruction, which shows whether the monitor skipped too few or too
 * many bytes. */
#define COUNT "incl (%edi)\n"

/* Prefixes for a segment, for the operand size and the address size, and several of them together.
 * The guest writes EFER with the value that it has read. */
#define COMMON                                                                                     \
        "movl $0x6000, %edi\n"                                                                     \
        "xorl %eax, %eax\n"                                                                        \
        ".byte 0x66, 0x0f, 0xa2\n" COUNT /* cpuid */                                               \
        "xorl %eax, %eax\n"                                                                        \
        ".byte 0x2e, 0x64, 0x67, 0x0f, 0xa2\n" COUNT ".byte 0x26, 0x0f, 0x09\n" COUNT /* wbinvd */ \
        "movl $0xc0000080, %ecx\n"                                                                 \
        ".byte 0x3e, 0x0f, 0x32\n" COUNT       /* rdmsr */                                         \
        ".byte 0x36, 0x66, 0x0f, 0x30\n" COUNT /* wrmsr */                                         \
        ".byte 0x65, 0xf4\n" COUNT             /* hlt */                                           \
        ".byte 0xf3, 0x90\n" COUNT             /* pause */                                         \
        ".byte 0x0f, 0xa2\n" COUNT             /* without any prefix */

GUEST_CODE(real, 16, COMMON "1: hlt\njmp 1b\n");
GUEST_CODE(protected, 32, COMMON "1: hlt\njmp 1b\n");
#define COUNTS 8

#if __SIZEOF_POINTER__ == 8
GUEST_CODE(wide, 64,
           COMMON
           "xorl %eax, %eax\n"
           ".byte 0x48, 0x0f, 0xa2\n" COUNT /* REX has an effect directly before the opcode only */
           "xorl %eax, %eax\n"
           ".byte 0x4f, 0x66, 0x41, 0x0f, 0xa2\n" COUNT "1: hlt\njmp 1b\n");
#define WIDE_COUNTS (COUNTS + 2)
#endif

GUEST_CODE(xsetbv, 32,
           "movl $0x6000, %edi\n"
           "movl $0x40000, %eax\nmovl %eax, %cr4\n"
           "movl $3, %eax\nxorl %ecx, %ecx\nxorl %edx, %edx\n"
           ".byte 0x26, 0x67, 0x0f, 0x01, 0xd1\n" COUNT "hlt\n1: hlt\njmp 1b\n");

static struct nova_vm vm;
static unsigned halts;

/* Handles the exit of a HLT: skips the first HLT, and ends the machine at the second one. */
static void on_halt(struct nova_vcpu *vcpu)
{
        if (halts++)
                nova_vm_end_with(vcpu->vm, NOVA_VM_HALTED);
        else
                nova_vcpu_skip(vcpu, 1);
}

static bool create(const char *name, const char *code, size_t bytes)
{
        const struct nova_vm_config config = {.name = name, .memory = 2u << 20};

        if (!machine_create(&vm, &config, NULL))
                return false;
        halts = 0;
        nova_vm_on(&vm, NOVA_VM_EXIT_HALT, on_halt);
        nova_guest_write(&vm.memory, GUEST_AT, code, bytes);
        return true;
}

static bool run(const char *name, uint32_t want)
{
        enum nova_vm_end end;
        uint32_t count = 0;

        vm.vcpu[0].start.state.sp = STACK_AT;
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, NOTE_AT, &count, sizeof(count));
        nova_vm_destroy(&vm);
        if (end == NOVA_VM_HALTED && count == want && halts == 2)
                return true;
        printf("%s: it %s, after %u of %u\n", name, nova_vm_end_text(end), (unsigned)count,
               (unsigned)want);
        return false;
}

static bool run_real(void)
{
        if (!create("real", real, GUEST_BYTES(real)))
                return false;
        nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
        return run("real", COUNTS);
}

static bool run_protected(const char *name, const char *code, size_t bytes, uint32_t want)
{
        if (!create(name, code, bytes))
                return false;
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        return run(name, want);
}

#if __SIZEOF_POINTER__ == 8
/* Runs a guest whose code is at offset 0x1000 in the second GiB. */
static bool run_wide(void)
{
        static const uint64_t tables[3][512] = {
                {(TABLES_AT + 0x1000) | 3},
                {(TABLES_AT + 0x2000) | 3, (TABLES_AT + 0x2000) | 3},
                {0x83}, /* 2 MiB */
        };

        if (!create("wide", wide, GUEST_BYTES(wide)))
                return false;
        nova_guest_write(&vm.memory, TABLES_AT, tables, sizeof(tables));
        nova_registers_long(&vm.vcpu[0].start, 0x40000000 + GUEST_AT, TABLES_AT, 8, 16);
        return run("wide", WIDE_COUNTS);
}
#endif

int main(void)
{
        bool good = run_real();

        good &= run_protected("protected", protected, GUEST_BYTES(protected), COUNTS);
#if __SIZEOF_POINTER__ == 8
        good &= run_wide();
#endif
        if (nova_cpuid_has_xsave(nova_cpuid_host, vm.svm)) {
                good &= run_protected("xsetbv", xsetbv, GUEST_BYTES(xsetbv), 1);
                printf("XSETBV was tried\n");
        }
        printf("prefixes: %s\n", good ? "as on a CPU" : "wrong");
        return !good;
}
