/* SPDX-License-Identifier: BSD-2-Clause */
/* Features of the CPUs: the CPUID bits that the kernel uses. */
#ifndef ARCH_X86_FEATURES_H
#define ARCH_X86_FEATURES_H

#include "lib/types.h"

/* Words of CPUID bits; a feature's number is word * 32 + bit. */
enum feature_word {
        WORD_1_ECX,
        WORD_1_EDX,
        WORD_7_EBX,
        WORD_7_ECX,
        WORD_7_EDX,
        WORD_EXT_ECX,
        WORD_EXT_EDX,
        WORD_SVM_EDX,
        FEATURE_WORDS
};

enum feature {
        FEATURE_VMX = WORD_1_ECX * 32 + 5,
        FEATURE_PCID = WORD_1_ECX * 32 + 17,
        FEATURE_X2APIC = WORD_1_ECX * 32 + 21,
        FEATURE_TSC_DEADLINE = WORD_1_ECX * 32 + 24,
        FEATURE_XSAVE = WORD_1_ECX * 32 + 26,
        FEATURE_HYPERVISOR = WORD_1_ECX * 32 + 31,
        FEATURE_MCE = WORD_1_EDX * 32 + 7,
        FEATURE_PGE = WORD_1_EDX * 32 + 13,
        FEATURE_MCA = WORD_1_EDX * 32 + 14,
        FEATURE_PAT = WORD_1_EDX * 32 + 16,
        FEATURE_SSE = WORD_1_EDX * 32 + 25,
        FEATURE_SSE2 = WORD_1_EDX * 32 + 26,
        FEATURE_HTT = WORD_1_EDX * 32 + 28,
        FEATURE_AVX2 = WORD_7_EBX * 32 + 5,
        FEATURE_SMEP = WORD_7_EBX * 32 + 7,
        FEATURE_RTM = WORD_7_EBX * 32 + 11,
        FEATURE_SMAP = WORD_7_EBX * 32 + 20,
        FEATURE_UMIP = WORD_7_ECX * 32 + 2,
        FEATURE_LA57 = WORD_7_ECX * 32 + 16, /* page tables of five levels */
        FEATURE_SRBDS_CTRL = WORD_7_EDX * 32 + 9,
        FEATURE_MD_CLEAR = WORD_7_EDX * 32 + 10,
        FEATURE_IBT = WORD_7_EDX * 32 + 20,  /* indirect-branch tracking */
        FEATURE_IBRS = WORD_7_EDX * 32 + 26, /* Intel: also IBPB */
        FEATURE_L1D_FLUSH = WORD_7_EDX * 32 + 28,
        FEATURE_ARCH_CAPS = WORD_7_EDX * 32 + 29,
        FEATURE_SVM = WORD_EXT_ECX * 32 + 2,
        FEATURE_SYSCALL = WORD_EXT_EDX * 32 + 11, /* Intel: reported in 64-bit mode only */
        FEATURE_NX = WORD_EXT_EDX * 32 + 20,
        FEATURE_RDTSCP = WORD_EXT_EDX * 32 + 27,
        FEATURE_NPT = WORD_SVM_EDX * 32 + 0,
        FEATURE_NEXT_RIP = WORD_SVM_EDX * 32 + 3,
};

/** Features that all started CPUs have. */
extern uint32_t cpu_features[FEATURE_WORDS];

/** Stores the features of this CPU. */
void features_read_own(uint32_t own[FEATURE_WORDS]);

/** Reads this CPU's features. The first CPU sets cpu_features; the others remove the features that
 * they lack. */
void features_read(bool first);

/** Returns the name of a feature that this CPU lacks, although the boot CPU has begun to use it for
 * all CPUs; NULL: this CPU lacks none. */
const char *features_lacking(void);

/** Removes a feature that this CPU has and the kernel does not use. */
void features_remove(enum feature feature);

static inline bool features_have(const uint32_t words[FEATURE_WORDS], enum feature feature)
{
        return words[feature / 32] >> feature % 32 & 1;
}

static inline bool cpu_has(enum feature feature)
{
        return features_have(cpu_features, feature);
}

/** Returns true if QEMU emulates the CPU (TCG). Such a CPU has bugs that a real CPU lacks. */
bool features_emulated(void);

/** Returns the number of the last extended leaf of CPUID; 0: there is none. */
uint32_t features_max_extended(void);

/** Returns the number of physical address bits. */
unsigned features_phys_bits(void);

/** Returns the number that CPUID reports for this CPU's local APIC. */
uint32_t features_apic_id(void);

/** Determines how many low bits of a local APIC number select the thread in a core, and how many
 * select the thread in a package. */
void features_topology(unsigned *thread_bits, unsigned *core_bits);

#endif
