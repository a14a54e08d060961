/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout of the kernel half (the last GiB) of an x86-32 address space. */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

/* Image: virtual = physical + IMAGE_OFFSET; linked to run at physical 2 MiB. */
#define IMAGE_OFFSET 0xc0000000
#define IMAGE_PHYS   0x200000

/* Kernel pool, at most 512 MiB: the physical start is found at boot. */
#define POOL_BASE     0xd0000000
#define POOL_SIZE_MAX 0x20000000

/* The window, the only part that differs between PDs: the TSSs of all CPUs, the PD's I/O permission
 * bitmap (two pages), and a page of ones that ends it. */
#define WINDOW_BASE 0xf0000000

/* Blocks of all CPUs: struct cpu, emergency stacks, guard pages, kernel stack. */
#define CPU_BASE 0xf0400000

/* Device registers (uncached): a page of the local APIC, then pages of I/O APICs and I/O MMUs. */
#define MMIO_BASE 0xf0800000

/* Memory that the kernel accesses only at boot (ACPI, modules, trampoline), mapped temporarily. */
#define BOOT_MAP_BASE 0xf1000000
#define BOOT_MAP_SIZE 0x00800000

#define KERNEL_HALF 0xc0000000

/* Selectors, in the order that SYSENTER and SYSEXIT require. */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_CODE   0x1b
#define SEL_USER_DATA   0x23
#define SEL_TSS         0x28
#define SEL_TSS_FAULT   0x30 /* the task of #DF, NMI and #MC */
#define SEL_TLS         0x3b /* data of threads with a base of thread-local storage */

#endif
