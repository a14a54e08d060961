/* SPDX-License-Identifier: BSD-2-Clause */
/* The reply register (see reply.h). It changes on the EC's own CPU only. */
#include "ipc/reply.h"

#include "arch/x86/cpu.h"
#include "arch/x86/resume.h"
#include "arch/x86/state.h"
#include "ipc/item.h"
#include "ipc/message.h"
#include "object/sc.h"
#include "sched/schedule.h"
#include "virt/vcpu.h"

/* The message is out: the caller goes on, self waits. */
static _Noreturn void finish_reply(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct ec *caller = self->caller;

        ec_return_sc(self, caller);
        self->caller = NULL;
        if (caller) {
                caller->callee = NULL;
                caller->state = EC_READY;
                if (!list_is_empty(&caller->sleepers))
                        ec_wake_sleepers(caller);
        }
        if (unlikely(self->kind != EC_LOCAL)) {
                self->state = EC_BLOCKED; /* nobody can call it: for ever */
                if (cpu->current_sc->ec == self)
                        block_current(self);
                resume_reschedule(cpu);
        }
        self->state = EC_REQUEST;
        if (unlikely(cpu->current_sc->ec == self))
                block_current(self);
        resume_bound(cpu);
}

static _Noreturn void finish_reply_items(struct ec *self)
{
        if (self->caller)
                item_transfer(self, finish_reply_items);
        self->transfer.to = NULL;
        finish_reply(self);
}

_Noreturn void block_on_request(struct ec *self)
{
        struct ec *caller = self->caller;
        unsigned items = 0;

        if (likely(caller && self->caller_kind == CALLER_CALL)) {
                items = message_copy(self, caller);
                caller->cont = resume_success;
        } else if (caller && unlikely(caller->vcpu)) {
                items = vcpu_from_utcb(caller, self->utcb);
                caller->cont = resume_guest;
        } else if (caller) {
                items = state_from_utcb(caller, self->utcb);
                caller->cont = resume_interrupted;
        }
        if (unlikely(items)) {
                item_transfer_begin(self, caller, items);
                finish_reply_items(self);
        }
        finish_reply(self);
}
