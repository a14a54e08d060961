/* SPDX-License-Identifier: BSD-2-Clause */
/* Points at which the kernel lets interrupts in. trap/interrupt.c handles them. */
#ifndef ARCH_X86_INTERRUPT_H
#define ARCH_X86_INTERRUPT_H

#include "arch/x86/insn.h"

/** Takes pending interrupts. The caller holds no lock and no borrowed pointer; a caller that holds
 * borrowed pointers uses interrupt_window(). */
static always_inline void interrupt_let_in(void)
{
        sti();
        nop(); /* STI takes effect after this. With PAUSE, QEMU would skip pending interrupts */
        cli();
}

#endif
