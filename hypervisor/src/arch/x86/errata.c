/* SPDX-License-Identifier: BSD-2-Clause */
/* Errata of CPUs by which a program or a guest can stop the machine (see errata.h). */
#include "arch/x86/errata.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "lib/atomic.h"
#include "lib/console.h"

uint32_t errata;

/* Returns the errata of this CPU, which has these features. */
static uint32_t errata_find(const uint32_t features[FEATURE_WORDS])
{
        const uint64_t capabilities =
                features_have(features, FEATURE_ARCH_CAPS) ? rdmsr(MSR_ARCH_CAPS) : 0;

        return errata_of(cpuid(0, 0).ecx, cpuid(1, 0).eax, capabilities);
}

uint32_t errata_own(void)
{
        uint32_t features[FEATURE_WORDS];

        features_read_own(features);
        return errata_find(features);
}

void errata_init_cpu(void)
{
        uint32_t features[FEATURE_WORDS];

        features_read_own(features);
        if (features_have(features, FEATURE_HYPERVISOR))
                return;

        const uint32_t own = errata_find(features);
        atomic_fetch_or_u32(&errata, own); /* the APs do this at the same time */
        if (own & ERRATUM_383)
                wrmsr_if_accepted(MSR_DC_CFG, rdmsr(MSR_DC_CFG) | DC_CFG_CONTAIN_MATCHES);
        if (own & ERRATUM_793)
                wrmsr_if_accepted(MSR_LS_CFG, rdmsr(MSR_LS_CFG) | LS_CFG_NO_HANG);
}

void errata_report(void)
{
        if (errata & ERRATUM_383)
                console_print("NOVA: machine checks by page sizes (erratum 383): a guest that "
                              "causes one shuts down.\n");
        if (errata & ERRATUM_793)
                console_print("NOVA: hanging locked instructions (erratum 793): a bit of the CPU's "
                              "LS_CFG.\n");
        if (errata & ERRATUM_CODE)
                console_print("NOVA: machine checks by sizes of code pages (iTLB multihit): "
                              "programs have code in pages of 4 KiB.\n");
}
