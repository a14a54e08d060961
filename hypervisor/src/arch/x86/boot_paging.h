/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own address space. It is built at boot and constant afterwards. */
#ifndef ARCH_X86_BOOT_PAGING_H
#define ARCH_X86_BOOT_PAGING_H

#include "lib/types.h"

struct cpu;

/** Top-level table of the kernel's address space: PML4, or on x86-32 the four PDPT entries. It maps
 *  the kernel half only. In the pool, below 4 GiB. */
extern paddr_t kernel_root_phys;

/** Page directory of the GiB that contains the kernel image. On x86-32 this GiB is the whole kernel
 * half. In the pool. */
extern paddr_t kernel_pd_phys;

/** The 512 entries that map the addresses from WINDOW_BASE up, for a PD without ports. A PD with
 * ports has a copy with its own two bitmap pages. In the pool. */
extern const uint64_t *window_table;

/** No-execute bit of a page-table entry; 0 if the CPU has no such bit. */
extern uint64_t pte_noexecute;

/** First physical address that this CPU cannot address. */
extern paddr_t boot_phys_end;

/** Maps memory read-write, without accounting, until the next boot_map() of the slot. The two
 * slots, 0 and 1, map BOOT_MAP_SIZE / 2 bytes each. Returns NULL if the range is too large. */
void *boot_map(unsigned slot, paddr_t phys, uint64_t size);

/** Maps like boot_map(), but uncached, for registers of a device. */
void *boot_map_device(unsigned slot, paddr_t phys, uint64_t size);

/** Removes both temporary mappings. */
void boot_unmap(void);

/** Prepares boot_map() to work on the tables that start.S made. */
void boot_paging_init(void);

/** Maps the pool in the tables of start.S, so that the frame allocator can be used. */
void boot_paging_map_pool(paddr_t phys, uint64_t size);

/** Builds the kernel's address space from pool frames and loads it. It has no user half and no page
 * that is writable and executable. Returns false if the pool is too small. */
bool boot_paging_finish(paddr_t pool_start, uint64_t pool_size);

/** Allocates and maps a CPU's block. Returns NULL if the pool is empty. */
struct cpu *boot_paging_map_cpu(unsigned id);

/** Maps a page of device registers permanently and uncached, at the next free page above MMIO_BASE.
 * Returns NULL if there is no room. */
void *boot_paging_map_device(paddr_t phys);

#endif
