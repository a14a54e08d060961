/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses MSRs, and executes instructions that exit as these accesses do; counts #GP. */
#include "guest_msr.h"

#include "guest_gate.h"

#ifdef __x86_64__

#define VECTOR_GP 13

static uint64_t idt[2 * (VECTOR_GP + 1)];

/* Written by the handler. */
volatile uint32_t guest_msr_faults;

void guest_msr_fault(void);

/* Counts the exception, and continues after the instruction, which has two bytes. */
__asm__(".pushsection .text\n"
        "guest_msr_fault: incl guest_msr_faults(%rip)\n"
        "addq $8, %rsp\naddq $2, (%rsp)\niretq\n"
        ".popsection\n");

/* Loads a table with the handler of #GP. @return the guest's own table */
static struct operand load_handler(void)
{
        const struct operand ours = {sizeof(idt) - 1, (uintptr_t)idt};
        struct operand theirs;

        guest_set_gate(idt, VECTOR_GP, guest_msr_fault);
        __asm__ volatile("sidt %0\nlidt %1" : "=m"(theirs) : "m"(ours));
        return theirs;
}

/* Returns the number of MSRs that can be accessed: read, and written in the upper half. */
static uint32_t try_one(uint32_t msr)
{
        uint32_t low = 0, high = 0, before = guest_msr_faults;
        bool readable, writable;

        __asm__ volatile("rdmsr" : "+a"(low), "+d"(high) : "c"(msr) : "memory");
        readable = guest_msr_faults == before;
        if (!readable)
                low = high = 0;
        before = guest_msr_faults;
        __asm__ volatile("wrmsr" : : "a"(low), "d"(high), "c"(msr) : "memory");
        writable = guest_msr_faults == before;
        return readable + ((uint32_t)writable << 16);
}

uint32_t guest_msr_try(unsigned range)
{
        static const uint32_t first[GUEST_MSR_RANGES] = {0, 0x40000000, 0x4b564000, 0xc0000000,
                                                         0xc0010000};
        const struct operand theirs = load_handler();
        uint32_t sum = 0;

        for (uint32_t i = 0; i < GUEST_MSR_COUNT; i++)
                sum += try_one(first[range] + i);
        __asm__ volatile("lidt %0" : : "m"(theirs));
        return sum;
}

uint32_t guest_msr_quiet(void)
{
        const uint32_t before = guest_msr_faults;
        const struct operand theirs = load_handler();

        __asm__ volatile("invd\nwbinvd\npause" : : : "memory");
        __asm__ volatile("rdpmc" : : "c"(0) : "rax", "rdx", "memory");
        __asm__ volatile("lidt %0" : : "m"(theirs));
        return guest_msr_faults - before;
}

#else

/* Secure guests need the other kernel. */
uint32_t guest_msr_try(unsigned range)
{
        return range;
}

uint32_t guest_msr_quiet(void)
{
        return 0;
}

#endif
