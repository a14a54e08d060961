/* SPDX-License-Identifier: BSD-2-Clause */
/* Communication: call and reply. @spec 5.2 */
#include "arch/x86/resume.h"
#include "hypercall/dispatch.h"
#include "ipc/call.h"
#include "ipc/item.h"
#include "ipc/message.h"
#include "ipc/reply.h"
#include "object/pd.h"
#include "object/pt.h"
#include "sched/schedule.h"
#include "thread.h"

/* A callee that was busy may be free now; the portal may be gone. */
static _Noreturn void finish_call_retry(struct ec *self)
{
        ec_stop_helping(self);
        resume_hypercall(self, hypercall_call(self));
}

/* Typed items, perhaps in several steps. The callee is taken and waits for this EC meanwhile. */
static _Noreturn void finish_call_items(struct ec *self)
{
        item_transfer(self, finish_call_items);

        struct pt *pt = self->calling;
        self->calling = NULL;
        object_put(&pt->object); /* its memory stays until this CPU leaves the kernel */
        if (self->transfer.aborted)
                resume_hypercall(self, NOVA_COM_ABT);
        block_on_reply(self, pt, CALLER_CALL, !(nova_id_flags(REG_P1(self)) & NOVA_CALL_DD));
}

enum nova_status hypercall_call(struct ec *self)
{
        const word_t id = REG_P1(self);
        const unsigned flags = nova_id_flags(id);
        struct pt *pt = object_space_find_pt(self->pd, nova_id_sel(id), 0);

        if (unlikely(!pt))
                return NOVA_BAD_CAP;

        struct ec *callee = pt->ec;
        if (unlikely(callee->cpu != self->cpu))
                return NOVA_BAD_CPU;
        if (unlikely(callee->state != EC_REQUEST)) {
                if (flags & NOVA_CALL_DB || callee->state == EC_DEAD)
                        return NOVA_COM_TIM;
                block_on_callee(self, callee, finish_call_retry);
                return flags & NOVA_CALL_DL ? NOVA_DEADLOCK : NOVA_COM_TIM;
        }

        const unsigned items = message_copy(self, callee);
        if (unlikely(items)) {
                if (!object_get_live(&pt->object))
                        return NOVA_BAD_CAP;
                callee->caller = self;
                callee->caller_kind = CALLER_CALL;
                callee->callee = self;
                callee->state = EC_REPLY;
                self->calling = pt;
                item_transfer_begin(self, callee, items);
                finish_call_items(self);
        }
        block_on_reply(self, pt, CALLER_CALL, !(flags & NOVA_CALL_DD));
}

enum nova_status hypercall_reply(struct ec *self)
{
        block_on_request(self);
}
