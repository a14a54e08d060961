/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259 interrupt controllers, which are not used. */
#ifndef ARCH_X86_PIC_H
#define ARCH_X86_PIC_H

/** Moves their vectors away from the exceptions and masks them. */
void pic_disable(void);

#endif
