/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the kernel's first address space that tests can set and read. */
#ifndef UNIT_PLATFORM_PAGING_H
#define UNIT_PLATFORM_PAGING_H

#include <stdbool.h>
#include <stdint.h>

/* Offset from a physical address of the pool to the host address of the frame. */
#define PAGING_POOL_OFFSET 0x200000000000ul

#ifdef __cplusplus
extern "C" {
#endif

/** Starts again with the tables of start.S. */
void paging_begin(void);

/** Gives the pool to the allocator and builds the final tables. */
bool paging_finish(uint64_t start, uint64_t size);

/** Walks the tables in use. Returns the physical address of a virtual one, or UINT64_MAX if it is
 * not mapped. */
uint64_t paging_lookup(uint64_t virt);

/** Returns whether the pool had no memory for a table. */
bool paging_has_failed(void);

/** The kernel's own functions. Tests of other files link replacements. */
void *paging_boot_map(unsigned slot, uint64_t phys, uint64_t size);
void paging_boot_unmap(void);

#ifdef __cplusplus
}
#endif
#endif
