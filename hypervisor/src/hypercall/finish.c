/* SPDX-License-Identifier: BSD-2-Clause */
/* The results of hypercalls, and the retry of a hypercall that ran out of memory (see finish.h). */
#include "hypercall/finish.h"

#include "arch/x86/resume.h"
#include "hypercall/dispatch.h"
#include "object/ec.h"
#include "object/reap.h"
#include "object/reclaim.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "thread.h"

/* Maximum number of attempts at a hypercall. An attempt fails only if other threads have taken the
 * freed memory. */
#define RETRY_MAX 64

static hypercall_result_t hypercall_retry(struct ec *self)
{
        return hypercall_handle(REG_P1(self), self);
}

/* Finishes a hypercall after its retry. Before self continues, ends the objects that are dying now.
 * One of them may be a new object for whose capability there was no memory. */
static _Noreturn void finish_hypercall_retry(struct ec *self, hypercall_result_t result)
{
        if (result > RESULT_STATUS)
                hypercall_finish(self, result);
        self->reap_floor = 0;
        self->wait_status = (uint8_t)result;
        resume_after_reap(self);
}

/* Ends all dying objects, waits for the grace period that returns their memory, and tries again.
 * Another thread may take the memory that returns to the account. So self waits and tries again as
 * long as more memory is due to return. */
static indirect_target _Noreturn void finish_hypercall_retry_after_grace(struct ec *self)
{
        for (;;) {
                while (self->cpu->dying) {
                        object_reap();
                        preemption_point(self, finish_hypercall_retry_after_grace);
                }
                while (reclaim_wait_step(self) == RECLAIM_WAITS)
                        preemption_point(self, finish_hypercall_retry_after_grace);
                leave_if_ended(self);

                account_grace_helps[self->cpu->id] = false;
                const hypercall_result_t result = hypercall_retry(self);
                if (result != NOVA_OUT_OF_MEMORY || !account_grace_helps[self->cpu->id] ||
                    !self->grace_tries--)
                        finish_hypercall_retry(self, result);
                preemption_point(self, finish_hypercall_retry_after_grace);
        }
}

static _Noreturn void resume_hypercall_after_grace(struct ec *self)
{
        if (!reclaim_would_help(self->cpu))
                finish_hypercall_retry(self, NOVA_OUT_OF_MEMORY);
        self->grace_waits = false;
        self->grace_tries = RETRY_MAX;
        finish_hypercall_retry_after_grace(self);
}

/* Ends all dying objects, also those of other threads' hypercalls, and tries again. */
static indirect_target _Noreturn void finish_hypercall_retry_after_reap(struct ec *self)
{
        while (self->cpu->dying) {
                object_reap();
                preemption_point(self, finish_hypercall_retry_after_reap);
        }
        leave_if_ended(self);

        const hypercall_result_t result = hypercall_retry(self);
        if (result != NOVA_OUT_OF_MEMORY)
                finish_hypercall_retry(self, result);
        resume_hypercall_after_grace(self);
}

static _Noreturn void resume_hypercall_after_retry(struct ec *self)
{
        if (self->cpu->dying)
                finish_hypercall_retry_after_reap(self);
        resume_hypercall_after_grace(self);
}

/* A function of its own, so that hypercall_finish() saves no registers. */
static __attribute__((noinline)) _Noreturn void hypercall_continue(struct ec *self)
{
        preemption_point(self, self->cont);
        self->cont(self);
}

_Noreturn void hypercall_finish(struct ec *self, hypercall_result_t result)
{
        if (likely(result & RESULT_BLOCK))
                block_current(self);
        if (likely(result & RESULT_RESCHEDULE)) {
                self->wait_status = NOVA_SUCCESS;
                self->cont = resume_woken;
                resume_reschedule(self->cpu);
        }
        if (result & RESULT_CONTINUE)
                hypercall_continue(self);
        if (unlikely((result & RESULT_STATUS) == NOVA_OUT_OF_MEMORY))
                resume_hypercall_after_retry(self);
        resume_hypercall(self, result & RESULT_STATUS);
}

_Noreturn void hypercall_long(word_t id, struct ec *self)
{
        hypercall_finish(self, hypercall_handle(id, self));
}
