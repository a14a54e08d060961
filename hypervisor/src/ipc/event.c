/* SPDX-License-Identifier: BSD-2-Clause */
/* Events (see event.h). */
#include "ipc/event.h"

#include "arch/x86/state.h"
#include "ipc/call.h"
#include "nova/abi/event.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/report.h"
#include "sched/schedule.h"
#include "virt/vcpu.h"

/* Shuts down self, because no portal handles its event. */
static __attribute__((noinline)) _Noreturn void event_shut_down(struct ec *self)
{
        report_shut_down(self, REPORT_NO_PORTAL);
        block_shut_down(self);
}

/* Sends the event again. The portal's EC may be free now, and the portal may be gone. */
static indirect_target _Noreturn void finish_event_retry(struct ec *self)
{
        ec_stop_helping(self);
        block_on_event(self, self->event_number, self->event_qual[0], self->event_qual[1]);
}

/* Finishes an event whose handler does not wait for a request. */
static __attribute__((noinline)) _Noreturn void finish_event_busy(struct ec *self,
                                                                  struct ec *handler)
{
        if (handler->state != EC_DEAD)
                block_on_callee(self, handler, finish_event_retry);
        event_shut_down(self);
}

static __attribute__((noinline)) _Noreturn void finish_event_vcpu(struct ec *self, struct pt *pt)
{
        vcpu_to_utcb(self, pt->ec->utcb, pt->mtd);
        block_on_reply(self->cpu, self, pt->ec, pt, CALLER_EVENT);
}

_Noreturn void block_on_event(struct ec *self, word_t number, word_t error, word_t address)
{
        self->event_number = number;
        self->event_qual[0] = error;
        self->event_qual[1] = address;

        struct pt *pt = object_space_find_pt(self->pd, self->event_base + number, 0);
        struct cpu *cpu = self->cpu;
        if (unlikely(!pt || pt->ec->cpu != cpu))
                event_shut_down(self);

        struct ec *handler = pt->ec;
        if (unlikely(handler->state != EC_REQUEST))
                finish_event_busy(self, handler);
        if (unlikely(self->vcpu))
                finish_event_vcpu(self, pt);
        state_to_utcb(self, handler->utcb, pt->mtd);
        block_on_reply(cpu, self, handler, pt, CALLER_EVENT);
}

indirect_target _Noreturn void block_on_startup(struct ec *self)
{
        block_on_event(self, NOVA_EXC_STARTUP, 0, 0);
}
