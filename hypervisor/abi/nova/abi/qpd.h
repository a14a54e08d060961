/* SPDX-License-Identifier: BSD-2-Clause */
/* Quantum and priority descriptors. @spec 4.5 */
#ifndef NOVA_ABI_QPD_H
#define NOVA_ABI_QPD_H

#include "nova/abi/types.h"

/* bits 7..0 priority, 11..8 ignored, from bit 12 up the quantum in microseconds */
#define NOVA_QPD_PRIO_MASK     0xff /**< bits 7..0: the priority */
#define NOVA_QPD_QUANTUM_SHIFT 12   /**< from bit 12 up: the quantum in microseconds */

#ifndef __ASSEMBLER__

/** A quantum and priority descriptor. */
typedef nova_word_t nova_qpd_t;

/** Returns the descriptor of @p quantum_us microseconds (x86-32: below 2^20) and priority @p prio,
 * 1 to 255. */
static inline nova_qpd_t nova_qpd(nova_word_t quantum_us, unsigned prio)
{
        return quantum_us << NOVA_QPD_QUANTUM_SHIFT | prio;
}

/** Returns the priority in a descriptor. */
static inline unsigned nova_qpd_prio(nova_qpd_t qpd)
{
        return (unsigned)(qpd & NOVA_QPD_PRIO_MASK);
}

/** Returns the quantum in a descriptor, in microseconds. */
static inline nova_word_t nova_qpd_quantum(nova_qpd_t qpd)
{
        return qpd >> NOVA_QPD_QUANTUM_SHIFT;
}

#endif /* __ASSEMBLER__ */
#endif
