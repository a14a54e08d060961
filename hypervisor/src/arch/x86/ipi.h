/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts between CPUs. One vector; what is wanted stands in the receiver's struct cpu. */
#ifndef ARCH_IPI_H
#define ARCH_IPI_H

#include "arch/x86/lapic.h"
#include "arch/x86/vectors.h"
#include "sched/cpu.h"

/** Makes a CPU look at what is asked of it as soon as it is outside of the kernel. */
static inline void ipi_send(const struct cpu *cpu)
{
        lapic_send_ipi(cpu->arch.apic_id, VECTOR_IPI);
}

#endif
