/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader and the firmware reported, and the services that exist only during boot. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "lib/types.h"

struct cpu;

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

/** Physical frame of the hypervisor information page (a pool frame). */
extern void *boot_hip;

/** Takes size bytes (a multiple of a page) of available memory for the kernel, below 4 GiB, away
 *  from modules; it is listed in boot_kernel_ranges and as kernel memory in the HIP.
 *  0 when there is none. Only before the HIP is finished. */
paddr_t boot_reserve(uint64_t size);

/** Called by the boot code on the boot CPU when memory, ACPI and HIP are known, before the HIP is
 *  finished: loads the roottask (boot/roottask.c). Stops the kernel with a sentence when it is
 *  no valid image. */
void roottask_load(void);

/** Called by the boot code at last, on each CPU on its own stack, interrupts off; the boot CPU
 *  comes when all others have been started. Creates the CPU's idle thread; on the boot CPU the root
 *  PD; runs threads (boot/main.c). */
_Noreturn void kernel_main(struct cpu *cpu);

#endif
