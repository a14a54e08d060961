/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that is due before an EC goes on, be it a thread or a virtual CPU. */
#ifndef SCHED_PENDING_H
#define SCHED_PENDING_H

#include "lib/atomic.h"
#include "object/ec.h"
#include "object/reclaim.h"
#include "sched/cpu.h"
#include "sched/schedule.h"

/** Does the work that is due before self can go on: a decision, from which it goes on with cont, a
 *  grace period, ends of SCs.
 *  @return whether self was recalled; the event is the caller's to deliver */
static always_inline bool do_pending_work(struct ec *self, continuation_t cont)
{
        struct cpu *cpu = self->cpu;

        if (cpu->pending & CPU_PENDING_RESCHEDULE) {
                self->cont = cont;
                resume_reschedule(cpu);
        }
        if (cpu->pending & CPU_PENDING_GRACE) {
                cpu->pending &= (uint8_t)~CPU_PENDING_GRACE;
                reclaim_quiescent(cpu);
        }
        if (self->pending & EC_PENDING_END)
                ec_end_due(self, cont);
        if (!(atomic_load_u16(&self->pending) & EC_PENDING_RECALL))
                return false;
        atomic_and_u16(&self->pending, (uint16_t)~EC_PENDING_RECALL);
        return true;
}

#endif
