/* SPDX-License-Identifier: BSD-2-Clause */
/* The reply register, which names the EC that waits for a reply. @spec 4.1.5, 5.2.2 */
#ifndef IPC_REPLY_H
#define IPC_REPLY_H

#include "object/ec.h"
#include "object/result.h"

/** Sends self's message to its caller, if there is one (hypercall). Then self waits for the next
 * request. Never returns, although it has the return type of all handlers. */
hot_path _Noreturn hypercall_result_t hypercall_reply(word_t id, struct ec *self);

#endif
