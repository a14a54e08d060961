/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own start, once the machine is known (kernel_main is declared in boot/boot.h).
 */
#ifndef BOOT_MAIN_H
#define BOOT_MAIN_H

/** Prepares what the kernel's parts need before any CPU uses them. On the boot CPU, alone. */
void kernel_prepare(void);

#endif
