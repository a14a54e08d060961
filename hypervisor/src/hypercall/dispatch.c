/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercall dispatch (see dispatch.h). */
#include "hypercall/dispatch.h"

#include "arch/x86/cpu.h"
#include "arch/x86/resume.h"
#include "object/reclaim.h"
#include "sched/schedule.h"
#include "thread.h"

static const hypercall_handler_t handlers[NOVA_HYPERCALL_COUNT] = {
#define HYPERCALL_ENTRY(number, name, function, spec) [number] = hypercall_##function,
        NOVA_HYPERCALL_ROWS(HYPERCALL_ENTRY)
#undef HYPERCALL_ENTRY
};

static _Noreturn void finish_reap(struct ec *self)
{
        while (object_reap()) {
                if (reclaim_is_full())
                        reclaim_wait();
                preemption_point(self, finish_reap);
        }
        if (reclaim_is_full())
                reclaim_wait();
        resume_hypercall(self, (enum nova_status)self->wait_status);
}

_Noreturn void finish_reaping(struct ec *self, enum nova_status status)
{
        self->wait_status = (uint8_t)status;
        finish_reap(self);
}

_Noreturn void hypercall_dispatch(struct ec *self)
{
        const hypercall_handler_t handler = handlers[nova_id_number(REG_P1(self))];
        enum nova_status status = NOVA_BAD_HYP;

        if (likely(handler))
                status = handler(self);
        /* Memory may only be waiting for a grace period: then the same call is made once more. */
        if (unlikely(status == NOVA_OUT_OF_MEMORY) && reclaim_wait())
                status = handler(self);
        resume_hypercall(self, status);
}
