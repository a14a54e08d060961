/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial values of a CPU's control registers and MSRs. */
#include "arch/x86/cpu_init.h"

#include "arch/x86/errata.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/speculation.h"
#include "arch/x86/tracking.h"
#include "pcid.h"

static word_t cpu_init_cr4_value(void)
{
        word_t value = CR4_PAE | CR4_OSFXSR;

        value |= cpu_has(FEATURE_MCE) ? CR4_MCE : 0;
        value |= cpu_has(FEATURE_PGE) ? CR4_PGE : 0;
        value |= cpu_has(FEATURE_SSE) ? CR4_OSXMMEXCPT : 0;
        value |= pcid_used() ? CR4_PCIDE : 0;
        value |= cpu_has(FEATURE_XSAVE) ? CR4_OSXSAVE : 0;
        value |= cpu_has(FEATURE_SMEP) ? CR4_SMEP : 0;
        value |= cpu_has(FEATURE_SMAP) ? CR4_SMAP : 0;
        value |= cpu_has(FEATURE_UMIP) ? CR4_UMIP : 0;
        return value;
}

void cpu_init(struct cpu *cpu)
{
        /* Enables the caches: INIT leaves CD and NW set. TS makes the first use of the FPU trap. */
        write_cr0(CR0_PE | CR0_MP | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG);
        write_cr4(cpu_init_cr4_value());
        if (cpu_has(FEATURE_XSAVE))
                xsetbv(0, XCR0_X87_SSE);
        if (cpu_has(FEATURE_PAT))
                wrmsr(MSR_PAT, PAT_DEFAULT);

        write_dr7(DR7_CLEAR);
        write_dr0(0);
        write_dr1(0);
        write_dr2(0);
        write_dr3(0);
        write_dr6(DR6_CLEAR);
        cpu_init_entry(cpu);
        errata_init_cpu();
        speculation_init_cpu();
        tracking_init_cpu();
        if (cpu_has(FEATURE_RDTSCP))
                wrmsr(MSR_TSC_AUX, 0); /* the initial value of cpu_virt.tsc_aux */
}
