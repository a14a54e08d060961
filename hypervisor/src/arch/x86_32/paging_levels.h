/* SPDX-License-Identifier: BSD-2-Clause */
/* Shape of the page tables. */
#ifndef ARCH_PAGING_LEVELS_H
#define ARCH_PAGING_LEVELS_H

#include "arch/x86/pte.h"

#define PAGING_LEVELS    3
#define PAGING_TOP_FLAGS PTE_PRESENT /* the others are reserved there */
#define PAGING_TOP_SLOTS 4

/** Where the pool is mapped. */
#define POOL_VIRT(phys) ((word_t)POOL_BASE)

/** Largest pool. */
#define POOL_LIMIT POOL_SIZE_MAX

/** Writes an entry that a CPU may be reading. */
static inline void pte_write(uint64_t *entry, uint64_t value)
{
        volatile uint32_t *half = (volatile uint32_t *)entry;

        if (!value)
                half[0] = 0; /* the half with the present bit goes first, and comes last */
        half[1] = (uint32_t)(value >> 32);
        half[0] = (uint32_t)value;
}

#endif
