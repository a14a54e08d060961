/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own start, when the machine is known. boot/boot.h declares kernel_main(). */
#ifndef BOOT_MAIN_H
#define BOOT_MAIN_H

/** Prepares the kernel's parts before any CPU uses them. Call while only the boot CPU runs. */
void kernel_prepare(void);

#endif
