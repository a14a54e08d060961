/* SPDX-License-Identifier: BSD-2-Clause */
/* The block of memory that each CPU has, found from the stack pointer, and the CPUs by number. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "layout.h"

/* A CPU's block: struct cpu, a page of emergency stacks (NMI, #DF, #MC: 1 KiB each, in this order
 * from the page's start), a guard page that is not mapped, the kernel stack up to the end. Blocks
 * are aligned to their size, so the stack pointer identifies the CPU. */
#define CPU_BLOCK_SIZE  0x8000
#define CPU_EMERGENCY   0x1000
#define CPU_GUARD       0x2000
#define CPU_STACK_LIMIT 0x3000
#define CPU_STACK_TOP   0x8000

#ifndef __ASSEMBLER__

#include "insn_width.h"
#include "lib/types.h"
#include "nova/abi/types.h"

struct cpu; /* sched/cpu.h */
struct ec;
struct tss;

/* What of struct cpu only the code of the architecture uses. */
struct cpu_arch {
        struct tss *tss;
        word_t user_sp;       /* SYSCALL: where the user's stack pointer waits for a register */
        struct ec *fpu_owner; /* whose state is in the FPU registers */
        uint16_t other_gs;    /* x86-32: GS of all threads without one, while it is loaded */
        uint32_t apic_id;     /* local APIC; fixed after the start */
};

/** Number of CPUs that were started; their numbers need not be dense. */
extern unsigned cpu_count;

/** Bit n is set when CPU number n was started. */
extern uint64_t cpu_online;

/** Number of the CPU that booted. */
extern unsigned cpu_boot_id;

/** The CPU with a number, started or not. */
static inline struct cpu *cpu_by_id(unsigned id)
{
        return (struct cpu *)(CPU_BASE + (word_t)id * CPU_BLOCK_SIZE);
}

/** The number of a CPU, by the place of its block. */
static inline unsigned cpu_number(const struct cpu *cpu)
{
        return (unsigned)(((word_t)cpu - CPU_BASE) / CPU_BLOCK_SIZE);
}

/** Whether a CPU number names a CPU that was started. */
static inline bool cpu_is_online(word_t id)
{
        return id < NOVA_CPU_MAX && (cpu_online >> id & 1);
}

/** This CPU. */
static inline struct cpu *cpu_self(void)
{
        word_t sp;

        __asm__("mov %%" STACK_POINTER ", %0" : "=r"(sp));
        return (struct cpu *)(sp & ~(word_t)(CPU_BLOCK_SIZE - 1));
}

#endif /* __ASSEMBLER__ */
#endif
