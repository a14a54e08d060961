/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers and MSRs of a CPU as the kernel wants them. */
#ifndef ARCH_X86_CPU_INIT_H
#define ARCH_X86_CPU_INIT_H

struct cpu;

/** Sets this CPU up; its descriptors are loaded already. XCR0 is left at x87 and SSE. */
void cpu_init(struct cpu *cpu);

/** The way into the kernel from user mode (arch/<a>/cpu_init_arch.c). */
void cpu_init_entry(struct cpu *cpu);

#endif
