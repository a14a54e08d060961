/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses MSRs, and lists those whose accesses raise no #GP. */
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

/* The MSRs that can be accessed. */
static uint32_t list[GUEST_MSR_MAX][2];
static uint32_t listed;

/* Accesses an MSR. @return GUEST_MSR_READ if it can be read, GUEST_MSR_WRITE if written */
static uint32_t try_one(uint32_t msr)
{
        uint32_t low = 0, high = 0, before = guest_msr_faults, access = 0;

        __asm__ volatile("rdmsr" : "+a"(low), "+d"(high) : "c"(msr) : "memory");
        if (guest_msr_faults == before)
                access |= GUEST_MSR_READ;
        else
                low = high = 0;
        before = guest_msr_faults;
        __asm__ volatile("wrmsr" : : "a"(low), "d"(high), "c"(msr) : "memory");
        return guest_msr_faults == before ? access | GUEST_MSR_WRITE : access;
}

uint32_t guest_msr_try(unsigned range)
{
        /* The first MSR of a range, and the distance to the next one. */
        static const uint32_t ranges[GUEST_MSR_RANGES][2] = {{0, 1},          {0x40000000, 1},
                                                             {0x4b564000, 1}, {0xc0000000, 1},
                                                             {0xc0010000, 1}, {0x80001, 0x80001}};
        const struct operand theirs = load_handler();

        for (uint32_t i = 0; i < GUEST_MSR_COUNT; i++) {
                const uint32_t msr = ranges[range][0] + i * ranges[range][1];
                const uint32_t access = try_one(msr);

                if (access && listed < GUEST_MSR_MAX) {
                        list[listed][GUEST_MSR_NUMBER] = msr;
                        list[listed][GUEST_MSR_ACCESS] = access;
                }
                listed += access != 0;
        }
        __asm__ volatile("lidt %0" : : "m"(theirs));
        return listed;
}

uint32_t guest_msr_entry(unsigned entry, unsigned word)
{
        return entry < GUEST_MSR_MAX ? list[entry][word & 1] : 0;
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
uint32_t guest_msr_try(unsigned range)
{
        return range;
}

uint32_t guest_msr_entry(unsigned entry, unsigned word)
{
        return entry + word;
}

#endif
