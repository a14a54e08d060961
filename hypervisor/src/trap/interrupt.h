/* SPDX-License-Identifier: BSD-2-Clause */
/* Dispatches interrupts: calls the part of the kernel to which a vector belongs. */
#ifndef TRAP_INTERRUPT_H
#define TRAP_INTERRUPT_H

/** Handles the interrupt of a vector, 32 or above, and acknowledges it unless it is spurious. */
void interrupt_dispatch(unsigned vector);

#endif
