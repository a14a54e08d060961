/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the objects whose last references a hypercall has dropped (see reap.h). */
#include "object/reap.h"

#include "arch/x86/resume.h"
#include "sched/schedule.h"

indirect_target _Noreturn void resume_after_reap(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        if (unlikely(self->state != EC_READY)) { /* self ended during the hypercall's last flush */
                cpu->dying_orphans = true;
                resume_reschedule(cpu);
        }
        reap_begin(self);
        if (cpu->dying_orphans) {
                cpu->dying_orphans = false;
                self->reap_floor = 0;
        }
        for (;;) {
                self->grace_waits = false; /* so that the next wait starts a new period */
                if (reclaim_is_full(cpu))
                        reclaim_wait_step(self);
                else if (cpu->dying_count > self->reap_floor)
                        object_reap();
                else
                        break;
                preemption_point(self, resume_after_reap);
        }
        self->reap_floor = EC_REAPS_NOTHING;
        resume_hypercall(self, self->wait_status);
}
