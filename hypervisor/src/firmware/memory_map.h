/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical memory as the boot loader reports it, and which of it is taken. */
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
 *  reservations. Not sorted; may touch. */
extern struct boot_range boot_kernel_ranges[BOOT_RANGES];
extern unsigned boot_kernel_range_count;

/** The first module, the roottask: its place in memory; size 0 when there is none. */
extern struct boot_range boot_roottask;

#define MEMORY_ENTRIES 96
#define MODULES        32

/** Number of omitted modules that a message names, each with its reason. */
#define MODULES_NAMED 4

/* One entry of the loader's map; type as in nova/abi/hip.h. */
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

/** The loader's map and its modules, in its order. */
struct memory_map {
        struct memory_entry entry[MEMORY_ENTRIES];
        unsigned entries;
        struct boot_module module[MODULES];
        unsigned modules;
        unsigned merged;          /* reserved entries that were merged for lack of room */
        unsigned dropped;         /* entries that found no room */
        unsigned dropped_modules; /* modules that found no room or are none */
};

extern struct memory_map memory_map;

/** Adds an entry of the loader's map; empty ones and what lies beyond 2^64 are dropped. */
void memory_map_add(paddr_t start, uint64_t size, uint32_t type);

/** Adds a module; start and end as the loader reports them. One that is none is left out, which the
 *  log says. Takes the boot window 1. */
void memory_map_add_module(paddr_t start, paddr_t end, uint32_t cmdline);

/** Sum of all available memory. */
uint64_t memory_map_available(void);

/** Whether a range touches available memory. */
bool memory_map_is_ram(paddr_t start, uint64_t size);

/** Whether a range touches what is listed as the kernel's own. */
bool memory_map_is_taken(paddr_t start, uint64_t size);

/** Highest free range of available memory between low and high, aligned to a power of two: outside
 *  of everything that is reserved, of modules and of kernel ranges. 0 when there is none. */
paddr_t memory_map_find(uint64_t size, uint64_t align, paddr_t low, paddr_t high);

/** Chooses the kernel pool below 4 GiB: of the wanted size, 0 for a share of all memory, or less
 *  where memory has no such range. Size 0 when not even one large page is free. */
struct boot_range memory_map_choose_pool(uint64_t wanted);

/** Lists a range as the kernel's own. Registers of devices are not listed in the HIP. */
void memory_map_take(paddr_t start, uint64_t size, bool device);

/** Takes size bytes (a multiple of a page) of available memory for the kernel, below 4 GiB, away
 *  from modules; it is listed in boot_kernel_ranges and as kernel memory in the HIP.
 *  0 when there is none. Only before the HIP is finished. */
paddr_t boot_reserve(uint64_t size);

/** Whether a kernel range was taken as registers of a device. */
bool memory_map_is_device(unsigned kernel_range);

#endif
