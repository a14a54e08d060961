/* SPDX-License-Identifier: BSD-2-Clause */
/* The reply register (see reply.h). Only the EC's own CPU changes it. For the order of arguments
 * see call.c. */
#include "ipc/reply.h"

#include "arch/x86/resume.h"
#include "arch/x86/state.h"
#include "arch/x86/switch.h"
#include "ipc/item.h"
#include "ipc/message.h"
#include "lib/assert.h"
#include "object/sc.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "sched/wake.h"
#include "virt/vcpu.h"

/* Makes the caller ready and self wait for its next caller. */
static always_inline void reply_release(struct ec *self, struct ec *caller)
{
        assert(self->cpu == cpu_self() && caller->cpu == self->cpu && ec_callee(caller) == self);
        caller->state = EC_READY;
        ec_set_state(self, EC_REQUEST, CALLER_NONE);
}

/* Finishes a reply after the whole message was transferred. */
static __attribute__((noinline)) _Noreturn void reply_finish(struct ec *self)
{
        struct cpu *cpu = self->cpu;
        struct ec *caller = ec_caller(self);

        ec_return_sc(self, caller);
        if (unlikely(self->kind != EC_LOCAL)) { /* no EC can call self, so self blocks for ever */
                sched_bind_current(cpu);
                self->state = EC_BLOCKED;
                if (cpu->current_sc->ec == self)
                        block_current(self);
                resume_reschedule(cpu);
        }
        if (unlikely(!caller)) {
                self->state = EC_REQUEST;
        } else {
                reply_release(self, caller);
                if (!list_is_empty(&caller->sleepers))
                        sched_wake_sleepers(caller);
        }
        resume_bound(cpu, caller);
}

/* Transfers typed items, perhaps in several steps. If the caller has ended, only finishes the
 * present delegation, which holds a mapping and the receiver's PD. */
static indirect_target _Noreturn void reply_finish_items(struct ec *self)
{
        if (unlikely(!ec_caller(self)))
                self->transfer.aborted = true;
        item_transfer(self, reply_finish_items);
        reply_finish(self);
}

/* Finishes a reply of self, which has ended while TLBs were flushed for the only item. The caller
 * is ready and would report the end of its callee (see ec_leave_caller()). If the item has arrived,
 * the caller continues with @p cont instead, as after a complete reply. */
static cold_path _Noreturn void reply_finish_ended(struct ec *self, struct ec *caller, bool arrived,
                                                   continuation_t cont)
{
        if (arrived && caller->state == EC_READY &&
            (caller->cont == resume_aborted || caller->cont == block_handler_ended))
                caller->cont = cont;
        resume_reschedule(self->cpu);
}

static inline continuation_t reply_answered(const struct ec *caller)
{
        return caller->vcpu ? resume_guest : resume_interrupted;
}

/* Finishes a reply to a call that has typed items. */
static __attribute__((noinline)) _Noreturn void
reply_finish_typed(struct ec *self, struct ec *caller, unsigned items)
{
        caller->cont = resume_success;
        const bool done = items == caller->items_at_once && item_at_once(self, caller);

        if (unlikely(self->state != EC_READY))
                reply_finish_ended(self, caller, done, resume_success);
        if (done)
                reply_finish(self);
        item_transfer_begin(self, caller, false, items);
        reply_finish_items(self);
}

/* Finishes a reply without typed items if the caller or the CPU needs attention, or if the caller
 * did not donate its SC. */
static __attribute__((noinline)) _Noreturn void reply_finish_slowly(struct ec *caller,
                                                                    struct ec *self)
{
        struct cpu *cpu = self->cpu;

        if (self->caller_kind == CALLER_CALL && switch_needs_base(cpu, caller)) {
                reply_release(self, caller);
                resume_caller_with_base(cpu, caller);
        }
        caller->cont = resume_success;
        reply_finish(self);
}

/* Finishes a reply to a call. hypercall_reply() itself finishes an empty reply to a call with
 * donation, unless work is pending. */
static __attribute__((noinline)) _Noreturn void reply_finish_message(struct ec *caller,
                                                                     struct ec *self)
{
        struct cpu *cpu = self->cpu;
        const unsigned items = message_copy(self, caller);

        if (unlikely(items))
                reply_finish_typed(self, caller, items);
        if (unlikely(self->caller_kind != CALLER_CALL || !switch_is_plain(cpu, caller)))
                reply_finish_slowly(caller, self);
        reply_release(self, caller);
        resume_caller(cpu, caller);
}

/* Finishes a reply to an event after the caller's state was read from the UTCB, if the reply has
 * items or the caller cannot continue at once. */
static __attribute__((noinline)) _Noreturn void
reply_finish_state(struct ec *self, struct ec *caller, unsigned items)
{
        caller->cont = reply_answered(caller);
        if (unlikely(items)) {
                item_transfer_begin(self, caller, true, items);
                reply_finish_items(self);
        }
        reply_finish(self);
}

/* If a reply to an event has exactly one simple item (usually a page), delegates it at once.
 * Returns the number of items that are left. */
static __attribute__((noinline)) unsigned reply_answer_items(struct ec *self, struct ec *caller,
                                                             unsigned items)
{
        const bool done = items == 1 && item_answers_at_once(self, caller);

        if (unlikely(self->state != EC_READY))
                reply_finish_ended(self, caller, done, reply_answered(caller));
        if (!done)
                return items;
        if (unlikely(ec_caller(self) != caller)) /* the caller ended during the TLB flush */
                reply_finish(self);
        return 0;
}

static __attribute__((noinline)) _Noreturn void reply_finish_vcpu(struct ec *self,
                                                                  struct ec *caller)
{
        unsigned items = vcpu_from_utcb(caller, self->utcb);

        if (items)
                items = reply_answer_items(self, caller, items);
        reply_finish_state(self, caller, items);
}

/* Finishes a reply to an event or to a call without donation, or a reply without a caller. */
static hot_path __attribute__((noinline)) _Noreturn void reply_finish_to_other(struct ec *caller,
                                                                               struct ec *self)
{
        struct cpu *cpu = self->cpu;

        if (unlikely(self->caller_kind == CALLER_ALONE))
                reply_finish_message(caller, self);
        if (unlikely(self->caller_kind == CALLER_NONE))
                reply_finish(self);
        if (unlikely(caller->vcpu))
                reply_finish_vcpu(self, caller);
        unsigned items = state_from_utcb(caller, self->utcb);
        if (unlikely(items))
                items = reply_answer_items(self, caller, items);
        if (unlikely(items || !switch_is_plain(cpu, caller)))
                reply_finish_state(self, caller, items);
        reply_release(self, caller);
        resume_thread(cpu, caller);
}

_Noreturn hypercall_result_t hypercall_reply(word_t id, struct ec *self)
{
        struct ec *caller = self->caller;
        struct cpu *cpu = self->cpu;

        (void)id;
        if (self->caller_kind != CALLER_CALL)
                reply_finish_to_other(caller, self);
        if (self->utcb->items | (cpu_attention(cpu) ^ ec_attention(caller)))
                reply_finish_message(caller, self);
        caller->utcb->items = 0;
        reply_release(self, caller);
        resume_caller(cpu, caller);
}
