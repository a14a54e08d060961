/* SPDX-License-Identifier: BSD-2-Clause */
/* Shape of the page tables. */
#ifndef ARCH_PAGING_LEVELS_H
#define ARCH_PAGING_LEVELS_H

#include "arch/x86/pte.h"

#define PAGING_LEVELS    3
#define PAGING_TOP_FLAGS PTE_PRESENT /* the other flags are reserved at the top level */
#define PAGING_TOP_SLOTS 4

/** Virtual address of the start of the pool. */
#define POOL_VIRT(phys) ((word_t)POOL_BASE)

/** Maximum size of the pool in bytes. */
#define POOL_LIMIT POOL_SIZE_MAX

/** Numbers of tables that the early mapping needs in addition to the tables of start.S: none. The
 * one directory of start.S maps the kernel half and the whole pool, with large pages. */
#define EARLY_DIRECTORIES 0
#define EARLY_POOL_TABLES 0

/** Writes an entry that a CPU may be reading. If it was present, it keeps its address. */
static inline void pte_write(uint64_t *entry, uint64_t value)
{
        volatile uint32_t *half = (volatile uint32_t *)entry;

        if (!value)
                half[0] = 0; /* the half with the present bit is cleared first and written last */
        half[1] = (uint32_t)(value >> 32);
        half[0] = (uint32_t)value;
}

/* Writes an entry in one access. */
static inline void pte_exchange(uint64_t *entry, uint64_t value)
{
        uint32_t low = (uint32_t)*entry, high = (uint32_t)(*entry >> 32);
        bool done;

        do {
                /* If the CPU has set bits meanwhile, low and high receive the entry's current
                 * value. */
                __asm__ volatile("lock cmpxchg8b %0"
                                 : "+m"(*entry), "+a"(low), "+d"(high), "=@ccz"(done)
                                 : "b"((uint32_t)value), "c"((uint32_t)(value >> 32))
                                 : "memory");
        } while (!done);
}

/** Writes an entry that may be present and have another address. A CPU reads either the old entry
 * or the new entry. A mixture of their halves would lead to memory of another PD. */
static inline void pte_replace(uint64_t *entry, uint64_t value)
{
        if (unlikely(value && *(volatile uint32_t *)entry))
                pte_exchange(entry, value);
        else
                pte_write(entry, value);
}

/** Writes PTE_BATCH entries that were not present, for consecutive frames. */
static inline void pte_write_batch(uint64_t *entry, uint64_t value)
{
        volatile uint32_t *half = (volatile uint32_t *)entry;
        const uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);

        if (low <= (uint32_t)-1 - PTE_BATCH * PAGE_SIZE) { /* all entries have this upper half */
#pragma GCC unroll 16
                for (unsigned i = 0; i < PTE_BATCH; i++) {
                        half[2 * i + 1] = high; /* the half with the present bit is written last */
                        half[2 * i] = low + i * PAGE_SIZE;
                }
        } else {
                for (unsigned i = 0; i < PTE_BATCH; i++, value += PAGE_SIZE)
                        pte_write(&entry[i], value);
        }
}

#endif
