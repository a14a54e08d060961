/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that the CPU noted in its banks of machine checks. SDM 3B, chapter 16; APM 2, chapter 9.
 */
#ifndef ARCH_X86_MACHINE_CHECK_H
#define ARCH_X86_MACHINE_CHECK_H

#include "lib/types.h"

/** Removes what firmware or another system left in this CPU's banks. Once a CPU, at boot. */
void machine_check_forget(void);

/** Whether a bank of this CPU has an error that is not corrected and raises #MC. */
bool machine_check_happened(void);

#endif
