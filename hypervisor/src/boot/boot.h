/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the parts of the boot code meet. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

struct cpu;

/** Physical frame of the hypervisor information page (a pool frame). */
extern void *boot_hip;

/** Called by the boot code on the boot CPU when memory, ACPI and HIP are known, before the HIP is
 *  finished: loads the roottask (boot/roottask.c). Stops the kernel with a sentence when it is
 *  no valid image. */
void roottask_load(void);

/** Called by the boot code at last, on each CPU on its own stack, interrupts off; the boot CPU
 *  comes when all others have been started. Creates the CPU's idle thread; on the boot CPU the root
 *  PD; runs threads (boot/main.c). */
_Noreturn void kernel_main(struct cpu *cpu);

#endif
