/* SPDX-License-Identifier: BSD-2-Clause */
/* All exits from the kernel (see resume.h). They check for pending work one last time. */
#include "arch/x86/resume.h"

#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/switch.h"
#include "ipc/event.h"
#include "lib/assert.h"
#include "nova/abi/event.h"
#include "object/pd.h"
#include "object/pt.h"
#include "sched/cpu.h"
#include "sched/pending.h"
#include "sched/schedule.h"
#include "thread.h"
#include "tls.h"
#include "virt/vcpu.h"

/* entry.S */
_Noreturn void continue_on_empty_stack(struct ec *ec, continuation_t cont, word_t stack);

static void resume_switch_special(struct cpu *cpu, const struct ec *ec)
{
        fpu_switch(cpu, ec);
        if (cpu->special & ~ec->special & SPECIAL_VCPU)
                vcpu_leave(cpu);
        cpu->special = (uint8_t)((cpu->special & ~SPECIAL_VCPU) | (ec->special & SPECIAL_VCPU));
        if ((cpu->special | ec->special) & SPECIAL_TLS)
                tls_switch(cpu, ec);
}

static __attribute__((noinline)) _Noreturn void resume_special(struct cpu *cpu, struct ec *ec)
{
        resume_switch_special(cpu, ec);
        continue_on_empty_stack(ec, ec->cont, ec->stack_top);
}

/* Resumes an EC by its continuation and switches all state that has to be switched. */
static __attribute__((noinline)) _Noreturn void resume_generally(struct cpu *cpu, struct ec *ec)
{
        cpu->current = ec;
        if (likely(ec->pd)) /* the idle thread keeps the loaded address space */
                switch_pd(cpu, ec->pd);
        tss_set_stack(cpu->arch.tss, (word_t)(&ec->regs + 1));
        if (unlikely(cpu->special | ec->special))
                resume_special(cpu, ec);
        continue_on_empty_stack(ec, ec->cont, ec->stack_top);
}

static always_inline void resume_switch_with_base(struct cpu *cpu, struct ec *ec)
{
        switch_thread(cpu, ec);
        tls_switch(cpu, ec);
}

/* Continues an EC after a hypercall that waited. The EC or the CPU needs attention. */
static __attribute__((noinline)) _Noreturn void resume_waiter_slowly(struct cpu *cpu, struct ec *ec)
{
        if (unlikely(!switch_needs_base(cpu, ec)))
                resume_generally(cpu, ec);
        resume_switch_with_base(cpu, ec);
        leave_by_hypercall(ec->wait_status, ec);
}

_Noreturn void resume_ec(struct cpu *cpu, struct ec *ec)
{
        assert(ec->cpu == cpu && cpu == cpu_self() && ec->state == EC_READY);
        if (unlikely(ec->cont != resume_woken))
                resume_generally(cpu, ec);
        if (unlikely(!switch_is_plain(cpu, ec)))
                resume_waiter_slowly(cpu, ec);
        resume_waiter(cpu, ec);
}

static bool resume_has_pending_work(const struct ec *self)
{
        return self->cpu->pending | self->pending;
}

/* Does the work that is pending for self. Then self can return to user mode. self has an interrupt
 * frame. */
static void resume_do_work(struct ec *self)
{
        if (do_pending_work(self, resume_interrupted))
                block_on_event(self, NOVA_EXC_RECALL, 0, 0);
        if (atomic_load_u16(&self->pending) & EC_PENDING_STEP) {
                atomic_and_u16(&self->pending, (uint16_t)~EC_PENDING_STEP);
                self->regs.flags |= FLAG_TF;
                block_on_event(self, NOVA_EXC_DB, 0, 0);
        }
}

static always_inline _Noreturn void resume_by_iret(struct ec *self)
{
        assert_no_lock();
        if (unlikely(!thread_can_return(&self->regs)))
                block_on_event(self, NOVA_EXC_GP, 0, 0);
        leave_by_iret(self);
}

indirect_target _Noreturn void resume_interrupted(struct ec *self)
{
        if (unlikely(resume_has_pending_work(self)))
                resume_do_work(self);
        resume_by_iret(self);
}

/* Returns from a hypercall through an interrupt frame. */
static __attribute__((noinline)) _Noreturn void resume_slowly(struct ec *self)
{
        thread_frame_from_hypercall(self);
        resume_do_work(self);
        resume_by_iret(self);
}

/* Makes a decision if one is pending; otherwise returns through an interrupt frame. A thread that
 * is preempted here later continues like a thread that had to wait, in resume_woken(). */
static __attribute__((noinline)) _Noreturn void resume_pending(struct ec *self,
                                                               enum nova_status status)
{
        if (self->cpu->pending & CPU_PENDING_RESCHEDULE) {
                self->wait_status = (uint8_t)status;
                self->cont = resume_woken;
                resume_reschedule(self->cpu);
        }
        REG_P1(self) = status;
        resume_slowly(self);
}

_Noreturn void resume_hypercall(struct ec *self, enum nova_status status)
{
        assert_no_lock();
        if (unlikely(resume_has_pending_work(self)))
                resume_pending(self, status);
        leave_by_hypercall(status, self);
}

indirect_target _Noreturn void resume_success(struct ec *self)
{
        resume_hypercall(self, NOVA_SUCCESS);
}

indirect_target _Noreturn void resume_aborted(struct ec *self)
{
        resume_hypercall(self, NOVA_COM_ABT);
}

indirect_target _Noreturn void resume_woken(struct ec *self)
{
        resume_hypercall(self, self->wait_status);
}

/* Enters the portal to which the registers are set. If the EC was recalled, its RECALL event leads
 * to another portal, whose EC may also have been recalled, and so on. Therefore interrupts are let
 * in before each of these portals. */
static indirect_target _Noreturn void resume_prepared_portal(struct ec *self)
{
        if (unlikely(resume_has_pending_work(self) || !thread_ip_is_user(self->regs.ip))) {
                interrupt_window(self->cpu);
                resume_slowly(self);
        }
        leave_by_hypercall(REG_P1(self), self);
}

void prepare_portal(struct ec *callee, const struct pt *pt)
{
        REG_P1(callee) = pt->id;
        thread_enter_portal(callee, pt->ip);
        callee->cont = resume_prepared_portal;
}

_Noreturn void resume_caller_with_base(struct cpu *cpu, struct ec *caller)
{
        resume_switch_with_base(cpu, caller);
        leave_with_success(caller);
}

/* The general case continues on an empty stack, because a recall may lead to another portal. */
_Noreturn void resume_portal_slowly(struct ec *callee, const struct pt *pt)
{
        if (likely(switch_needs_base(callee->cpu, callee))) {
                resume_switch_with_base(callee->cpu, callee);
                thread_leave_to_portal(callee, callee, pt);
        }
        prepare_portal(callee, pt);
        resume_generally(callee->cpu, callee);
}
