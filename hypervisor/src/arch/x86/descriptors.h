/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment descriptors, interrupt gates and task state of a CPU. */
#ifndef ARCH_X86_DESCRIPTORS_H
#define ARCH_X86_DESCRIPTORS_H

#include "arch/x86/cpu.h"
#include "lib/types.h"

struct cpu;

/* Offsets in a CPU's block: its GDT and, on x86-32, the task of fatal events. Both lie after the
 * emergency stacks. */
#define CPU_GDT        (CPU_EMERGENCY + 0xc00)
#define CPU_FAULT_TASK (CPU_EMERGENCY + 0xd00)

/** Addresses of the 256 entry points (entry.S). */
extern const word_t entry_vectors[256];

/** Fills the IDT, which all CPUs share. Call it before the image becomes read-only. */
void descriptors_init(void);

/** Builds and loads GDT, TSS and IDT of this CPU. */
void descriptors_load(struct cpu *cpu);

/** Reloads GDT, TSS, IDT and data segments, which a VMX exit changes (SDM 3C, 27.5.2). */
void descriptors_reload(struct cpu *cpu);

/* Functions that differ between the widths, in arch/<a>/descriptors_arch.c. */

/** Writes the GDT of a CPU; returns its size. */
unsigned descriptors_fill_gdt(uint64_t *gdt, struct cpu *cpu);

/** Writes the gate of a vector into the IDT. */
void descriptors_fill_gate(uint64_t *idt, unsigned vector, word_t entry);

/** Fills in the stacks of the TSS. */
void descriptors_fill_tss(struct cpu *cpu);

/** Returns the descriptor of one of the kernel's TSSs (low 64 bits). */
uint64_t descriptors_tss(word_t base, uint32_t limit);

#define GATE_SIZE (sizeof(word_t) * 2) /* bytes of an entry of the IDT */

#endif
