/* SPDX-License-Identifier: BSD-2-Clause */
/* The rendezvous (see call.h). Self is the second argument of a handler and of the functions that
 * the handler tail-calls, so that self stays in one register. */
#include "ipc/call.h"

#include "arch/x86/resume.h"
#include "ipc/item.h"
#include "ipc/message.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/sc.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "thread.h"

_Noreturn void block_on_reply_alone(struct ec *self, const struct pt *pt)
{
        struct cpu *cpu = self->cpu;
        struct ec *callee = pt->ec;

        sched_bind_current(cpu);
        callee->caller = self;
        ec_set_state(callee, EC_READY, CALLER_ALONE);
        self->callee = callee;
        self->state = EC_REPLY_ALONE;
        prepare_portal(callee, pt);
        if (cpu->current_sc->ec == self)
                block_current(self);
        resume_reschedule(cpu);
}

void block_on_callee(struct ec *self, struct ec *callee, continuation_t retry)
{
        struct cpu *cpu = self->cpu;

        self->cont = retry;
        /* The EC that self helps may itself help another EC from here, and so on. The window bounds
         * the time with interrupts off. */
        interrupt_window(cpu);
        if (cpu->pending & CPU_PENDING_RESCHEDULE)
                resume_reschedule(cpu);

        struct ec *end = chain_end(callee, self, cpu->current_sc->prio);
        if (end == self)
                return;
        if (!end)
                resume_reschedule(cpu);
        leave_if_ended(self);
        /* The callee or the end of the chain may have changed in an interrupt window. */
        if (callee->state == EC_REQUEST || callee->state == EC_DEAD || end->state == EC_DEAD)
                resume_ec(cpu, self);
        ec_help(self, callee);
        const bool lent = cpu->special & SPECIAL_LENT;
        sched_bind_current(cpu);
        if (end->state == EC_READY)
                resume_ec(cpu, end);
        /* The chain from the EC to which the SC is bound may no longer lead to self. */
        if (lent)
                resume_reschedule(cpu);
        block_current_with(end);
}

static enum nova_status call_generally(word_t id, struct ec *self);

/* Repeats the call. The busy callee may be free now, and the portal may be gone. */
static indirect_target _Noreturn void call_finish_retry(struct ec *self)
{
        ec_stop_helping(self);
        resume_hypercall(self, call_generally(REG_P1(self), self));
}

/* Finishes a call after the whole message was transferred. */
static always_inline _Noreturn void call_finish(struct ec *self, struct pt *pt)
{
        if (nova_id_flags(REG_P1(self)) & NOVA_CALL_DD)
                block_on_reply_alone(self, pt);
        block_on_reply(self->cpu, self, pt->ec, pt, CALLER_CALL);
}

/* Transfers typed items, perhaps in several steps. The callee waits for this EC meanwhile. */
static indirect_target _Noreturn void call_finish_items(struct ec *self)
{
        item_transfer(self, call_finish_items);

        struct pt *pt = self->calling;
        self->calling = NULL;
        pt->ec->callee = NULL;
        object_put(&pt->object); /* its memory stays until this CPU leaves the kernel */
        if (self->transfer.aborted)
                resume_hypercall(self, NOVA_COM_ABT);
        call_finish(self, pt);
}

/* Begins a transfer of items in steps. The callee accepts no other call meanwhile. */
static __attribute__((noinline)) _Noreturn void call_begin_items(struct ec *self, struct pt *pt,
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
        call_finish_items(self);
}

/* Finishes a call whose caller has ended while TLBs were flushed for the message's only item. If
 * the item has arrived, the callee gets the message (see ec_lose_caller()). */
static cold_path _Noreturn void call_finish_ended(struct ec *self, const struct pt *pt,
                                                  bool arrived)
{
        struct ec *callee = pt->ec;

        if (arrived && callee->state == EC_REQUEST) {
                prepare_portal(callee, pt);
                callee->state = EC_READY;
        }
        resume_reschedule(self->cpu);
}

/* Finishes a call whose message has typed items. */
static __attribute__((noinline)) _Noreturn void call_finish_typed(struct ec *self, struct pt *pt,
                                                                  unsigned items)
{
        const bool done = items == pt->ec->items_at_once && item_at_once(self, pt->ec);

        if (unlikely(self->state != EC_READY))
                call_finish_ended(self, pt, done);
        if (unlikely(pt->ec->state != EC_REQUEST)) /* the callee ended while TLBs were flushed */
                resume_hypercall(self, NOVA_COM_ABT);
        if (!done)
                call_begin_items(self, pt, items);
        call_finish(self, pt);
}

/* Finishes a call to a callee that does not wait for a call. */
static __attribute__((noinline)) _Noreturn void call_finish_busy(struct ec *callee, struct ec *self)
{
        const unsigned flags = nova_id_flags(REG_P1(self));

        if (flags & NOVA_CALL_DB || callee->state == EC_DEAD)
                resume_hypercall(self, NOVA_COM_TIM);
        block_on_callee(self, callee, call_finish_retry);
        resume_hypercall(self, flags & NOVA_CALL_DL ? NOVA_DEADLOCK : NOVA_COM_TIM);
}

/* Does a call of any kind through a portal. Returns only if the call fails; a failed call has
 * changed nothing. */
static __attribute__((noinline)) enum nova_status call_portal(word_t id, struct ec *self,
                                                              struct pt *pt)
{
        if (unlikely(pt->ec->cpu != self->cpu))
                return NOVA_BAD_CPU;
        REG_P1(self) = id;
        if (unlikely(pt->ec->state != EC_REQUEST))
                call_finish_busy(pt->ec, self);

        const unsigned items = message_copy(self, pt->ec);
        if (unlikely(items))
                call_finish_typed(self, pt, items);
        call_finish(self, pt);
}

static enum nova_status call_generally(word_t id, struct ec *self)
{
        struct pt *pt = object_space_find_pt(self->pd, nova_id_sel(id), 0);

        return likely(pt) ? call_portal(id, self, pt) : NOVA_BAD_CAP;
}

hypercall_result_t hypercall_call(word_t id, struct ec *self)
{
        return call_generally(id, self);
}

hypercall_result_t call_donating(word_t id, struct ec *self)
{
        struct pt *pt = object_space_find_pt(self->pd, nova_id_sel(opaque_word(id)), 0);

        if (unlikely(!pt))
                return NOVA_BAD_CAP;

        struct ec *callee = pt->ec;
        struct cpu *cpu = self->cpu;
        /* The value is 0 if the message is empty, nothing is pending or special, and the callee
         * waits on this CPU in REQUEST (see docs/kernel/ipc.md). */
        if (self->utcb->items | (cpu_call_attention(cpu) ^ ec_call_attention(callee)))
                return call_portal(id, self, pt);
        callee->utcb->items = 0;
        link_to_caller(callee, self, CALLER_CALL);
        enter_portal(cpu, self, callee, pt);
}
