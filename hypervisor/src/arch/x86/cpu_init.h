/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial values of a CPU's control registers and MSRs. */
#ifndef ARCH_X86_CPU_INIT_H
#define ARCH_X86_CPU_INIT_H

struct cpu;

/** Initialises this CPU, whose descriptors are already loaded. XCR0 enables x87 and SSE only. */
void cpu_init(struct cpu *cpu);

/** Prepares the entry into the kernel from user mode (arch/<a>/cpu_init_arch.c). */
void cpu_init_entry(struct cpu *cpu);

#endif
