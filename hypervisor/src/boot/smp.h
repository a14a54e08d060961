/* SPDX-License-Identifier: BSD-2-Clause */
/* Start of the other CPUs. */
#ifndef BOOT_SMP_H
#define BOOT_SMP_H

#include "lib/types.h"

struct cpu;

/** Fills the tables of CPUs from ACPI. apic_id is the number of the boot CPU's local APIC. */
void smp_init(unsigned apic_id);

/** Returns the number of CPUs, started or not. smp_apic_id() returns the local APIC number of one
 * of them. */
unsigned smp_cpus(void);
unsigned smp_apic_id(unsigned id);

/** Prepares a CPU's block. Returns NULL if there is no memory. */
struct cpu *smp_prepare(unsigned id);

/** Starts all other CPUs, which then wait. Reports and leaves out the CPUs that do not arrive. */
void smp_start(void);

/** Lets the waiting CPUs continue. A CPU whose TSC differs adopts the value of this CPU's TSC. */
void smp_release(void);

/** C entry of an AP, on its own stack (start.S). */
_Noreturn void ap_main(unsigned id);

#endif
