/* SPDX-License-Identifier: BSD-2-Clause */
/* Preparation of SYSCALL and of the segment bases. */
#include "arch/x86/cpu_init.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "lib/stop.h"
#include "sched/cpu.h"
#include "thread.h"

/* Flags that SYSCALL clears: all that could harm the kernel. */
#define FLAGS_CLEARED \
        (FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC)

void cpu_init_entry(struct cpu *cpu)
{
        if (!cpu_has(FEATURE_SYSCALL))
                kernel_stop("this CPU lacks SYSCALL, which the kernel needs: use another CPU or "
                            "kernel");
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
        wrmsr(MSR_STAR, (uint64_t)SEL_KERNEL_CODE << 32 | (uint64_t)SEL_USER_CODE32 << 48);
        wrmsr(MSR_LSTAR, thread_entry(cpu->id));
        wrmsr(MSR_CSTAR, (word_t)entry_compat + tracking_skip);
        wrmsr(MSR_FMASK, FLAGS_CLEARED);
        wrmsr(MSR_SYSENTER_CS, 0); /* makes SYSENTER fault */
        wrmsr(MSR_FS_BASE, 0);
        wrmsr(MSR_GS_BASE, 0);
        wrmsr(MSR_KERNEL_GS_BASE, 0);
}
