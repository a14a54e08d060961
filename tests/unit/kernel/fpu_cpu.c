/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's FPU states, with instructions that are fakes. */
#include "fpu_cpu.h"

#include <stdlib.h>

#define cpuid(...) real_cpuid(__VA_ARGS__)
#define xsetbv     real_xsetbv
#define cpu_self   cpu_self_by_stack
#include "arch/x86/cpu.h"
#include "arch/x86/insn.h"
#include "sched/cpu.h"
#undef cpuid
#undef xsetbv
#undef cpu_self
#include "arch/x86/features.h"
#include "memory/frame.h"

struct fpu_cpu fpu_cpu;
uint32_t cpu_features[FEATURE_WORDS];
word_t pool_offset;

static struct cpu fpu_self;
static uint64_t fpu_enabled;

static struct cpu *cpu_self(void)
{
        return &fpu_self;
}

static void xsetbv(uint32_t reg, uint64_t value)
{
        (void)reg;
        fpu_enabled = value;
}

/* Returns the size of a state that has the enabled components. */
static uint32_t fpu_bytes(void)
{
        uint32_t end = 512 + 64;

        for (unsigned n = 2; n < FPU_COMPONENTS; n++) {
                const struct fpu_component *component = &fpu_cpu.component[n];

                if (fpu_enabled >> n & 1 && component->offset + component->size > end)
                        end = component->offset + component->size;
        }
        return end;
}

static struct cpuid fpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
        if (leaf != 0xd || subleaf >= FPU_COMPONENTS)
                return (struct cpuid){0};
        if (!subleaf)
                return (struct cpuid){.eax = fpu_cpu.supported, .ebx = fpu_bytes()};
        return (struct cpuid){.eax = fpu_cpu.component[subleaf].size,
                              .ebx = fpu_cpu.component[subleaf].offset};
}
#define cpuid(leaf, subleaf) fpu_cpuid(leaf, subleaf)

void *frame_alloc_zeroed(void)
{
        static _Alignas(PAGE_SIZE) char frame[PAGE_SIZE];

        return frame;
}

#include "arch/x86/fpu.c"
