/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts: the part of the kernel to which each vector belongs. */
#ifndef TRAP_INTERRUPT_H
#define TRAP_INTERRUPT_H

/** Handles the interrupt of a vector, 32 or above, and acknowledges it. */
void interrupt_dispatch(unsigned vector);

#endif
