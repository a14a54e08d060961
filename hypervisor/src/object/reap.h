/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls that drop references end the objects that die of it, in preemptible steps. */
#ifndef OBJECT_REAP_H
#define OBJECT_REAP_H

#include "object/ec.h"
#include "object/reclaim.h"
#include "object/result.h"
#include "sched/cpu.h"

/** Notes which objects are dying already: to end those is the task of other threads. Called before
 *  the first object is dropped, and again each time that self continues after a preemption: other
 *  threads may have ended some of the objects below the floor since. */
static always_inline void reap_begin(struct ec *self)
{
        if (self->cpu->dying_count < self->reap_floor)
                self->reap_floor = self->cpu->dying_count;
}

/** Whether objects are dying since reap_begin(). */
static always_inline bool reap_is_due(const struct ec *self)
{
        return self->cpu->dying_count > self->reap_floor;
}

/** Ends in steps the objects that reap() has left. */
hypercall_result_t reap_rest(struct ec *self, enum nova_status status);

/** Ends the objects that are dying since reap_begin(): the first one at once, others in steps. The
 *  last act of a handler, which returns the result. */
static always_inline hypercall_result_t reap(struct ec *self, enum nova_status status)
{
        if (likely(reap_is_due(self)))
                object_reap();
        if (unlikely(reap_is_due(self) || reclaim_is_full()))
                return reap_rest(self, status);
        self->reap_floor = EC_REAPS_NOTHING;
        return result_of(self, status);
}

/** Does the same for a continuation, then returns status to self. */
_Noreturn void resume_after_reap(struct ec *self, enum nova_status status);

#endif
