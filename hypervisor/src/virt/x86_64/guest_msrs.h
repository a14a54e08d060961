/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSRs of SYSCALL and SWAPGS, which VMX does not switch. */
#ifndef VIRT_GUEST_MSRS_H
#define VIRT_GUEST_MSRS_H

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "thread.h"
#include "virt/vcpu.h"

/* WRMSR accepts an address of the CPU's own width, even while the kernel's page tables have four
 * levels: KVM's developers found this on all CPUs with LA57. */
static inline bool guest_msrs_is_address(uint64_t value)
{
        const unsigned width = cpu_has(FEATURE_LA57) ? 57 : 48;

        return !(value >> (width - 1)) || !(~value >> (width - 1));
}

/** Returns true if the registers can be loaded without a fault. */
static inline bool guest_msrs_are_valid(const struct guest_msrs *msrs)
{
        return guest_msrs_is_address(msrs->lstar) && guest_msrs_is_address(msrs->cstar) &&
               guest_msrs_is_address(msrs->kernel_gs_base) && !(msrs->fmask >> 32);
}

/** Reads the current values of the registers. */
static inline void guest_msrs_read(struct guest_msrs *msrs)
{
        msrs->star = rdmsr(MSR_STAR);
        msrs->lstar = rdmsr(MSR_LSTAR);
        msrs->cstar = rdmsr(MSR_CSTAR);
        msrs->fmask = rdmsr(MSR_FMASK);
        msrs->kernel_gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

/** Returns the MSR that a guest changes without an exit, by SWAPGS. */
static inline uint64_t guest_msrs_kernel_gs_base(const struct guest_msrs *msrs)
{
        (void)msrs;
        return rdmsr(MSR_KERNEL_GS_BASE);
}

/* A hypervisor below the kernel, or an emulator, may check addresses against the kernel's own page
 * tables. If it refuses an address, the register keeps the kernel's value. */
static inline void guest_msrs_load(const struct guest_msrs *msrs)
{
        wrmsr(MSR_STAR, msrs->star);
        wrmsr_if_accepted(MSR_LSTAR, msrs->lstar);
        wrmsr_if_accepted(MSR_CSTAR, msrs->cstar);
        wrmsr(MSR_FMASK, msrs->fmask);
        wrmsr_if_accepted(MSR_KERNEL_GS_BASE, msrs->kernel_gs_base);
}

/** Loads the kernel's values on a CPU. host holds values that were read on any CPU. */
static inline void guest_msrs_load_host(struct guest_msrs host, unsigned cpu)
{
        host.lstar = thread_entry(cpu);
        guest_msrs_load(&host);
}

#endif
