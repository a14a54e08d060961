/* SPDX-License-Identifier: BSD-2-Clause */
/* The roottask: from a boot module to the root PD, EC and SC. @spec 6.1 */
#ifndef BOOT_ROOTTASK_H
#define BOOT_ROOTTASK_H

struct cpu;

/** Creates the root PD, EC and SC for the image that roottask_load() found. The EC is ready. */
void roottask_start(struct cpu *cpu);

#endif
