/* SPDX-License-Identifier: BSD-2-Clause */
/* Quantum and priority descriptors within their limits. @spec 4.5 */
#ifndef NOVA_QPD_H
#define NOVA_QPD_H

#include "nova/abi/qpd.h"

/** Longest quantum in microseconds that a descriptor holds: on x86-32 about one second. */
#define NOVA_QPD_QUANTUM_MAX ((nova_word_t)-1 >> NOVA_QPD_QUANTUM_SHIFT)

/**
 * Returns the descriptor of a quantum and a priority, each clamped to its range.
 *
 * @param quantum_us quantum in microseconds, clamped to 1 to NOVA_QPD_QUANTUM_MAX
 * @param prio       priority, clamped to 1 to NOVA_PRIO_MAX
 * @spec 4.5
 */
static inline nova_qpd_t nova_qpd_clamped(uint64_t quantum_us, unsigned prio)
{
        if (quantum_us > NOVA_QPD_QUANTUM_MAX)
                quantum_us = NOVA_QPD_QUANTUM_MAX;
        if (prio > NOVA_PRIO_MAX)
                prio = NOVA_PRIO_MAX;
        return nova_qpd(quantum_us ? (nova_word_t)quantum_us : 1, prio ? prio : 1);
}

#endif
