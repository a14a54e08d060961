/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory block of each CPU, found through the stack pointer, and the CPUs by number. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "layout.h"

/* Layout of a CPU's block, from its start:
 * - struct cpu and struct cpu_virt,
 * - an unmapped guard page,
 * - a page with the emergency stacks of NMI, #DF and #MC, 1 KiB each,
 * - another guard page,
 * - the kernel stack,
 * - nothing, up to the block's end.
 * Blocks are aligned to their size, so that the stack pointer identifies the CPU. */
#define CPU_BLOCK_SIZE    0x10000
#define CPU_VIRT          0xf00
#define CPU_GUARD         0x1000
#define CPU_EMERGENCY     0x2000
#define CPU_EMERGENCY_END 0x3000
#define CPU_STACK_GUARD   0x3000
#define CPU_STACK_LIMIT   0x4000
#define CPU_STACK_TOP     0x9000

#ifndef __ASSEMBLER__

#include "insn_width.h"
#include "lib/bits.h"
#include "lib/types.h"
#include "nova/abi/types.h"

struct cpu; /* sched/cpu.h */
struct ec;
struct tss;

/* The part of struct cpu that only architecture code uses. */
struct cpu_arch {
        struct tss *tss;
        word_t user_sp;       /* SYSCALL: the user's stack pointer until a register is free */
        struct ec *fpu_owner; /* EC whose state is in the FPU registers */
        bool fpu_left;        /* the registers hold the state of an EC that has ended */
        uint16_t other_gs;    /* x86-32: GS of all threads without a storage base */
        uint32_t apic_id;     /* local APIC; fixed after the start */
        uint32_t domain;      /* number of the account or PD that trained the predictors */
        uint32_t guest;       /* number of the PD whose guest was entered last */
        uint64_t xcr0;        /* value of XCR0; 0: no XSAVE */
};

/** Number of CPUs that were started. Their CPU numbers need not be dense. */
extern unsigned cpu_count;

/** Set of the started CPUs: bit n is for CPU number n. */
extern uint64_t cpu_online;

/** Number of the CPU that booted. */
extern unsigned cpu_boot_id;

/** Returns the CPU with a number, started or not. */
static inline struct cpu *cpu_by_id(unsigned id)
{
        return (struct cpu *)(CPU_BASE + (word_t)id * CPU_BLOCK_SIZE);
}

/** Returns the CPU with a number that a program chose. The number has been checked. */
static inline struct cpu *cpu_chosen(word_t number)
{
        return cpu_by_id((unsigned)checked_index(number, NOVA_CPU_MAX));
}

/** Returns the number of a CPU, derived from the address of its block. */
static inline unsigned cpu_number(const struct cpu *cpu)
{
        return (unsigned)(((word_t)cpu - CPU_BASE) / CPU_BLOCK_SIZE);
}

/** Returns true if a CPU number names a CPU that was started. */
static inline bool cpu_is_online(word_t id)
{
        return id < NOVA_CPU_MAX && (cpu_online >> id & 1);
}

/** Returns the CPU that executes this function. */
static inline struct cpu *cpu_self(void)
{
        word_t sp;

        __asm__("mov %%" STACK_POINTER ", %0" : "=r"(sp));
        return (struct cpu *)(sp & ~(word_t)(CPU_BLOCK_SIZE - 1));
}

#endif /* __ASSEMBLER__ */
#endif
