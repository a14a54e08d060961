/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch from one EC to another in a call or a reply: only the registers and the address space
 * are switched, unless one of the ECs needs attention. */
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

/* Last instructions, in entry.S. leave_to_portal() is in thread.h; resume.c has the other exits. */
_Noreturn void leave_by_hypercall(word_t status, struct ec *ec);
_Noreturn void leave_with_success(struct ec *ec); /* leaves by a hypercall with SUCCESS */
_Noreturn void leave_by_iret(struct ec *ec);

/** Loads the address space of a PD and its selectors of data segments, which all threads of the PD
 * share. A thread's storage base is loaded later. */
static always_inline void switch_pd(struct cpu *cpu, struct pd *pd)
{
        if (pd == cpu->current_pd)
                return;
        store_once(cpu->current_pd, pd);
        write_cr3_of_pd(pcid_cr3(cpu, pd));
        thread_reset_selectors(cpu);
}

/** Returns true if switch_thread() is the only work needed before an EC can continue. */
static always_inline bool switch_is_plain(const struct cpu *cpu, const struct ec *ec)
{
        return cpu_attention(cpu) == ec_attention(ec);
}

_Static_assert(offsetof(struct cpu, number) - offsetof(struct cpu, attention) ==
                       offsetof(struct ec, place) - offsetof(struct ec, attention),
               "switch_is_plain() compares number with place");

/* Place of SPECIAL_TLS of a CPU and of an EC in the values that switch_is_plain() compares. */
#define ATTENTION_OF_BASE                                                 \
        ((uint32_t)SPECIAL_TLS << 8 * (offsetof(struct cpu, special) -    \
                                       offsetof(struct cpu, attention)) | \
         (uint32_t)SPECIAL_TLS << 8 * (offsetof(struct ec, special) -     \
                                       offsetof(struct ec, attention)))

/** Returns true if switch_thread() and the load of a storage base are the only work needed before
 * an EC can continue. switch_is_plain() has returned false. Most threads of the runtime have a
 * base. */
static always_inline bool switch_needs_base(const struct cpu *cpu, const struct ec *ec)
{
        return !((cpu_attention(cpu) ^ ec_attention(ec)) & ~ATTENTION_OF_BASE);
}

/** Gives the CPU to a thread. */
static always_inline void switch_thread(struct cpu *cpu, struct ec *ec)
{
        assert_no_lock();
        assert(ec->cpu == cpu && ec->state == EC_READY && !ec->wait_sm);
        cpu->current = ec;
        switch_pd(cpu, ec->pd);
        tss_set_stack(cpu->arch.tss, (word_t)(&ec->regs + 1)); /* the CPU pushes its frame there */
}

/** Enters a portal whose EC or CPU needs attention, or whose entry point is not a user address. */
_Noreturn void resume_portal_slowly(struct ec *callee, const struct pt *pt);

/** Enters a portal of callee, on its CPU, for self, which waits for the reply. switch_is_plain()
 * has returned true. */
static always_inline _Noreturn void enter_portal(struct cpu *cpu, struct ec *self,
                                                 struct ec *callee, const struct pt *pt)
{
        switch_thread(cpu, callee);
        thread_leave_to_portal(self, callee, pt);
}

/** Continues an EC after its call, with SUCCESS. switch_is_plain() has returned true. */
static always_inline _Noreturn void resume_caller(struct cpu *cpu, struct ec *caller)
{
        switch_thread(cpu, caller);
        leave_with_success(caller);
}

/** Continues an EC after its call, with SUCCESS. switch_needs_base() has returned true. */
_Noreturn void resume_caller_with_base(struct cpu *cpu, struct ec *caller);

/** Continues an EC after a hypercall that waited. switch_is_plain() has returned true. */
static always_inline _Noreturn void resume_waiter(struct cpu *cpu, struct ec *ec)
{
        switch_thread(cpu, ec);
        leave_by_hypercall(ec->wait_status, ec);
}

/** Continues an EC where an event interrupted it. switch_is_plain() has returned true. */
static always_inline _Noreturn void resume_thread(struct cpu *cpu, struct ec *ec)
{
        switch_thread(cpu, ec);
        if (unlikely(!thread_can_return(&ec->regs)))
                resume_interrupted(ec);
        leave_by_iret(ec);
}

#endif
