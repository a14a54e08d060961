/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts: which subject each vector belongs to. */
#ifndef TRAP_INTERRUPT_H
#define TRAP_INTERRUPT_H

/** Handles the interrupt of a vector, 32 or above, and acknowledges it. */
void interrupt_dispatch(unsigned vector);

#endif
