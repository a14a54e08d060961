/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of x86-32: 8-byte gates, and a task for events that need their own stack. */
#include "arch/x86/boot_paging.h"
#include "arch/x86/descriptors.h"
#include "arch/x86/insn.h"
#include "arch/x86/regs.h"
#include "arch/x86/vectors.h"
#include "arch/x86/window.h"
#include "lib/stop.h"
#include "sched/cpu.h"
#include "tss.h"

/* NMI, double fault and machine check share one task. All of them end the kernel. A task gate does
 * not report the vector. A double fault is recognised by its error code: the other two push
 * none. */
#define FAULT_STACK_TOP (CPU_EMERGENCY + 0xc00)

static struct tss *descriptors_fault_task(struct cpu *cpu)
{
        return (struct tss *)(void *)((char *)cpu + CPU_FAULT_TASK);
}

unsigned descriptors_fill_gdt(uint64_t *gdt, struct cpu *cpu)
{
        const word_t tss = (word_t)cpu->arch.tss;

        gdt[0] = 0;
        gdt[SEL_KERNEL_CODE / 8] = 0x00cf9b000000ffff;
        gdt[SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff;
        gdt[SEL_USER_CODE / 8] = 0x00cffb000000ffff;
        gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
        gdt[SEL_TSS / 8] = descriptors_tss(tss, IO_BITMAP_END - tss);
        gdt[SEL_TSS_FAULT / 8] =
                descriptors_tss((word_t)descriptors_fault_task(cpu), sizeof(struct tss) - 1);
        gdt[SEL_TLS / 8] = 0;
        return (SEL_TLS / 8 + 1) * 8;
}

void descriptors_fill_gate(uint64_t *idt, unsigned vector, word_t entry)
{
        const bool user = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW;

        if (vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK)
                idt[vector] = (uint64_t)SEL_TSS_FAULT << 16 | (uint64_t)0x85 << 40;
        else
                idt[vector] = (entry & 0xffff) | (uint64_t)SEL_KERNEL_CODE << 16 |
                              (uint64_t)(user ? 0xee : 0x8e) << 40 | (uint64_t)(entry >> 16) << 48;
}

/* Runs in the fault task: stops the kernel and shows the registers in the interrupted TSS. */
static indirect_target _Noreturn void descriptors_fault_entry(void)
{
        struct cpu *cpu = cpu_self();
        const word_t entry_sp = (word_t)__builtin_dwarf_cfa() - sizeof(word_t);
        const unsigned vector =
                entry_sp < (word_t)cpu + FAULT_STACK_TOP ? VECTOR_DOUBLE_FAULT : VECTOR_NMI;
        const struct tss *old = cpu->arch.tss;
        const struct regs regs = {
                .di = old->di,
                .si = old->si,
                .bp = old->bp,
                .dx = old->dx,
                .cx = old->cx,
                .bx = old->bx,
                .ax = old->ax,
                .vector = vector,
                .ip = old->ip,
                .cs = old->cs,
                .flags = old->flags,
                .sp = old->sp,
                .ss = old->ss,
        };

        kernel_stop_exception(vector, &regs, read_cr2());
}

void descriptors_fill_tss(struct cpu *cpu)
{
        struct tss *task = descriptors_fault_task(cpu);

        cpu->arch.tss->sp0 = (word_t)cpu + CPU_STACK_TOP;
        cpu->arch.tss->ss0 = SEL_KERNEL_DATA;
        *task = (struct tss){
                .cr3 = (uint32_t)kernel_root_phys,
                .ip = (uint32_t)descriptors_fault_entry,
                .flags = 0x2,
                .sp = (word_t)cpu + FAULT_STACK_TOP,
                .cs = SEL_KERNEL_CODE,
                .ss = SEL_KERNEL_DATA,
                .ds = SEL_USER_DATA,
                .es = SEL_USER_DATA,
                .iomap = sizeof(struct tss),
        };
}
