/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout of the kernel half of an x86-64 address space. */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

/* Image: virtual = physical + IMAGE_OFFSET; linked to run at physical 2 MiB. */
#define IMAGE_OFFSET 0xffffffff80000000
#define IMAGE_PHYS   0x200000

/* Kernel pool: virtual = physical + POOL_OFFSET; only the pool's frames are mapped. */
#define POOL_OFFSET 0xffff800000000000

/* The window: the TSSs of all CPUs, the PD's I/O permission bitmap (two pages), and a page of ones
 * that ends the bitmap. It has its own PML4 slot, because it is the only part of the kernel half
 * that differs between PDs. */
#define WINDOW_BASE 0xffff810000000000

/* Blocks of all CPUs: struct cpu, emergency stacks, guard pages, kernel stack. */
#define CPU_BASE 0xffffffffc0000000

/* Device registers (uncached): a page of the local APIC, then pages of I/O APICs and I/O MMUs. */
#define MMIO_BASE 0xffffffffc0400000

/* Memory that the kernel accesses only at boot (ACPI, modules, trampoline), mapped temporarily. */
#define BOOT_MAP_BASE 0xffffffffc0800000
#define BOOT_MAP_SIZE 0x00800000

#define KERNEL_HALF 0xffff800000000000

/* Segment selectors, in the order that SYSCALL and SYSRET require. */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_CODE32 0x1b
#define SEL_USER_DATA   0x23
#define SEL_USER_CODE   0x2b
#define SEL_TSS         0x30

#endif
