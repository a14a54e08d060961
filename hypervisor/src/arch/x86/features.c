/* SPDX-License-Identifier: BSD-2-Clause */
/* Features of the CPUs, from CPUID. */
#include "arch/x86/features.h"

#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "lib/string.h"

#define EMULATOR_NAME 0x54474354 /* "TCGT" */

/* Leaves that describe a feature. For a missing leaf, CPUID returns the data of another leaf. */
#define LEAF_XSAVE 0xd
#define LEAF_SVM   0x8000000a

uint32_t cpu_features[FEATURE_WORDS];

uint32_t features_max_extended(void)
{
        uint32_t max = cpuid(0x80000000, 0).eax;

        return max >> 31 ? max : 0;
}

static bool features_is_emulated(uint32_t features)
{
        return features >> FEATURE_HYPERVISOR % 32 & 1 && cpuid(0x40000000, 0).ebx == EMULATOR_NAME;
}

bool features_emulated(void)
{
        return features_is_emulated(cpu_features[WORD_1_ECX]);
}

/* Returns true if XSAVE must not be used, because firmware has limited the leaves (SDM 4,
 * MISC_ENABLE), or because QEMU 7.2 would hang at the MOV that sets OSXSAVE. QEMU hangs if leaf 0xd
 * does not describe XSAVEOPT and the other variants of XSAVE. */
static bool features_xsave_is_broken(uint32_t features)
{
        if (cpuid(0, 0).eax < LEAF_XSAVE)
                return true;
        return features >> FEATURE_XSAVE % 32 & 1 && !cpuid(LEAF_XSAVE, 1).eax &&
               features_is_emulated(features);
}

void features_read_own(uint32_t own[FEATURE_WORDS])
{
        struct cpuid leaf = cpuid(1, 0);

        memset(own, 0, FEATURE_WORDS * sizeof(own[0]));
        own[WORD_1_ECX] = leaf.ecx;
        own[WORD_1_EDX] = leaf.edx;
        if (cpuid(0, 0).eax >= 7) {
                leaf = cpuid(7, 0);
                own[WORD_7_EBX] = leaf.ebx;
                own[WORD_7_ECX] = leaf.ecx;
                own[WORD_7_EDX] = leaf.edx;
        }
        if (features_max_extended() >= 0x80000001) {
                leaf = cpuid(0x80000001, 0);
                own[WORD_EXT_ECX] = leaf.ecx;
                own[WORD_EXT_EDX] = leaf.edx;
        }
        /* Firmware may have disabled SVM. */
        if (own[WORD_EXT_ECX] >> FEATURE_SVM % 32 & 1 && features_max_extended() >= LEAF_SVM &&
            !(rdmsr(MSR_VM_CR) & VM_CR_SVMDIS))
                own[WORD_SVM_EDX] = cpuid(LEAF_SVM, 0).edx;
        if (features_xsave_is_broken(own[WORD_1_ECX]))
                own[WORD_1_ECX] &= ~(1u << FEATURE_XSAVE % 32);
}

void features_read(bool first)
{
        uint32_t now[FEATURE_WORDS];

        features_read_own(now);
        for (unsigned i = 0; i < FEATURE_WORDS; i++)
                if (first)
                        cpu_features[i] = now[i];
                else
                        __atomic_and_fetch(&cpu_features[i], now[i], __ATOMIC_RELAXED);
}

const char *features_lacking(void)
{
        static const struct {
                enum feature feature;
                const char *name;
                bool unused;
        } committed[] = {
                {FEATURE_X2APIC, "x2APIC mode", false},
                {FEATURE_TSC_DEADLINE, "TSC deadlines", false},
                {FEATURE_XSAVE, "XSAVE", false},
                {FEATURE_PCID, "PCIDs", sizeof(word_t) == 4},
                {FEATURE_SYSCALL, "SYSCALL", sizeof(word_t) == 4},
        };
        uint32_t own[FEATURE_WORDS];

        features_read_own(own);
        for (unsigned i = 0; i < array_size(committed); i++)
                if (!committed[i].unused && cpu_has(committed[i].feature) &&
                    !features_have(own, committed[i].feature))
                        return committed[i].name;
        return NULL;
}

void features_remove(enum feature feature)
{
        __atomic_and_fetch(&cpu_features[feature / 32], ~(1u << feature % 32), __ATOMIC_RELAXED);
}

unsigned features_phys_bits(void)
{
        unsigned bits = features_max_extended() >= 0x80000008 ? cpuid(0x80000008, 0).eax & 0xff : 0;

        /* A page-table entry holds at most 52 bits of an address. */
        return bits < 32 || bits > 52 ? 36 : bits;
}

uint32_t features_apic_id(void)
{
        if (cpuid(0, 0).eax >= 0xb && cpuid(0xb, 0).ebx)
                return cpuid(0xb, 0).edx;
        return cpuid(1, 0).ebx >> 24;
}

/* Returns the number of bits that can hold the numbers 0 to count - 1. */
static unsigned features_bits_for(unsigned count)
{
        return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

void features_topology(unsigned *thread_bits, unsigned *core_bits)
{
        const uint32_t max = cpuid(0, 0).eax;
        unsigned logical = cpu_has(FEATURE_HTT) ? cpuid(1, 0).ebx >> 16 & 0xff : 1;
        unsigned cores = 1;

        if (max >= 0xb && cpuid(0xb, 0).ebx) {
                *thread_bits = cpuid(0xb, 0).eax & 0x1f;
                *core_bits = cpuid(0xb, 1).eax & 0x1f;
                return;
        }
        /* Intel reports the cores in leaf 4, AMD in an extended leaf. */
        if (max >= 4 && cpuid(4, 0).eax)
                cores = (cpuid(4, 0).eax >> 26) + 1;
        else if (features_max_extended() >= 0x80000008)
                cores = (cpuid(0x80000008, 0).ecx & 0xff) + 1;
        *core_bits = features_bits_for(logical > cores ? logical : cores);
        *thread_bits = *core_bits - features_bits_for(cores);
}
