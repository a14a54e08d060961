/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's search for errata, with fake instructions. */
#include "errata_cpu.h"

#define rdmsr             real_rdmsr
#define wrmsr_if_accepted real_wrmsr_if_accepted
#define cpuid(...)        real_cpuid(__VA_ARGS__)
#include "arch/x86/insn.h"
#undef rdmsr
#undef wrmsr_if_accepted
#undef cpuid
#include "arch/x86/features.h"
#include "arch/x86/msr.h"
#include "lib/string.h"

struct errata_cpu errata_cpu;

static uint64_t rdmsr(uint32_t msr)
{
        return msr == MSR_ARCH_CAPS ? errata_cpu.capabilities : 0;
}

static bool wrmsr_if_accepted(uint32_t msr, uint64_t value)
{
        (void)value;
        errata_cpu.treats_383 += msr == MSR_DC_CFG;
        errata_cpu.treats_793 += msr == MSR_LS_CFG;
        return true;
}

static struct cpuid errata_cpuid(uint32_t leaf)
{
        return (struct cpuid){.eax = leaf ? errata_cpu.version : 1, .ecx = errata_cpu.vendor};
}
#define cpuid(leaf, subleaf) errata_cpuid(leaf)

static void errata_set_feature(uint32_t words[FEATURE_WORDS], enum feature feature, bool is_set)
{
        words[feature / 32] |= (uint32_t)is_set << feature % 32;
}

void features_read_own(uint32_t own[FEATURE_WORDS])
{
        memset(own, 0, FEATURE_WORDS * sizeof(own[0]));
        errata_set_feature(own, FEATURE_HYPERVISOR, errata_cpu.has_hypervisor);
        errata_set_feature(own, FEATURE_ARCH_CAPS, errata_cpu.has_capabilities);
}

#include "arch/x86/errata.c"
