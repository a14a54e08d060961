/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the objects that a hypercall has dropped (see reap.h). */
#include "object/reap.h"

#include "arch/x86/resume.h"
#include "sched/schedule.h"

/* Returns true if self has to end an object, or has to wait because too much memory is waiting to
 * be freed. */
static bool reap_goes_on(const struct ec *self)
{
        return reap_is_due(self) || reclaim_is_full();
}

static _Noreturn void finish_reap(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        reap_begin(self);
        if (cpu->dying_orphans) {
                cpu->dying_orphans = false;
                self->reap_floor = 0;
        }
        while (reap_goes_on(self)) {
                self->grace_waits = false; /* so that the next wait starts a new period */
                if (reclaim_is_full())
                        reclaim_wait_step(self);
                else
                        object_reap();
                if (reap_goes_on(self))
                        preemption_point(self, finish_reap);
        }
        self->reap_floor = EC_REAPS_NOTHING;
        resume_hypercall(self, self->wait_status);
}

/* Ends the other objects, after reap() has ended the first one. */
static _Noreturn void finish_reap_of_rest(struct ec *self)
{
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
