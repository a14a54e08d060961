/* SPDX-License-Identifier: BSD-2-Clause */
/* The rendezvous: a caller, a portal, a callee. @spec 3.2, 5.2.1 */
#ifndef IPC_CALL_H
#define IPC_CALL_H

#include "arch/x86/switch.h"
#include "lib/assert.h"
#include "object/ec.h"
#include "object/result.h"

/** Makes self wait for the reply of callee, and callee ready. */
static always_inline void link_to_caller(struct ec *callee, struct ec *self, enum caller_kind kind)
{
        assert(callee->cpu == self->cpu && callee->cpu == cpu_self());
        assert(callee->state == EC_REQUEST || callee->caller == self);
        callee->caller = self;
        ec_set_state(callee, EC_READY, kind);
        self->callee = callee;
        self->state = EC_REPLY;
}

/** Blocks self until callee, the portal's EC on this CPU, replies to the message that self has
 * sent. Callee runs the portal on the current SC. The SC is not updated: code that needs its EC
 * follows the calls from its owner. */
static always_inline _Noreturn void block_on_reply(struct cpu *cpu, struct ec *self,
                                                   struct ec *callee, const struct pt *pt,
                                                   enum caller_kind kind)
{
        link_to_caller(callee, self, kind);
        if (unlikely(!switch_is_plain(cpu, callee)))
                resume_portal_slowly(callee, pt);
        enter_portal(cpu, self, callee, pt);
}

/** Blocks self without donation: self's SC sleeps, and the portal's EC runs when another EC helps
 * it. */
_Noreturn void block_on_reply_alone(struct ec *self, const struct pt *pt);

/** Lends the current SC to the EC that must run before the busy callee is free and self continues
 *  with retry. Returns if that EC is self: the chain is a cycle. */
void block_on_callee(struct ec *self, struct ec *callee, continuation_t retry);

/** Makes a call that donates the caller's SC. Returns only if it fails. id: argument 1. */
hot_path hypercall_result_t call_donating(word_t id, struct ec *self);

/** Handles every kind of call (hypercall). */
hypercall_result_t hypercall_call(word_t id, struct ec *self);

#endif
