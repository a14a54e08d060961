/* SPDX-License-Identifier: BSD-2-Clause */
/* Preparation of SYSENTER. */
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_init.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "thread.h"

void cpu_init_entry(struct cpu *cpu)
{
        wrmsr(MSR_SYSENTER_CS, SEL_KERNEL_CODE);
        wrmsr(MSR_SYSENTER_ESP, (word_t)cpu + CPU_STACK_TOP);
        wrmsr(MSR_SYSENTER_EIP, thread_entry());
}
