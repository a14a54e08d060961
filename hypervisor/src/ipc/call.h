/* SPDX-License-Identifier: BSD-2-Clause */
/* The rendezvous: a caller, a portal, a callee. @spec 3.2, 5.2.1 */
#ifndef IPC_CALL_H
#define IPC_CALL_H

#include "arch/x86/switch.h"
#include "lib/assert.h"
#include "object/ec.h"
#include "object/result.h"

/** Makes self wait for callee's reply, and makes callee ready. */
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
 * sent. Callee runs the portal on the current SC. The SC does not record the callee: code that
 * needs the EC that runs on an SC follows the chain of calls from the SC's owner. */
static always_inline _Noreturn void block_on_reply(struct cpu *cpu, struct ec *self,
                                                   struct ec *callee, const struct pt *pt,
                                                   enum caller_kind kind)
{
        link_to_caller(callee, self, kind);
        if (unlikely(!switch_is_plain(cpu, callee)))
                resume_portal_slowly(callee, pt);
        enter_portal(cpu, self, callee, pt);
}

/** Blocks self without donation until the portal's EC replies: self's SC sleeps. The portal's EC
 * runs only while another EC helps it. */
_Noreturn void block_on_reply_alone(struct ec *self, const struct pt *pt);

/** Lends the current SC to the EC at the end of the busy callee's chain. This EC must run before
 *  the callee can be free. Later self continues with retry. Returns only if the chain leads back to
 *  self. */
void block_on_callee(struct ec *self, struct ec *callee, continuation_t retry);

/** Makes a call that donates the caller's SC. Returns only if it fails. id: argument 1. */
hot_path hypercall_result_t call_donating(word_t id, struct ec *self);

/** Handles every kind of call (hypercall). */
hypercall_result_t hypercall_call(word_t id, struct ec *self);

#endif
