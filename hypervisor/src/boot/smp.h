/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the other CPUs. */
#ifndef BOOT_SMP_H
#define BOOT_SMP_H

#include "lib/types.h"

struct cpu;

/** Fills the tables of CPUs from ACPI; the boot CPU has the local APIC apic_id. */
void smp_init(unsigned apic_id);

/** Number of CPUs that are to be started, and the local APIC of one. */
unsigned smp_cpus(void);
unsigned smp_apic_id(unsigned id);

/** Prepares a CPU's block; NULL when there is no memory. */
struct cpu *smp_prepare(unsigned id);

/** Starts all CPUs but this one; those that do not come are reported and left out. They wait. */
void smp_start(void);

/** Lets the waiting CPUs run; all set their TSC to 0 at this moment. */
void smp_release(void);

/** C entry of an AP, on its own stack (start.S). */
_Noreturn void ap_main(unsigned id);

#endif
