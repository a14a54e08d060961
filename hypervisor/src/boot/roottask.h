/* SPDX-License-Identifier: BSD-2-Clause */
/* The roottask: from a boot module to the root PD, EC and SC. @spec 6.1 */
#ifndef BOOT_ROOTTASK_H
#define BOOT_ROOTTASK_H

struct cpu;

/** Creates root PD, EC and SC of what roottask_load() found; the EC is ready to run. */
void roottask_start(struct cpu *cpu);

#endif
