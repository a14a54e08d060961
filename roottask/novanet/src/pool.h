/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of buffers for received frames. lwIP's lock protects it. */
#ifndef NOVANET_POOL_H
#define NOVANET_POOL_H

#include <stdbool.h>

#include "lwip/pbuf.h"
#include "lwip/sys.h"

/* Returns true if more buffers are in use than one socket may hold. */
bool novanet_pool_is_shared(void);

/* Returns the sum of the weights of the messages in a queue between threads; NULL: 0
 * (sys_arch.c). */
unsigned novanet_mailbox_weigh(struct novanet_mailbox *mailbox,
                               unsigned (*weigh)(const void *message));

#endif
