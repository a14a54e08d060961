/* SPDX-License-Identifier: BSD-2-Clause */
/* The retry of hypercalls that lacked memory (see retry.h). */
#include "hypercall/retry.h"

#include "hypercall/dispatch.h"
#include "object/ec.h"
#include "object/reap.h"
#include "object/reclaim.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "thread.h"

/* Tries of a hypercall. A try fails only because other threads took the freed memory. */
#define RETRY_MAX 64

static hypercall_result_t retry(struct ec *self)
{
        return hypercall_handle(REG_P1(self), self);
}

/* Finishes a hypercall after its retry. Ends objects that are dying now, such as an object for
 * whose capability there was no memory, before self continues. */
static _Noreturn void finish_retry(struct ec *self, hypercall_result_t result)
{
        if (result > RESULT_STATUS)
                hypercall_finish(self, result);
        self->reap_floor = 0;
        resume_after_reap(self, (enum nova_status)result);
}

/* Ends all dying objects, waits for a grace period, which returns their memory, and tries again.
 * Another thread may have taken the account's freed memory: self waits as long as
 * more memory of that account waits. */
static _Noreturn void finish_retry_after_grace(struct ec *self)
{
        for (;;) {
                while (self->cpu->dying) {
                        object_reap();
                        preemption_point(self, finish_retry_after_grace);
                }
                while (reclaim_wait_step(self) == RECLAIM_WAITS)
                        preemption_point(self, finish_retry_after_grace);
                leave_if_ended(self);

                account_grace_helps[self->cpu->id] = false;
                const hypercall_result_t result = retry(self);
                if (result != NOVA_OUT_OF_MEMORY || !account_grace_helps[self->cpu->id] ||
                    !self->grace_tries--)
                        finish_retry(self, result);
                preemption_point(self, finish_retry_after_grace);
        }
}

static _Noreturn void retry_after_grace(struct ec *self)
{
        if (!reclaim_would_help(self->cpu))
                finish_retry(self, NOVA_OUT_OF_MEMORY);
        self->grace_waits = false;
        self->grace_tries = RETRY_MAX;
        finish_retry_after_grace(self);
}

/* Ends all dying objects, also those of other threads' hypercalls, and tries again. */
static _Noreturn void finish_retry_after_reap(struct ec *self)
{
        while (self->cpu->dying) {
                object_reap();
                preemption_point(self, finish_retry_after_reap);
        }
        leave_if_ended(self);

        const hypercall_result_t result = retry(self);
        if (result != NOVA_OUT_OF_MEMORY)
                finish_retry(self, result);
        retry_after_grace(self);
}

_Noreturn void resume_after_retry(struct ec *self)
{
        if (self->cpu->dying)
                finish_retry_after_reap(self);
        retry_after_grace(self);
}
