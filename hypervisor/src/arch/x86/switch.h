/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch from one EC to another in a call or a reply: no more than registers and address space,
 * unless one of them needs attention. */
#ifndef ARCH_X86_SWITCH_H
#define ARCH_X86_SWITCH_H

#include "arch/x86/insn.h"
#include "arch/x86/resume.h"
#include "lib/assert.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "pcid.h"
#include "sched/cpu.h"
#include "thread.h"
#include "tss.h"

/* entry.S: the last instructions; leave_to_portal() is in thread.h. Other ways are in resume.c. */
_Noreturn void leave_by_hypercall(word_t status, struct ec *ec);
_Noreturn void leave_with_success(struct ec *ec); /* the same with SUCCESS */
_Noreturn void leave_by_iret(struct ec *ec);

/** Loads the address space of a PD. The selectors of data segments go with it: they belong to the
 *  threads of one PD, and a thread's storage base is loaded later. */
static always_inline void switch_pd(struct cpu *cpu, struct pd *pd)
{
        if (pd == cpu->current_pd)
                return;
        store_once(cpu->current_pd, pd);
        write_cr3(pcid_cr3(cpu, pd));
        thread_reset_selectors(cpu);
}

/** Whether no more than switch_thread() is needed before an EC can go on. */
static always_inline bool switch_is_plain(const struct cpu *cpu, const struct ec *ec)
{
        return cpu_attention(cpu) == ec_attention(ec);
}

/** Gives the CPU to a thread. */
static always_inline void switch_thread(struct cpu *cpu, struct ec *ec)
{
        assert_no_lock();
        assert(ec->cpu == cpu && ec->state == EC_READY && !ec->wait_sm);
        cpu->current = ec;
        switch_pd(cpu, ec->pd);
        tss_set_stack(cpu->arch.tss, (word_t)(&ec->regs + 1)); /* where the CPU pushes its frame */
}

/** Enters a portal whose EC or CPU needs attention, or whose entry is none of the user's. */
_Noreturn void resume_portal_slowly(struct ec *callee, const struct pt *pt);

/** Enters a portal of callee, on its CPU, for self, which waits for the reply. switch_is_plain()
 * was asked. */
static always_inline _Noreturn void enter_portal(struct cpu *cpu, struct ec *self,
                                                 struct ec *callee, const struct pt *pt)
{
        switch_thread(cpu, callee);
        thread_leave_to_portal(self, callee, pt);
}

/** Goes on with an EC after its call, with SUCCESS. switch_is_plain() was asked. */
static always_inline _Noreturn void resume_caller(struct cpu *cpu, struct ec *caller)
{
        switch_thread(cpu, caller);
        leave_with_success(caller);
}

/** Goes on with an EC after a hypercall that waited. switch_is_plain() was asked. */
static always_inline _Noreturn void resume_waiter(struct cpu *cpu, struct ec *ec)
{
        switch_thread(cpu, ec);
        leave_by_hypercall(ec->wait_status, ec);
}

/** Goes on with an EC where an event interrupted it. switch_is_plain() was asked. */
static always_inline _Noreturn void resume_thread(struct cpu *cpu, struct ec *ec)
{
        switch_thread(cpu, ec);
        if (unlikely(!thread_can_return(&ec->regs)))
                resume_interrupted(ec);
        leave_by_iret(ec);
}

#endif
