/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes each vector that a monitor can send, during a computation in all registers. Also asks for
 * random numbers. */
#include "guest_vectors.h"

#include <novauv/guest.h>

#include "guest_gate.h"
#include "probe.h"

#ifdef __x86_64__

#define STUB_BYTES 16u
#define H_RANDOM   0x300u

static uint64_t idt[2 * (PROBE_VECTOR_LAST + 1)];
static uint64_t numbers[PROBE_RANDOM_MOST];

/* Written by the handlers: how often each vector has come, and how often one came with IF clear. */
volatile uint32_t guest_vectors_taken[PROBE_VECTOR_LAST + 1], guest_vectors_early;

extern const char guest_vectors_stubs[];

/* Computes in all registers, whose values depend on each other and on the carry flag, and makes an
 * exit in each round. */
uint64_t guest_vectors_chain(uint64_t rounds, uint64_t enabled);

__asm__(".pushsection .text\n"
        ".balign 16\n"
        "guest_vectors_stubs:\n"
        ".set guest_vectors_number, 32\n"
        ".rept 224\n"
        ".byte 0x68\n.long guest_vectors_number\n" /* pushq */
        "jmp guest_vectors_take\n"
        ".balign 16\n"
        ".set guest_vectors_number, guest_vectors_number + 1\n"
        ".endr\n"
        "guest_vectors_take:\n"
        "push %rax\nmov 8(%rsp), %rax\nincl guest_vectors_taken(,%rax,4)\n"
        "testb $2, 33(%rsp)\njnz 1f\nincl guest_vectors_early(%rip)\n"
        "1: pop %rax\nadd $8, %rsp\niretq\n"
        "guest_vectors_chain:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %cr0, %rax\nand $~0xc, %rax\nmov %rax, %cr0\n"
        "mov %cr4, %rax\nor $0x200, %rax\nmov %rax, %cr4\n"
        "mov $0x1111, %eax\nmov $0x2222, %ebx\nmov $0x3333, %ecx\nmov $0xd0, %edx\n"
        "mov $0x4444, %ebp\nmov $0x5555, %r8d\nmov $0x6666, %r9d\nmov $0x7777, %r10d\n"
        "mov $0x8888, %r11d\nmov $0x9999, %r12d\nmov $0xaaaa, %r13d\nmov $0xbbbb, %r14d\n"
        "mov $0xcccc, %r15d\nmovq %rax, %xmm0\nmovq %rbx, %xmm15\n"
        "test %rsi, %rsi\njz 1f\nsti\n"
        "1: clc\n"
        "2: adc %rbx, %rax\nadc %rcx, %rbx\nadc %rsi, %rcx\nadc %rbp, %rsi\nadc %r8, %rbp\n"
        "adc %r9, %r8\nadc %r10, %r9\nadc %r11, %r10\nadc %r12, %r11\nadc %r13, %r12\n"
        "adc %r14, %r13\nadc %r15, %r14\nadc %rax, %r15\nrol $7, %rax\n"
        "movq %rax, %xmm1\npaddq %xmm1, %xmm0\npxor %xmm0, %xmm15\n"
        "outl %eax, %dx\n"
        "dec %rdi\njnz 2b\n"
        "cli\n"
        "movq %xmm0, %rdi\nxor %rdi, %rax\nmovq %xmm15, %rdi\nadd %rdi, %rax\n"
        "add %rbx, %rax\nrol $5, %rax\nadd %rcx, %rax\nrol $5, %rax\nadd %rsi, %rax\nrol $5, %rax\n"
        "add %rbp, %rax\nrol $5, %rax\nadd %r8, %rax\nrol $5, %rax\nadd %r9, %rax\nrol $5, %rax\n"
        "add %r10, %rax\nrol $5, %rax\nadd %r11, %rax\nrol $5, %rax\nadd %r12, %rax\nrol $5, %rax\n"
        "add %r13, %rax\nrol $5, %rax\nadd %r14, %rax\nrol $5, %rax\nadd %r15, %rax\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"
        ".popsection\n");

static uint32_t chain(unsigned long rounds, bool enabled)
{
        const struct operand idtr = {sizeof(idt) - 1, (uintptr_t)idt};
        uint64_t sum;

        for (unsigned i = PROBE_VECTOR_FIRST; i <= PROBE_VECTOR_LAST; i++)
                guest_set_gate(idt, i,
                               (void (*)(void))((uintptr_t)guest_vectors_stubs +
                                                STUB_BYTES * (i - PROBE_VECTOR_FIRST)));
        __asm__ volatile("lidt %0" : : "m"(idtr));
        sum = guest_vectors_chain(rounds, enabled);
        return (uint32_t)(sum ^ sum >> 32);
}

/* Gets one random number. @return false: the call failed */
static bool get(uint64_t *value)
{
        unsigned long status;

        if (nova_guest_is_amd())
                __asm__ volatile("vmmcall" : "=a"(status), "=b"(*value) : "a"(H_RANDOM), "b"(0ul));
        else
                __asm__ volatile("vmcall" : "=a"(status), "=b"(*value) : "a"(H_RANDOM), "b"(0ul));
        return !status;
}

static uint32_t random(unsigned long count)
{
        uint64_t ones = 0, zeros = 0;
        uint32_t faults = 0;

        for (unsigned long i = 0; i < count && i < PROBE_RANDOM_MOST; i++) {
                if (!get(&numbers[i]))
                        faults |= PROBE_RANDOM_FAILS;
                for (unsigned long j = 0; j < i; j++)
                        if (numbers[i] == numbers[j])
                                faults |= PROBE_RANDOM_REPEATS;
                ones |= numbers[i];
                zeros |= ~numbers[i];
        }
        return faults | ((ones & zeros) == UINT64_MAX ? 0 : PROBE_RANDOM_STAYS);
}

uint32_t guest_vectors(uint32_t command, unsigned long first, unsigned long second)
{
        switch (command) {
        case PROBE_CHAIN:
                return chain(first, second);
        case PROBE_COUNT:
                return first ? guest_vectors_taken[first] : guest_vectors_early;
        default:
                return random(first);
        }
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
uint32_t guest_vectors(uint32_t command, unsigned long first, unsigned long second)
{
        return command + (uint32_t)(first + second);
}

#endif
