/* SPDX-License-Identifier: BSD-2-Clause */
/* The rendezvous (see call.h). */
#include "ipc/call.h"

#include "arch/x86/cpu.h"
#include "arch/x86/resume.h"
#include "object/pt.h"
#include "object/sc.h"
#include "sched/schedule.h"

_Noreturn void block_on_reply_alone(struct ec *self, const struct pt *pt)
{
        struct cpu *cpu = self->cpu;
        struct ec *callee = pt->ec;

        sched_bind_current(cpu);
        callee->caller = self;
        ec_set_state(callee, EC_READY, CALLER_ALONE);
        self->callee = callee;
        self->state = EC_REPLY_ALONE;
        prepare_portal(callee, pt);
        if (cpu->current_sc->ec == self)
                block_current(self);
        resume_reschedule(cpu);
}

void block_on_callee(struct ec *self, struct ec *callee, continuation_t retry)
{
        struct cpu *cpu = self->cpu;

        self->cont = retry;
        interrupt_window(cpu); /* whoever is helped may only go on to help */
        if (cpu->pending & CPU_PENDING_RESCHEDULE)
                resume_reschedule(cpu);

        struct ec *end = chain_end(callee, self);
        if (!end)
                return;
        leave_if_ended(self);
        /* The walk may have let interrupts in: is there still somebody to wait for? */
        if (callee->state == EC_REQUEST || callee->state == EC_DEAD || end->state == EC_DEAD)
                resume_ec(cpu, self);
        ec_help(self, callee);
        sched_bind_current(cpu);
        if (end->state == EC_READY)
                resume_ec(cpu, end);
        block_current_with(end);
}
