/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical memory as the boot loader reports it, and the parts that are in use. */
#ifndef FIRMWARE_MEMORY_MAP_H
#define FIRMWARE_MEMORY_MAP_H

#include "lib/types.h"

/* A range of physical memory. */
struct boot_range {
        paddr_t start;
        uint64_t size;
};

#define BOOT_RANGES 96

/** Ranges that belong to the kernel and can never be requested: image, pool, device registers,
 * reservations. They are not sorted, and registers of devices may touch. */
extern struct boot_range boot_kernel_ranges[BOOT_RANGES];
extern unsigned boot_kernel_range_count;

/** Place of the first module, the roottask; size 0: there is no module. */
extern struct boot_range boot_roottask;

#define MEMORY_ENTRIES 96
#define MODULES        32

/** Number of omitted modules that a message names, each with its reason. */
#define MODULES_NAMED 4

/* One entry of the loader's map. type: as in nova/abi/hip.h. */
struct memory_entry {
        paddr_t start;
        uint64_t size;
        uint32_t type;
};

struct boot_module {
        paddr_t start;
        uint64_t size;
        uint32_t cmdline; /* physical address of a string, 0: none */
};

/** The loader's map and modules, in the loader's order. */
struct memory_map {
        struct memory_entry entry[MEMORY_ENTRIES];
        unsigned entries;
        struct boot_module module[MODULES];
        unsigned modules;
        unsigned merged;          /* number of reserved entries that were merged for lack of room */
        unsigned dropped;         /* number of entries dropped for lack of room */
        unsigned dropped_modules; /* number of modules that were invalid, or had no room */
};

extern struct memory_map memory_map;

/** Adds an entry of the loader's map. Drops empty entries, and memory beyond 2^64. If there is no
 * room, merges reserved entries or drops an entry, the smallest available entry first. */
void memory_map_add(paddr_t start, uint64_t size, uint32_t type);

/** Adds a module, with start and end as the loader reports them. Reports and omits a module that is
 * invalid or has no room. Uses slot 1 of boot_map(). */
void memory_map_add_module(paddr_t start, paddr_t end, uint32_t cmdline);

/** Copies a string of the boot loader from a physical address to a buffer of size bytes, which the
 * caller has filled with zeros. Copies at most size - 1 characters, so the copy ends with a 0. Uses
 * slot 1 of boot_map(). */
void memory_map_string(paddr_t phys, char *to, unsigned size);

/** Returns the number of bytes of all available memory. */
uint64_t memory_map_available(void);

/** Returns true if a range overlaps available memory. */
bool memory_map_is_ram(paddr_t start, uint64_t size);

/** Gives the whole frames of available memory to memory/ram.h. Call once, with the complete map. */
void memory_map_list_ram(void);

/** Returns true if a range overlaps a range of the kernel. */
bool memory_map_is_taken(paddr_t start, uint64_t size);

/** Returns the start of the highest free range of available memory between low and high, aligned to
 * a power of two. The range overlaps no reserved entry, module, command line of a module, or range
 * of the kernel. 0: there is no such range. */
paddr_t memory_map_find(uint64_t size, uint64_t align, paddr_t low, paddr_t high);

/** Chooses the kernel pool, in large pages between 1 MiB and 4 GiB. wanted: its size; 0: a share of
 * all memory. The pool is smaller than wanted if the kernel cannot map that much, or if no range of
 * this size is free. Its size is 0 if not even one large page is free. */
struct boot_range memory_map_choose_pool(uint64_t wanted);

/** Lists a range as the kernel's own, or appends RAM to a range of RAM that it touches. Registers
 * of devices do not appear in the HIP. */
void memory_map_take(paddr_t start, uint64_t size, bool device);

/** Takes size bytes (whole pages) of free available memory between 1 MiB and 4 GiB for the kernel.
 * boot_kernel_ranges lists the range, and the HIP lists it as kernel memory. Returns 0 if no such
 * range is free. Call before the HIP is finished. */
paddr_t boot_reserve(uint64_t size);

/** Returns true if a kernel range was taken as registers of a device. */
bool memory_map_is_device(unsigned kernel_range);

#endif
