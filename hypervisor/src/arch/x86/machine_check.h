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

/** Returns true if a bank's status may show erratum 383: a TLB found two pages for an address. Bit
 * 62, which is ignored, shows that an earlier error was overwritten. */
static inline bool machine_check_is_match(uint64_t status)
{
        return (status & ~((uint64_t)1 << 62)) == 0xb600000000010015;
}

/** Returns true if erratum 383 is the only uncorrected error, and the CPU has the erratum. In this
 * case, clears the banks, ends the machine check, and flushes the kernel's own TLB entries. */
bool machine_check_forget_match(void);

#endif
