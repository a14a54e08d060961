/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts between CPUs. They share one vector; the requests are in the receiver's struct cpu. */
#ifndef ARCH_IPI_H
#define ARCH_IPI_H

#include "arch/x86/lapic.h"
#include "arch/x86/vectors.h"
#include "sched/cpu.h"

/** Makes a CPU look at its requests: at once if it runs a program or a guest, else when it
 * leaves the kernel or at its next interrupt window. */
static inline void ipi_send(const struct cpu *cpu)
{
        lapic_send_ipi(cpu->arch.apic_id, VECTOR_IPI);
}

#endif
