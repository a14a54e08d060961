/* SPDX-License-Identifier: BSD-2-Clause */
/* The rendezvous: a caller, a portal, a callee. @spec 3.2, 5.2.1 */
#ifndef IPC_CALL_H
#define IPC_CALL_H

#include "arch/x86/switch.h"
#include "lib/assert.h"
#include "object/ec.h"
#include "object/result.h"

/** self waits for the reply of callee. */
static always_inline void link_to_caller(struct ec *callee, struct ec *self, enum caller_kind kind)
{
        assert(callee->cpu == self->cpu && callee->cpu == cpu_self());
        assert(callee->state == EC_REQUEST || callee->caller == self);
        callee->caller = self;
        ec_set_state(callee, EC_READY, kind);
        self->callee = callee;
        self->state = EC_REPLY;
}

/** self has sent its message, on this CPU: waits for the reply of callee, the portal's EC, which
 * runs the portal now, on the current SC. Of that nothing is written: it is where the calls of its
 * owner lead. */
static always_inline _Noreturn void block_on_reply(struct cpu *cpu, struct ec *self,
                                                   struct ec *callee, const struct pt *pt,
                                                   enum caller_kind kind)
{
        link_to_caller(callee, self, kind);
        if (unlikely(!switch_is_plain(cpu, callee)))
                resume_portal_slowly(callee, pt);
        enter_portal(cpu, self, callee, pt);
}

/** The same without donation: self's SC sleeps with it, the portal's EC runs when it is helped. */
_Noreturn void block_on_reply_alone(struct ec *self, const struct pt *pt);

/** The callee is busy: lends the current SC to the EC that has to run before self can go on with
 *  retry. Returns if that would be self: the chain is a cycle. */
void block_on_callee(struct ec *self, struct ec *callee, continuation_t retry);

/** A call that donates the caller's SC. Returns only if it fails. id: argument 1. */
hot_path hypercall_result_t call_donating(word_t id, struct ec *self);

/** Any call (hypercall). */
hypercall_result_t hypercall_call(word_t id, struct ec *self);

#endif
