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

/* The message is out. */
static always_inline _Noreturn void finish_call(struct ec *self, struct pt *pt)
{
        if (nova_id_flags(REG_P1(self)) & NOVA_CALL_DD)
                block_on_reply_alone(self, pt);
        block_on_reply(self->cpu, self, pt->ec, pt, CALLER_CALL);
}

/* Typed items, perhaps in several steps. The callee is taken and waits for this EC meanwhile. */
static _Noreturn void finish_call_items(struct ec *self)
{
        item_transfer(self, finish_call_items);

        struct pt *pt = self->calling;
        self->calling = NULL;
        pt->ec->callee = NULL;
        object_put(&pt->object); /* its memory stays until this CPU leaves the kernel */
        if (self->transfer.aborted)
                resume_hypercall(self, NOVA_COM_ABT);
        finish_call(self, pt);
}

/* Items that may take several steps: the callee is taken meanwhile. */
static __attribute__((noinline)) _Noreturn void begin_call_items(struct ec *self, struct pt *pt,
                                                                 unsigned items)
{
        struct ec *callee = pt->ec;

        if (!object_get_live(&pt->object))
                resume_hypercall(self, NOVA_BAD_CAP);
        callee->caller = self;
        callee->callee = self;
        ec_set_state(callee, EC_REPLY, CALLER_CALL);
        self->calling = pt;
        item_transfer_begin(self, callee, false, items);
        finish_call_items(self);
}

/* The message has typed items. */
static __attribute__((noinline)) _Noreturn void finish_call_typed(struct ec *self, struct pt *pt,
                                                                  unsigned items)
{
        const bool done = items == pt->ec->items_at_once && item_at_once(self, pt->ec);

        if (unlikely(pt->ec->state != EC_REQUEST)) /* it ended while TLBs were flushed */
                resume_hypercall(self, NOVA_COM_ABT);
        if (!done)
                begin_call_items(self, pt, items);
        finish_call(self, pt);
}

/* The message is not empty, the call donates nothing, or more than the callee's registers and
 * address space has to be switched. */
static __attribute__((noinline)) _Noreturn void finish_call_message(struct ec *self, struct pt *pt)
{
        const unsigned items = message_copy(self, pt->ec);

        if (unlikely(items))
                finish_call_typed(self, pt, items);
        finish_call(self, pt);
}

/* The callee is not waiting for a call. */
static __attribute__((noinline)) _Noreturn void finish_call_busy(struct ec *self, struct ec *callee,
                                                                 word_t id)
{
        const unsigned flags = nova_id_flags(id);

        if (flags & NOVA_CALL_DB || callee->state == EC_DEAD)
                resume_hypercall(self, NOVA_COM_TIM);
        block_on_callee(self, callee, finish_call_retry);
        resume_hypercall(self, flags & NOVA_CALL_DL ? NOVA_DEADLOCK : NOVA_COM_TIM);
}

static always_inline enum nova_status call(struct ec *self, word_t id, bool donate)
{
        struct pt *pt = object_space_find_pt(self->pd, nova_id_sel(id), 0);

        if (unlikely(!pt))
                return NOVA_BAD_CAP;

        struct ec *callee = pt->ec;
        struct cpu *cpu = self->cpu;
        if (unlikely(callee->cpu != cpu))
                return NOVA_BAD_CPU;
        if (unlikely(callee->state != EC_REQUEST))
                finish_call_busy(self, callee, id);
        if (!donate || load_once(self->utcb->items) | portal_attention(cpu, callee, pt))
                finish_call_message(self, pt);
        callee->utcb->items = 0;
        link_to_caller(callee, self, CALLER_CALL);
        enter_portal(cpu, callee, pt);
}

enum nova_status call_donating(struct ec *self, word_t id)
{
        return call(self, id, true);
}

enum nova_status hypercall_call(struct ec *self)
{
        const word_t id = REG_P1(self);

        return call(self, id, !(nova_id_flags(id) & NOVA_CALL_DD));
}

enum nova_status hypercall_reply(struct ec *self)
{
        block_on_request(self);
}
