/* SPDX-License-Identifier: BSD-2-Clause */
/* The reply register: who waits for an EC's reply, and its end. @spec 4.1.5, 5.2.2 */
#ifndef IPC_REPLY_H
#define IPC_REPLY_H

#include "object/ec.h"

/** self replies: its message goes to the caller, if there is one, and self waits for the next. */
hot_path _Noreturn void block_on_request(struct ec *self);

#endif
