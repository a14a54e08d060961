/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259 interrupt controllers, which the kernel does not use. */
#ifndef ARCH_X86_PIC_H
#define ARCH_X86_PIC_H

/** Moves the vectors of the controllers away from the exceptions and masks all interrupts. */
void pic_disable(void);

#endif
