/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that the CPU noted in its banks of machine checks (see machine_check.h). */
#include "arch/x86/machine_check.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"

#define BANKS 0xff

/* Each bank has four registers. */
#define STATUS(bank) (MSR_MC0_STATUS + 4 * (bank))

#define STATUS_VALID       ((uint64_t)1 << 63)
#define STATUS_UNCORRECTED ((uint64_t)1 << 61)
#define STATUS_ENABLED     ((uint64_t)1 << 60)
#define STATUS_FATAL       (STATUS_VALID | STATUS_UNCORRECTED | STATUS_ENABLED)

static unsigned banks(void)
{
        return cpu_has(FEATURE_MCA) ? (unsigned)rdmsr(MSR_MCG_CAP) & BANKS : 0;
}

void machine_check_forget(void)
{
        for (unsigned i = 0; i < banks(); i++)
                wrmsr(STATUS(i), 0);
}

bool machine_check_happened(void)
{
        for (unsigned i = 0; i < banks(); i++)
                if ((rdmsr(STATUS(i)) & STATUS_FATAL) == STATUS_FATAL)
                        return true;
        return false;
}
