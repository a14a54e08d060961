/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions from user mode, and traps of the kernel (see trap.h). */
#include "trap/trap.h"

#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/resume.h"
#include "ipc/event.h"
#include "lib/stop.h"
#include "nova/abi/event.h"
#include "sched/cpu.h"
#include "thread.h"
#include "trap/interrupt.h"

#define PF_FETCH 0x10 /* error code of a page fault: the fetch of an instruction */

/* Handles an interrupt from user mode and lets self continue. */
static __attribute__((noinline)) _Noreturn void finish_trap_interrupt(struct ec *self,
                                                                      unsigned vector)
{
        interrupt_dispatch(vector);
        resume_interrupted(self);
}

/* Loads the FPU state of self, because the FPU holds the state of another EC, and lets self
 * continue. */
static __attribute__((noinline)) _Noreturn void finish_trap_fpu_switch(struct ec *self)
{
        fpu_load(self->cpu, self);
        resume_interrupted(self);
}

/* Delivers a page fault of an instruction fetch. A thread written for the interface of 2012 exits
 * by a jump to the kernel's first address. Its parent recognises the exit by an error code without
 * the bit of an instruction fetch. CPUs set this bit only if NX or SMEP is on. */
static __attribute__((noinline)) _Noreturn void block_on_trap_fetch(struct ec *self, word_t error)
{
        const word_t address = read_cr2();

        if (address == NOVA_USER_END)
                error &= ~(word_t)PF_FETCH;
        block_on_event(self, NOVA_EXC_PF, error, address);
}

static always_inline _Noreturn void block_on_trap_page_fault(struct ec *self)
{
        const word_t error = self->regs.error;

        if (unlikely(error & PF_FETCH))
                block_on_trap_fetch(self, error);
        block_on_event(self, NOVA_EXC_PF, error, read_cr2());
}

_Noreturn void trap_dispatch(struct ec *self)
{
        const unsigned vector = (unsigned)self->regs.vector;

        if (vector >= 32)
                finish_trap_interrupt(self, vector);
        if (unlikely(vector == NOVA_EXC_NM))
                finish_trap_fpu_switch(self);
        if (vector == NOVA_EXC_PF)
                block_on_trap_page_fault(self);
        block_on_event(self, vector, self->regs.error, 0);
}

/* If the trap is a #GP of an instruction that may raise it, sets the frame's IP to the code for
 * this case and returns true. */
static bool trap_is_expected(struct regs *regs)
{
        for (const struct gp_site *r = gp_sites; r < gp_sites_end; r++)
                if (regs->vector == NOVA_EXC_GP && regs->ip == (word_t)&r->at + (word_t)r->at) {
                        regs->ip = (word_t)&r->next + (word_t)r->next;
                        return true;
                }
        return false;
}

void trap_in_kernel(struct regs *regs)
{
        if (regs->vector >= 32) {
                interrupt_dispatch((unsigned)regs->vector);
                return;
        }
        /* A single step over SYSENTER or SYSCALL arrives at the kernel's first instruction. */
        if (regs->vector == NOVA_EXC_DB && thread_is_entry(regs->ip)) {
                regs->flags &= ~(word_t)FLAG_TF;
                atomic_or_u16(&cpu_self()->current->pending, EC_PENDING_STEP);
                return;
        }
        if (trap_is_expected(regs))
                return;
        kernel_stop_exception((unsigned)regs->vector, regs, read_cr2());
}

_Noreturn void trap_fatal(const struct regs *regs)
{
        kernel_stop_exception((unsigned)regs->vector, regs, read_cr2());
}
