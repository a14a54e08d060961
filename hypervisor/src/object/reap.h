/* SPDX-License-Identifier: BSD-2-Clause */
/* How a hypercall ends, in preemptible steps, the objects whose last references it dropped. */
#ifndef OBJECT_REAP_H
#define OBJECT_REAP_H

#include "object/ec.h"
#include "object/reclaim.h"
#include "object/result.h"
#include "sched/cpu.h"

/** Records the number of objects that are dying already; other threads end those. Call before the
 * first drop, and again each time self continues after a preemption, because other threads may have
 * ended some of those objects meanwhile. */
static always_inline void reap_begin(struct ec *self)
{
        if (self->cpu->dying_count < self->reap_floor)
                self->reap_floor = self->cpu->dying_count;
}

/** Returns true if objects have begun to die since reap_begin(). */
static always_inline bool reap_is_due(const struct ec *self)
{
        return self->cpu->dying_count > self->reap_floor;
}

/** Ends the objects that reap() has left, in steps. */
hypercall_result_t reap_rest(struct ec *self, enum nova_status status);

/** Ends the objects that have begun to die since reap_begin(): the first one at once, others in
 *  steps. A handler calls this last and returns the result. */
static always_inline hypercall_result_t reap(struct ec *self, enum nova_status status)
{
        if (likely(reap_is_due(self)))
                object_reap();
        if (unlikely(reap_is_due(self) || reclaim_is_full()))
                return reap_rest(self, status);
        self->reap_floor = EC_REAPS_NOTHING;
        return result_of(self, status);
}

/** Does reap() in a continuation: ends the objects in steps, then returns status to self. */
_Noreturn void resume_after_reap(struct ec *self, enum nova_status status);

#endif
