/* SPDX-License-Identifier: BSD-2-Clause */
/* Indirect-branch tracking of the kernel (SDM 1, 17.3). The CPU raises #CP if an indirect call, an
 * indirect jump or an entry reaches an instruction other than ENDBR. Functions whose addresses are
 * taken begin with ENDBR: indirect_target marks them in C (lib/types.h) and in assembly
 * (tracking.inc). Jump tables do not exist.
 *
 * Programs and guests are not tracked: IA32_U_CET is 0, and a guest cannot set CR4.CET. */
#ifndef ARCH_X86_TRACKING_H
#define ARCH_X86_TRACKING_H

#include "lib/types.h"

/** Bytes that entries from user mode skip: ENDBR, unless the CPUs track branches. */
extern word_t tracking_skip;

/** Decides whether the CPUs track branches. Call once, after the command line is known. */
void tracking_boot(void);

/** Returns the place at which indirect branches enter a function or an entry: after its ENDBR
 * unless the CPUs track branches. */
word_t tracking_target(word_t function);

/** Enables tracking on this CPU, if it is used and this CPU has it. Call after write_cr4(). */
void tracking_init_cpu(void);

/** Prints a line if the boot CPU has tracking, unless the command line says mitigations=off. */
void tracking_report(void);

#endif
