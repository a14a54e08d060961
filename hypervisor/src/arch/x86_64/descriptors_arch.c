/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of x86-64: 16-byte gates and TSS descriptor, interrupt stacks. */
#include "arch/x86/descriptors.h"
#include "arch/x86/vectors.h"
#include "arch/x86/window.h"
#include "sched/cpu.h"
#include "tss.h"

#define EMERGENCY_SIZE 1024

/* #DB needs an emergency stack because, on CPUs that trap after SYSCALL (such as the CPU of Bochs),
 * the stack pointer is still the user's. #DB shares the stack of #MC, which never returns. */
enum { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, IST_END };

unsigned descriptors_fill_gdt(uint64_t *gdt, struct cpu *cpu)
{
        const word_t tss = (word_t)cpu->arch.tss;

        gdt[0] = 0;
        gdt[SEL_KERNEL_CODE / 8] = 0x00af9b000000ffff;
        gdt[SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff;
        gdt[SEL_USER_CODE32 / 8] = 0x00cffb000000ffff;
        gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
        gdt[SEL_USER_CODE / 8] = 0x00affb000000ffff;
        gdt[SEL_TSS / 8] = descriptors_tss(tss, (uint32_t)(IO_BITMAP_END - tss));
        gdt[SEL_TSS / 8 + 1] = tss >> 32;
        return (SEL_TSS / 8 + 2) * 8;
}

void descriptors_fill_gate(uint64_t *idt, unsigned vector, word_t entry)
{
        const uint64_t ist = vector == VECTOR_NMI             ? IST_NMI
                             : vector == VECTOR_DOUBLE_FAULT  ? IST_DOUBLE_FAULT
                             : vector == VECTOR_MACHINE_CHECK ? IST_MACHINE_CHECK
                             : vector == VECTOR_DEBUG         ? IST_MACHINE_CHECK
                                                              : IST_NONE;
        const bool user = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW;

        idt[vector * 2] = (entry & 0xffff) | (uint64_t)SEL_KERNEL_CODE << 16 | ist << 32 |
                          (uint64_t)(user ? 0xee : 0x8e) << 40 |
                          (uint64_t)(entry >> 16 & 0xffff) << 48;
        idt[vector * 2 + 1] = entry >> 32;
}

void descriptors_fill_tss(struct cpu *cpu)
{
        const word_t stacks = (word_t)cpu + CPU_EMERGENCY;

        cpu->arch.tss->sp[0] = (word_t)cpu + CPU_STACK_TOP;
        for (unsigned i = IST_NMI; i < IST_END; i++)
                cpu->arch.tss->ist[i - 1] = stacks + i * EMERGENCY_SIZE;
}
