/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX capabilities of the CPUs (SDM 3D, appendix A). */
#include "arch/x86/errata.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "nova/abi/control.h"
#include "virt/vmx/vmx.h"

#define VMX_BASIC_TRUE ((uint64_t)1 << 55) /* the MSRs VMX_TRUE_… exist */

struct vmx_offer vmx_offer;

bool vmx_has_safe_large_code(void)
{
        return !(errata_own() & ERRATUM_CODE);
}

bool vmx_read_offer(struct vmx_offer *offer)
{
        const uint64_t basic = rdmsr(MSR_VMX_BASIC);

        if (!(basic & VMX_BASIC_TRUE))
                return false;
        offer->revision = (uint32_t)basic;
        offer->ctrl0 = vmx_range_of(rdmsr(MSR_VMX_TRUE_CTRL0));
        if (!(offer->ctrl0.may & NOVA_VMX_CTRL0_SECONDARY))
                return false;
        offer->ctrl1 = vmx_range_of(rdmsr(MSR_VMX_CTRL1));
        if (!(offer->ctrl1.may & NOVA_VMX_CTRL1_EPT)) /* else MSR_VMX_EPT does not exist */
                return false;
        offer->pin = vmx_range_of(rdmsr(MSR_VMX_TRUE_PIN));
        offer->exit = vmx_range_of(rdmsr(MSR_VMX_TRUE_EXIT));
        offer->entry = vmx_range_of(rdmsr(MSR_VMX_TRUE_ENTRY));
        offer->ept = rdmsr(MSR_VMX_EPT);
        offer->large_code = vmx_has_safe_large_code();
        return true;
}

static bool vmx_is_usable(bool first)
{
        const uint64_t lock = rdmsr(MSR_FEATURE_CTRL);
        struct vmx_offer offer;

        if (lock & FEATURE_CTRL_LOCKED && !(lock & FEATURE_CTRL_VMX))
                return false;
        return vmx_read_offer(&offer) && vmx_offer_suffices(&offer) &&
               (first || vmx_offer_covers(&offer, &vmx_offer));
}

void vmx_check_feature(bool first)
{
        if (cpu_has(FEATURE_VMX) && !vmx_is_usable(first))
                features_remove(FEATURE_VMX);
}
