/* SPDX-License-Identifier: BSD-2-Clause */
/* The rendezvous: a caller, a portal, a callee. @spec 3.2, 5.2.1 */
#ifndef IPC_CALL_H
#define IPC_CALL_H

#include "object/ec.h"

struct pt;

/** self has sent its message: waits for the reply of the portal's EC, which runs the portal now,
 *  on the current SC if donated. */
_Noreturn void block_on_reply(struct ec *self, struct pt *pt, enum caller_kind kind, bool donate);

/** The callee is busy: lends the current SC to whoever has to run before self can go on with
 *  retry. Returns if that would be self: the chain is a cycle. */
void block_on_callee(struct ec *self, struct ec *callee, continuation_t retry);

#endif
