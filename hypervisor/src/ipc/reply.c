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
#include "sched/wake.h"

static void wake_sleepers(struct ec *ec)
{
        while (!list_is_empty(&ec->sleepers))
                sched_wake_sc(container_of(ec->sleepers.next, struct sc, link));
}

/* Gives the donated SC back to the caller, or to its owner if the caller has ended. */
static void return_sc(struct ec *self, struct ec *caller)
{
        struct sc *sc = self->donated;

        self->donated = NULL;
        if (sc)
                sc->ec = caller ? caller : sc->owner;
}

/* The message is out: the caller goes on, self waits. */
static _Noreturn void finish_reply(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct ec *caller = self->caller;

        return_sc(self, caller);
        self->caller = NULL;
        if (caller) {
                caller->callee = NULL;
                caller->state = EC_READY;
                if (!list_is_empty(&caller->sleepers))
                        wake_sleepers(caller);
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

struct ec *reply_abort(struct ec *ec)
{
        struct ec *caller = ec->caller;

        return_sc(ec, caller);
        ec->caller = NULL;
        if (!caller)
                return NULL;
        if (caller->transfer.to == ec) {
                caller->transfer.aborted = true;
                return NULL;
        }
        caller->callee = NULL;
        if (ec->caller_kind == CALLER_EVENT)
                return caller;
        caller->state = EC_READY;
        caller->cont = resume_aborted;
        wake_sleepers(caller);
        return NULL;
}

void reply_forget(struct ec *callee)
{
        callee->caller = NULL;
        callee->callee = NULL;
        callee->state = EC_REQUEST;
}
