/* SPDX-License-Identifier: BSD-2-Clause */
/* Shape of the page tables. */
#ifndef ARCH_PAGING_LEVELS_H
#define ARCH_PAGING_LEVELS_H

#include "arch/x86/pte.h"

#define PAGING_LEVELS    4
#define PAGING_TOP_FLAGS (PTE_PRESENT | PTE_WRITE)
#define PAGING_TOP_SLOTS 512

/** Virtual address of an address in the pool. */
#define POOL_VIRT(phys) ((word_t)(phys) + POOL_OFFSET)

/** Maximum size of the pool in bytes. */
#define POOL_LIMIT 0x40000000

/** Number of page directories that the early mapping needs in addition to the directories of
 * start.S: one, for BOOT_MAP_BASE. */
#define EARLY_DIRECTORIES 1

/** Number of tables for the pool in the early mapping: a table of directories, and a directory for
 * each aligned GiB that a pool can touch. A pool of n GiB can touch n + 1 of them. */
#define EARLY_POOL_TABLES (1 + POOL_LIMIT / 0x40000000 + 1)

/** Writes an entry that a CPU may be reading. */
static inline void pte_write(uint64_t *entry, uint64_t value)
{
        *(volatile uint64_t *)entry = value;
}

/** Writes an entry that may be present and have another address. */
static inline void pte_replace(uint64_t *entry, uint64_t value)
{
        pte_write(entry, value);
}

/** Writes PTE_BATCH entries that were not present, for consecutive frames. */
static inline void pte_write_batch(uint64_t *entry, uint64_t value)
{
#pragma GCC unroll 16
        for (unsigned i = 0; i < PTE_BATCH; i++, value += PAGE_SIZE)
                pte_write(&entry[i], value);
}

#endif
