/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the objects that a hypercall has dropped (see reap.h). */
#include "object/reap.h"

#include "arch/x86/resume.h"
#include "sched/schedule.h"

static _Noreturn void finish_reap(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        reap_begin(self);
        if (cpu->dying_orphans) {
                cpu->dying_orphans = false;
                self->reap_floor = 0;
        }
        while (reap_is_due(self)) {
                object_reap();
                if (reclaim_is_full())
                        reclaim_wait();
                if (reap_is_due(self))
                        preemption_point(self, finish_reap);
        }
        self->reap_floor = EC_REAPS_NOTHING;
        resume_hypercall(self, (enum nova_status)self->wait_status);
}

/* Ends the other objects, after reap() has ended the first one. */
static _Noreturn void finish_reap_of_rest(struct ec *self)
{
        if (reclaim_is_full())
                reclaim_wait();
        preemption_point(self, finish_reap);
        finish_reap(self);
}

hypercall_result_t reap_rest(struct ec *self, enum nova_status status)
{
        self->wait_status = (uint8_t)status;
        self->cont = finish_reap_of_rest;
        return RESULT_CONTINUE;
}

_Noreturn void resume_after_reap(struct ec *self, enum nova_status status)
{
        self->wait_status = (uint8_t)status;
        finish_reap(self);
}
