/* SPDX-License-Identifier: BSD-2-Clause */
/* Executes instructions that cause an exit of the guest, and returns the exception that each one
 * raises. */
#include "guest_exits.h"

#include <stdbool.h>

#include "guest_gate.h"

#ifdef __x86_64__

#define VECTOR_UD 6
#define VECTOR_GP 13

#define CR4_OSXSAVE (1u << 18)
#define HAS_XSAVE   (1u << 26) /* bit of ECX in CPUID leaf 1 */
#define X87_SSE     3u

static uint64_t idt[2 * (VECTOR_GP + 1)];

/* The vector that an instruction raised, and the place after the instruction. */
volatile uint32_t guest_exits_vector;
volatile uint64_t guest_exits_next;

void guest_exits_ud(void);
void guest_exits_gp(void);

/* The handlers note the exception, and continue after the instruction. #GP has an error code. */
__asm__(".pushsection .text\n"
        "guest_exits_gp: addq $8, %rsp\nmovl $13, guest_exits_vector(%rip)\njmp 1f\n"
        "guest_exits_ud: movl $6, guest_exits_vector(%rip)\n"
        "1: pushq guest_exits_next(%rip)\npopq (%rsp)\niretq\n"
        ".popsection\n");

/* Executes an instruction with EAX, ECX and EDX, and continues after it if it raises #UD or #GP. */
#define TRY(instruction)                                                                          \
        __asm__ volatile("leaq 1f(%%rip), %%r8\nmovq %%r8, guest_exits_next(%%rip)\n" instruction \
                         "\n1:"                                                                   \
                         : "+a"(ax), "+c"(cx), "+d"(dx)                                           \
                         :                                                                        \
                         : "rbx", "r8", "memory")

static bool has_xsave(void)
{
        uint32_t ax = 1, bx, cx = 0, dx;

        __asm__ volatile("cpuid" : "+a"(ax), "=b"(bx), "+c"(cx), "=d"(dx));
        return cx & HAS_XSAVE;
}

/* Sets an extended control register. @return the vector of the exception; 0: none;
 * GUEST_EXIT_WRONG: none, but XCR0 does not have the value */
static uint32_t set_xcr(uint32_t number, uint32_t low, uint32_t high)
{
        uint32_t ax = low, cx = number, dx = high, now = low;
        uint64_t cr4;

        __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
        if (has_xsave())
                __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE));
        TRY("xsetbv");
        if (!guest_exits_vector)
                __asm__ volatile("xgetbv" : "=a"(now), "=d"(dx) : "c"(0));
        __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
        return now == low ? guest_exits_vector : GUEST_EXIT_WRONG;
}

static uint32_t halt(void)
{
        __asm__ volatile("sti\nhlt\ncli");
        return 0;
}

static uint32_t execute(enum guest_exit kind)
{
        uint64_t ax = 0, cx = 0, dx = 0;

        switch (kind) {
        case GUEST_EXIT_CPUID:
                TRY("cpuid");
                return ax ? guest_exits_vector : GUEST_EXIT_WRONG;
        case GUEST_EXIT_INVD:
                TRY("invd");
                break;
        case GUEST_EXIT_WBINVD:
                TRY("wbinvd");
                break;
        case GUEST_EXIT_PAUSE:
                TRY("pause");
                break;
        case GUEST_EXIT_RDPMC:
                TRY("rdpmc");
                break;
        case GUEST_EXIT_MONITOR:
                ax = (uintptr_t)idt;
                TRY("monitor");
                break;
        case GUEST_EXIT_MWAIT:
                TRY("mwait");
                break;
        case GUEST_EXIT_VMRUN:
                ax = (uintptr_t)idt & ~UINT64_C(4095);
                TRY("vmrun");
                break;
        case GUEST_EXIT_VMLAUNCH:
                TRY("vmlaunch");
                break;
        case GUEST_EXIT_RSM:
                TRY("rsm");
                break;
        default:
                return GUEST_EXIT_WRONG;
        }
        return guest_exits_vector;
}

static uint32_t dispatch(enum guest_exit kind)
{
        switch (kind) {
        case GUEST_EXIT_HAS_XSAVE:
                return has_xsave();
        case GUEST_EXIT_XSETBV:
                return set_xcr(0, X87_SSE, 0);
        case GUEST_EXIT_XSETBV_STATE:
                return set_xcr(0, X87_SSE - 1, 0);
        case GUEST_EXIT_XSETBV_BIT:
                return set_xcr(0, X87_SSE, 1u << 31);
        case GUEST_EXIT_XSETBV_NUMBER:
                return set_xcr(1, X87_SSE, 0);
        default:
                return execute(kind);
        }
}

/* Causes a triple fault: the IDT is empty, so the delivery of #UD raises an exception, and so does
 * the delivery of that exception. */
static void fault_thrice(void)
{
        const struct operand none = {0, 0};

        __asm__ volatile("lidt %0\nud2" : : "m"(none));
}

uint32_t guest_exits_try(enum guest_exit kind)
{
        const struct operand ours = {sizeof(idt) - 1, (uintptr_t)idt};
        struct operand theirs;
        uint32_t result;

        if (kind == GUEST_EXIT_HALT)
                return halt();
        if (kind == GUEST_EXIT_TRIPLE)
                fault_thrice();
        guest_exits_vector = 0;
        guest_set_gate(idt, VECTOR_UD, guest_exits_ud);
        guest_set_gate(idt, VECTOR_GP, guest_exits_gp);
        __asm__ volatile("sidt %0\nlidt %1" : "=m"(theirs) : "m"(ours));
        result = dispatch(kind);
        __asm__ volatile("lidt %0" : : "m"(theirs));
        return result;
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
uint32_t guest_exits_try(enum guest_exit kind)
{
        return (uint32_t)kind;
}

#endif
