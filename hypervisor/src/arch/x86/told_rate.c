/* SPDX-License-Identifier: BSD-2-Clause */
/* The frequency of the TSC that CPUID reports (see told_rate.h). */
#include "arch/x86/told_rate.h"

#include "divide.h"

#define LEAF_CRYSTAL    0x15
#define LEAF_BASE       0x16
#define LEAF_HYPERV     0x40000003
#define LEAF_FREQUENCY  0x40000010
#define NAME_HYPERV     0x7263694d /* "Micr" */
#define INTERFACE       0x31237648 /* "Hv#1" */
#define ACCESS_RATE_MSR ((uint32_t)1 << 11)
#define HAS_RATE_MSR    ((uint32_t)1 << 8)

static bool told_rate_is_hyperv(const struct told_leaves *leaves)
{
        return leaves->has_hypervisor && leaves->hypervisor_name == NAME_HYPERV;
}

bool told_rate_by_msr(const struct told_leaves *leaves)
{
        return told_rate_is_hyperv(leaves) && leaves->hypervisor_last >= LEAF_HYPERV &&
               leaves->interface == INTERFACE && leaves->may_access & ACCESS_RATE_MSR &&
               leaves->has & HAS_RATE_MSR;
}

uint32_t told_rate_khz(const struct told_leaves *leaves)
{
        if (leaves->has_hypervisor && !told_rate_is_hyperv(leaves) &&
            leaves->hypervisor_last >= LEAF_FREQUENCY && leaves->hypervisor_khz)
                return leaves->hypervisor_khz;
        if (leaves->last >= LEAF_CRYSTAL && leaves->divisor && leaves->factor && leaves->hz) {
                const uint64_t hz =
                        divide((uint64_t)leaves->hz * leaves->factor, leaves->divisor, NULL);
                return (uint32_t)divide(hz, 1000, NULL);
        }
        /* The TSC of a CPU that does not report its crystal's frequency runs at the base
         * frequency. */
        return leaves->last >= LEAF_BASE ? (leaves->mhz & 0xffff) * 1000 : 0;
}
