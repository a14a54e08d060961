/* SPDX-License-Identifier: BSD-2-Clause */
/* How a hypercall ends, in preemptible steps, the objects whose last references it dropped. */
#ifndef OBJECT_REAP_H
#define OBJECT_REAP_H

#include "object/ec.h"
#include "object/reclaim.h"
#include "object/result.h"
#include "sched/cpu.h"

/** Records the number of objects that are already dying; other threads end those objects. Call
 * before the first drop, and again each time self continues after a preemption, because the number
 * may have fallen meanwhile. */
static always_inline void reap_begin(struct ec *self)
{
        if (self->cpu->dying_count < self->reap_floor)
                self->reap_floor = self->cpu->dying_count;
}

/** Ends the objects that have begun to die since reap_begin(), in steps. Also waits while too much
 * memory waits to be freed. Then self continues with status wait_status (a continuation). */
_Noreturn void resume_after_reap(struct ec *self);

/** Ends the objects that have begun to die since reap_begin(): the first object at once, others in
 * steps. A handler calls this last and returns the result. */
static always_inline hypercall_result_t reap(struct ec *self, enum nova_status status)
{
        if (likely(self->cpu->dying_count > self->reap_floor))
                object_reap();
        if (unlikely(self->cpu->dying_count > self->reap_floor || reclaim_is_full(self->cpu))) {
                self->wait_status = (uint8_t)status;
                self->cont = resume_after_reap;
                return RESULT_CONTINUE;
        }
        self->reap_floor = EC_REAPS_NOTHING;
        return result_of(self, status);
}

#endif
