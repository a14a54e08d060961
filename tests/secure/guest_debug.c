/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes the debug registers, and counts #DB. */
#include "guest_debug.h"

#include "guest_gate.h"
#include "probe.h"

#ifdef __x86_64__

#define VECTOR_DB   1
#define BREAKPOINTS 0xfu /* bits of DR6: the breakpoints whose conditions were met */

static uint64_t idt[2 * (VECTOR_DB + 1)];

/* Written by the handler of #DB. */
volatile uint64_t guest_debug_status;
volatile uint32_t guest_debug_count;

void guest_debug_trap(void);

/* Sets DR6 to its value after a reset. */
__asm__(".pushsection .text\n"
        "guest_debug_trap: push %rax\n"
        "mov %dr6, %rax\nor %rax, guest_debug_status(%rip)\n"
        "mov $0xffff0ff0, %eax\nmov %rax, %dr6\n"
        "incl guest_debug_count(%rip)\npop %rax\niretq\n"
        ".popsection\n");

static void load_gate(void)
{
        const struct operand idtr = {sizeof(idt) - 1, (uintptr_t)idt};

        guest_set_gate(idt, VECTOR_DB, guest_debug_trap);
        __asm__ volatile("lidt %0" : : "m"(idtr));
}

static uint64_t read(unsigned long number)
{
        uint64_t value = 0;

        if (number == 0)
                __asm__ volatile("mov %%dr0, %0" : "=r"(value));
        else if (number == 1)
                __asm__ volatile("mov %%dr1, %0" : "=r"(value));
        else if (number == 2)
                __asm__ volatile("mov %%dr2, %0" : "=r"(value));
        else if (number == 3)
                __asm__ volatile("mov %%dr3, %0" : "=r"(value));
        else if (number == 6)
                __asm__ volatile("mov %%dr6, %0" : "=r"(value));
        else if (number == 7)
                __asm__ volatile("mov %%dr7, %0" : "=r"(value));
        return value;
}

static uint32_t write(unsigned long number, uint64_t value)
{
        load_gate();
        if (number == 0)
                __asm__ volatile("mov %0, %%dr0" : : "r"(value));
        else if (number == 1)
                __asm__ volatile("mov %0, %%dr1" : : "r"(value));
        else if (number == 2)
                __asm__ volatile("mov %0, %%dr2" : : "r"(value));
        else if (number == 3)
                __asm__ volatile("mov %0, %%dr3" : : "r"(value));
        else if (number == 7)
                __asm__ volatile("mov %0, %%dr7" : : "r"(value) : "memory");
        return 0;
}

static uint32_t taken(void)
{
        const uint32_t all = guest_debug_count | (uint32_t)(guest_debug_status & BREAKPOINTS) << 16;

        guest_debug_count = 0;
        guest_debug_status = 0;
        return all;
}

uint32_t guest_debug(uint32_t command, unsigned long first, unsigned long second)
{
        switch (command) {
        case PROBE_DEBUG_READ:
                return (uint32_t)(read(first) >> (second ? 32 : 0));
        case PROBE_DEBUG_WRITE:
                return write(first, second);
        default:
                return taken();
        }
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
uint32_t guest_debug(uint32_t command, unsigned long first, unsigned long second)
{
        return command + (uint32_t)(first + second);
}

#endif
