/* SPDX-License-Identifier: BSD-2-Clause */
/* Typed items of a message: translation and delegation. @spec 4.6.2.2 */
#ifndef IPC_ITEM_H
#define IPC_ITEM_H

#include "object/ec.h"

/** Begins the transfer of items from self to an EC. */
void item_transfer_begin(struct ec *self, struct ec *to, unsigned items);

/** Transfers what is left. May be preempted; then self goes on with cont, which calls this again.
 *  Returns when all is done, or when transfer.aborted says that the partner ended. */
void item_transfer(struct ec *self, continuation_t cont);

#endif
