/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts, from user mode and from the kernel's interrupt windows. */
#include "arch/x86/exception.h"

#include "arch/x86/calibrate.h"
#include "arch/x86/cpu.h"
#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#include "arch/x86/msr.h"
#include "arch/x86/resume.h"
#include "arch/x86/tlb.h"
#include "arch/x86/vectors.h"
#include "device/gsi.h"
#include "device/iommu.h"
#include "ipc/event.h"
#include "nova/abi/event.h"
#include "nova/abi/hip.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "platform/stop.h"
#include "sched/schedule.h"
#include "sched/timeout.h"
#include "thread.h"

static void ipi(struct cpu *cpu)
{
        flush_answer(cpu);
        mail_receive(cpu);
        if (cpu->no_quiescence || cpu->current_ended)
                cpu->pending |= CPU_PENDING_GRACE;
        else
                reclaim_quiescent(cpu);
}

/* The quantum of the current SC may be used up, a deadline may have passed, or the timer could not
 * wait that long. */
static void timer(struct cpu *cpu)
{
        const uint64_t now = rdtsc(), end = sc_slice_end(cpu->current_sc, cpu->slice_start);

        timeout_expire(cpu);
        iommu_poll();
        if (now >= end)
                sched_decide(cpu);
        else
                timeout_arm(cpu, end);
}

static void interrupt_dispatch(unsigned vector)
{
        if (vector >= VECTOR_GSI && vector < VECTOR_GSI + NOVA_HIP_GSI)
                gsi_fire(vector - VECTOR_GSI);
        else if (vector == VECTOR_TIMER)
                timer(cpu_self());
        else if (vector == VECTOR_IPI)
                ipi(cpu_self());
        else if (vector == VECTOR_IOMMU)
                iommu_fault();
        else
                return; /* spurious: must not be acknowledged */
        lapic_eoi();
}

/* An interrupt, or the FPU's registers are another thread's: self goes on. */
static __attribute__((noinline)) _Noreturn void serve(struct ec *self, unsigned vector)
{
        if (vector == NOVA_EXC_NM)
                fpu_load(self->cpu, self);
        else
                interrupt_dispatch(vector);
        resume_interrupted(self);
}

_Noreturn void exception_dispatch(struct ec *self)
{
        const unsigned vector = (unsigned)self->regs.vector;

        if (vector >= 32)
                serve(self, vector);
        if (unlikely(self->regs.flags & FLAG_AC))
                clear_ac(); /* SMAP would be off */
        if (unlikely(vector == NOVA_EXC_NM))
                serve(self, vector);
        block_on_event(self, vector, self->regs.error, vector == NOVA_EXC_PF ? read_cr2() : 0);
}

void exception_in_kernel(struct regs *regs)
{
        if (regs->vector >= 32) {
                interrupt_dispatch((unsigned)regs->vector);
                return;
        }
        /* A single step over SYSENTER or SYSCALL arrives at the kernel's first instruction. */
        if (regs->vector == NOVA_EXC_DB && thread_is_entry(regs->ip)) {
                regs->flags &= ~(word_t)FLAG_TF;
                atomic_fetch_or_u32(&cpu_self()->current->pending, EC_PENDING_STEP);
                return;
        }
        kernel_stop_exception((unsigned)regs->vector, regs, read_cr2());
}

_Noreturn void exception_fatal(const struct regs *regs)
{
        kernel_stop_exception((unsigned)regs->vector, regs, read_cr2());
}
