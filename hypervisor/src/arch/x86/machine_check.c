/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that the CPU recorded in its machine-check banks (see machine_check.h). */
#include "arch/x86/machine_check.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"

#define BANKS 0xff

/* Each bank has four registers. The numbers after those of bank 31 belong to other MSRs (VMX), or
 * an access to them faults. Further banks are accessible only under other numbers (AMD's MCAX, at
 * 0xc0002000). */
#define BANKS_MAX    32
#define STATUS(bank) (MSR_MC0_STATUS + 4 * (bank))

#define STATUS_VALID       ((uint64_t)1 << 63)
#define STATUS_UNCORRECTED ((uint64_t)1 << 61)
#define STATUS_ENABLED     ((uint64_t)1 << 60)
#define STATUS_FATAL       (STATUS_VALID | STATUS_UNCORRECTED | STATUS_ENABLED)

static unsigned machine_check_banks(void)
{
        const unsigned count = cpu_has(FEATURE_MCA) ? (unsigned)rdmsr(MSR_MCG_CAP) & BANKS : 0;

        return count < BANKS_MAX ? count : BANKS_MAX;
}

void machine_check_forget(void)
{
        for (unsigned i = 0; i < machine_check_banks(); i++)
                wrmsr(STATUS(i), 0);
}

bool machine_check_happened(void)
{
        for (unsigned i = 0; i < machine_check_banks(); i++)
                if ((rdmsr(STATUS(i)) & STATUS_FATAL) == STATUS_FATAL)
                        return true;
        return false;
}
