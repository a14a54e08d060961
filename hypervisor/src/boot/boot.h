/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions and variables that connect the parts of the boot code. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

struct cpu;

/** The hypervisor information page, at the kernel's virtual address of its frame. */
extern void *boot_hip;

/** Prepares the kernel's parts before any CPU uses them (boot/main.c). Called while no other CPU
 * runs yet. */
void kernel_prepare(void);

/** Loads the roottask (boot/roottask.c). Called on the boot CPU after hip_build() and before
 * hip_finish(). Stops the kernel with a sentence if the image is not valid. */
void roottask_load(void);

/** Creates a CPU's idle thread and, on the boot CPU, the root PD. Then runs threads (boot/main.c).
 * It is the last step of the boot code on each CPU and runs on the CPU's own stack with interrupts
 * off. The boot CPU calls it after all other CPUs have been started. */
_Noreturn void kernel_main(struct cpu *cpu);

#endif
