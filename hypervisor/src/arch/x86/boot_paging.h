/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own address space, built at boot and constant after it. */
#ifndef ARCH_X86_BOOT_PAGING_H
#define ARCH_X86_BOOT_PAGING_H

#include "lib/types.h"

struct cpu;

/** Top-level table of the kernel's address space: PML4, or on x86-32 the four PDPT entries. It maps
 *  the kernel half only. In the pool, below 4 GiB. */
extern paddr_t kernel_root_phys;

/** Page directory of the image's GiB, which on x86-32 is the whole kernel half. In the pool. */
extern paddr_t kernel_pd_phys;

/** The 512 entries that map WINDOW_BASE on, as a PD without ports has them. A PD with ports has a
 *  copy in which the two bitmap pages are its own. In the pool. */
extern const uint64_t *window_table;

/** No-execute bit of a page-table entry; 0 where the CPU has none. */
extern uint64_t pte_noexecute;

/** First physical address after everything this CPU can address. */
extern paddr_t boot_phys_end;

/** Maps physical memory read-write, uncounted, until the next boot_map; at most BOOT_MAP_SIZE / 2
 *  bytes. slot 0 or 1: two ranges can be mapped at the same time. NULL when it is too large. */
void *boot_map(unsigned slot, paddr_t phys, uint64_t size);

/** The same, uncached, for registers of a device. */
void *boot_map_device(unsigned slot, paddr_t phys, uint64_t size);

/** Removes both temporary mappings. */
void boot_unmap(void);

/** Makes boot_map usable on the tables that start.S made. */
void boot_paging_init(void);

/** Maps the pool in these tables, so that the frame allocator can be used. */
void boot_paging_map_pool(paddr_t phys, uint64_t size);

/** Builds the kernel's address space from pool frames and loads it: no user half, no page that is
 *  writable and executable. False when the pool is too small. */
bool boot_paging_finish(paddr_t pool_start, uint64_t pool_size);

/** Allocates and maps a CPU's block; NULL when the pool is empty. */
struct cpu *boot_paging_map_cpu(unsigned id);

/** Maps a page of device registers, uncached, for ever, at MMIO_BASE and following pages in the
 *  order of calls; NULL when there is no room. */
void *boot_paging_map_device(paddr_t phys);

#endif
