/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment descriptors, interrupt gates and task state of a CPU (SDM 3A, 3.4, 6.11, 7.2). */
#include "arch/x86/descriptors.h"

#include "arch/x86/insn.h"
#include "arch/x86/tracking.h"
#include "arch/x86/window.h"
#include "sched/cpu.h"
#include "tss.h"

#define IDT_SIZE  (256 * GATE_SIZE)
#define IDT_WORDS (IDT_SIZE / sizeof(uint64_t))

#define TSS_BUSY ((uint64_t)2 << 40)

/* Shared by all CPUs. Read-only from boot_paging_finish() on, so that no stray write of the kernel
 * redirects an entry. */
static uint64_t idt[IDT_WORDS] __attribute__((aligned(16), section(".data.read_only")));
static unsigned gdt_size; /* bytes of one CPU's GDT */

void descriptors_init(void)
{
        for (unsigned vector = 0; vector < 256; vector++)
                descriptors_fill_gate(idt, vector, tracking_target(entry_vectors[vector]));
}

uint64_t descriptors_tss(word_t base, uint32_t limit)
{
        return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)0x89 << 40 |
               (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)(base >> 24 & 0xff) << 56;
}

static uint64_t *descriptors_gdt_of(struct cpu *cpu)
{
        return (uint64_t *)(void *)((char *)cpu + CPU_GDT);
}

void descriptors_load(struct cpu *cpu)
{
        cpu->arch.tss->iomap = (uint16_t)(IO_BITMAP - (word_t)cpu->arch.tss);
        descriptors_fill_tss(cpu);
        gdt_size = descriptors_fill_gdt(descriptors_gdt_of(cpu), cpu);
        descriptors_reload(cpu);
}

void descriptors_reload(struct cpu *cpu)
{
        uint64_t *gdt = descriptors_gdt_of(cpu);
        struct table_pointer pointer = {(uint16_t)(gdt_size - 1), (word_t)gdt};

        gdt[SEL_TSS / 8] &= ~TSS_BUSY;
        lgdt(&pointer);
        lldt(0);
        ltr(SEL_TSS);
        load_ds(SEL_USER_DATA);
        load_es(SEL_USER_DATA);
        load_fs(SEL_USER_DATA);
        load_gs(SEL_USER_DATA);

        pointer.limit = IDT_SIZE - 1;
        pointer.base = (word_t)idt;
        lidt(&pointer);
}
