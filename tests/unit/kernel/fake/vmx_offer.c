/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's check of a CPU's VMX, with registers that are fakes (see vmx_offer.h). */
#include "vmx_offer.h"

#define rdmsr fake_vmx_rdmsr
#include "arch/x86/errata.h"
#include "arch/x86/features.h"

uint64_t fake_vmx_msrs[FAKE_VMX_MSRS];

static uint64_t fake_vmx_rdmsr(uint32_t msr)
{
        return msr >= MSR_VMX_BASIC ? fake_vmx_msrs[msr - MSR_VMX_BASIC] : 0;
}

uint32_t errata_own(void)
{
        return 0;
}

void features_remove(enum feature feature)
{
        cpu_features[feature / 32] &= ~(1u << feature % 32);
}

#include "virt/vmx/vmx_offer.c"
