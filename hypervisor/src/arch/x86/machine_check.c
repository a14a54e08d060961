/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that the CPU recorded in its machine-check banks (see machine_check.h). */
#include "arch/x86/machine_check.h"

#include "arch/x86/errata.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"

#define BANKS 0xff

/* Each bank has four registers. The numbers after the numbers of bank 31 belong to other MSRs
 * (VMX), or an access to them faults. Further banks are accessible only under other numbers (AMD's
 * MCAX, at 0xc0002000). */
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

/* Returns true if a bank with at least the number `bank` has an uncorrected error that raises
 * #MC. */
static bool machine_check_happened_from(unsigned bank)
{
        for (; bank < machine_check_banks(); bank++)
                if ((rdmsr(STATUS(bank)) & STATUS_FATAL) == STATUS_FATAL)
                        return true;
        return false;
}

bool machine_check_happened(void)
{
        return machine_check_happened_from(0);
}

bool machine_check_forget_match(void)
{
        const word_t cr4 = read_cr4();

        if (!(errata & ERRATUM_383) || !machine_check_banks() ||
            !machine_check_is_match(rdmsr(STATUS(0))) || machine_check_happened_from(1))
                return false;
        machine_check_forget();
        wrmsr(MSR_MCG_STATUS, rdmsr(MSR_MCG_STATUS) & ~(uint64_t)MCG_STATUS_IN_PROGRESS);
        write_cr4(cr4 ^ CR4_PGE);
        write_cr4(cr4);
        return true;
}
