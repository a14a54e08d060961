/* SPDX-License-Identifier: BSD-2-Clause */
/* Pending work that a CPU must do before its current EC, a thread or virtual CPU, continues. */
#ifndef SCHED_PENDING_H
#define SCHED_PENDING_H

#include "lib/atomic.h"
#include "object/ec.h"
#include "object/reclaim.h"
#include "sched/cpu.h"
#include "sched/schedule.h"

/** Reports that the CPU is quiescent, if a grace period began while the CPU held borrowed pointers.
 * The CPU holds none now. */
static always_inline void answer_grace(struct cpu *cpu)
{
        if (unlikely(cpu->pending & CPU_PENDING_GRACE)) {
                cpu->pending &= (uint8_t)~CPU_PENDING_GRACE;
                reclaim_quiescent(cpu);
        }
}

/** Does the work that is pending for self and its CPU: a scheduling decision, the report that the
 *  CPU is quiescent, and the ends of SCs that were left to self. If self loses the CPU, it later
 *  continues with cont.
 *  @return true if self was recalled: the caller then delivers the RECALL event */
static always_inline bool do_pending_work(struct ec *self, continuation_t cont)
{
        struct cpu *cpu = self->cpu;

        if (!(cpu->pending & CPU_PENDING_RESCHEDULE))
                answer_grace(cpu); /* frees objects, and mail may end self meanwhile */
        if (cpu->pending & CPU_PENDING_RESCHEDULE) {
                self->cont = cont;
                resume_reschedule(cpu);
        }
        if (self->pending & EC_PENDING_END)
                ec_end_due(self, cont);
        if (!(atomic_load_u16(&self->pending) & EC_PENDING_RECALL))
                return false;
        atomic_and_u16(&self->pending, (uint16_t)~EC_PENDING_RECALL);
        return true;
}

#endif
