/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that the CPU recorded in its machine-check banks (SDM 3B, chapter 16; APM 2, chapter 9).
 */
#ifndef ARCH_X86_MACHINE_CHECK_H
#define ARCH_X86_MACHINE_CHECK_H

#include "lib/types.h"

/** Clears the errors that firmware or another system left in this CPU's banks. Once per CPU. */
void machine_check_forget(void);

/** Returns true if a bank of this CPU has an uncorrected error that raises #MC. */
bool machine_check_happened(void);

#endif
