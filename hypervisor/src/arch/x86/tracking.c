/* SPDX-License-Identifier: BSD-2-Clause */
/* Indirect-branch tracking of the kernel (see tracking.h). */
#include "arch/x86/tracking.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "lib/cmdline.h"
#include "lib/console.h"

#define ENDBR_SIZE 4
#define ENDBR64    0xfa1e0ff3
#define ENDBR32    0xfb1e0ff3

word_t tracking_skip = ENDBR_SIZE;

/* Returns true if this CPU can track branches, and the kernel can use tracking together with
 * guests. An exit of VMX does not restore the settings, which is harmless because no guest can
 * change them. No CPU with SVM can track branches, so the kernel does not support both together. */
static bool tracking_exists(void)
{
        uint32_t own[FEATURE_WORDS];

        features_read_own(own);
        return features_have(own, FEATURE_IBT) && !features_have(own, FEATURE_SVM);
}

static bool tracking_used(void)
{
        return !tracking_skip;
}

void tracking_boot(void)
{
        if (INDIRECT_TARGETS_MARKED && cmdline.mitigations != MITIGATIONS_OFF && tracking_exists())
                tracking_skip = 0;
}

word_t tracking_target(word_t function)
{
        const uint32_t begin = *(const uint32_t *)function;

        return begin == ENDBR64 || begin == ENDBR32 ? function + tracking_skip : function;
}

void tracking_init_cpu(void)
{
        if (!tracking_used() || !tracking_exists())
                return;
        wrmsr(MSR_U_CET, 0);
        wrmsr(MSR_S_CET, CET_ENDBR);
        write_cr4(read_cr4() | CR4_CET);
}

void tracking_report(void)
{
        if (cmdline.mitigations == MITIGATIONS_OFF || !tracking_exists())
                return;
        console_print("NOVA: overwritten pointers to the kernel's functions: %s.\n",
                      tracking_used() ? "indirect-branch tracking"
                                      : "not treated: use a kernel that gcc has compiled");
}
