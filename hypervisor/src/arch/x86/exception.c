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
#include "device/remap.h"
#include "ipc/event.h"
#include "nova/abi/event.h"
#include "nova/abi/hip.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "platform/stop.h"
#include "sched/schedule.h"
#include "sched/timeout.h"
#include "thread.h"

#define PF_FETCH 0x10 /* error code of a page fault: the fetch of an instruction */

static void ipi(struct cpu *cpu)
{
        flush_answer(cpu);
        mail_interrupt(cpu);
        if (cpu_holds_pointers(cpu))
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
        reclaim_timer(cpu);
        if (unlikely(remap_stopped))
                gsi_resume(cpu);
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

/* A thread of 2012 exits by a jump to the first address of the kernel, and its parent knows that by
 * an error code without the bit of an instruction fetch, which CPUs set only where NX or SMEP is
 * on. */
static __attribute__((noinline)) _Noreturn void execution_fault(struct ec *self, word_t error)
{
        const word_t address = read_cr2();

        if (address == NOVA_USER_END)
                error &= ~(word_t)PF_FETCH;
        block_on_event(self, NOVA_EXC_PF, error, address);
}

static always_inline _Noreturn void page_fault(struct ec *self)
{
        const word_t error = self->regs.error;

        if (unlikely(error & PF_FETCH))
                execution_fault(self, error);
        block_on_event(self, NOVA_EXC_PF, error, read_cr2());
}

_Noreturn void exception_dispatch(struct ec *self)
{
        const unsigned vector = (unsigned)self->regs.vector;

        if (vector >= 32)
                serve(self, vector);
        if (unlikely(vector == NOVA_EXC_NM))
                serve(self, vector);
        if (vector == NOVA_EXC_PF)
                page_fault(self);
        block_on_event(self, vector, self->regs.error, 0);
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
