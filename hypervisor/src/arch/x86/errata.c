/* SPDX-License-Identifier: BSD-2-Clause */
/* Errata of CPUs by which a program or a guest can stop the machine (see errata.h). */
#include "arch/x86/errata.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "lib/console.h"

uint32_t errata;

void errata_init_cpu(void)
{
        uint32_t own[FEATURE_WORDS];
        uint64_t capabilities = 0;

        features_read_own(own);
        if (features_have(own, FEATURE_HYPERVISOR))
                return;
        if (features_have(own, FEATURE_ARCH_CAPS))
                capabilities = rdmsr(MSR_ARCH_CAPS);
        errata |= errata_of(cpuid(0, 0).ecx, cpuid(1, 0).eax, capabilities);
        if (errata & ERRATUM_383)
                wrmsr_if_accepted(MSR_DC_CFG, rdmsr(MSR_DC_CFG) | DC_CFG_CONTAIN_MATCHES);
        if (errata & ERRATUM_793)
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
