/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts: which subject each vector belongs to, and when the kernel lets them in. */
#ifndef ARCH_X86_INTERRUPT_H
#define ARCH_X86_INTERRUPT_H

#include "arch/x86/insn.h"

/** Handles the interrupt of a vector, 32 or above, and acknowledges it. */
void interrupt_dispatch(unsigned vector);

/** Lets pending interrupts in. The caller holds no lock and no borrowed pointer; one that holds
 *  pointers uses interrupt_window(). */
static always_inline void interrupt_let_in(void)
{
        sti();
        nop(); /* STI takes effect after it; after PAUSE, QEMU would go on to CLI at once */
        cli();
}

#endif
