/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of page-table entries (SDM 3A, 4.4 and 4.5). */
#ifndef ARCH_X86_PTE_H
#define ARCH_X86_PTE_H

#include "lib/types.h"

#define PTE_PRESENT   ((uint64_t)1 << 0)
#define PTE_WRITE     ((uint64_t)1 << 1)
#define PTE_USER      ((uint64_t)1 << 2)
#define PTE_UNCACHED  ((uint64_t)3 << 3) /* PWT and PCD */
#define PTE_ACCESSED  ((uint64_t)1 << 5)
#define PTE_DIRTY     ((uint64_t)1 << 6)
#define PTE_LARGE     ((uint64_t)1 << 7)
#define PTE_GLOBAL    ((uint64_t)1 << 8)
#define PTE_NOEXECUTE ((uint64_t)1 << 63)
#define PTE_ADDRESS   ((uint64_t)0x000ffffffffff000)

/* Number of entries that are written in a row before the remaining number is checked. */
#define PTE_BATCH 16

#define LARGE_PAGE_SIZE 0x200000

#endif
