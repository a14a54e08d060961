/* SPDX-License-Identifier: BSD-2-Clause */
/* Typed items of a message: translation and delegation. @spec 4.6.2.2 */
#ifndef IPC_ITEM_H
#define IPC_ITEM_H

#include "object/ec.h"

/* What a message of one item costs the receiver at most if it is transferred at once: a record, and
 * tables for a part of one page table. They lack at three levels, of three kinds, and two roots. */
#define ITEM_AT_ONCE_BYTES ((word_t)12 * PAGE_SIZE)

/** Limits what a message to an EC, a call or a reply, may cost its PD, in bytes of kernel memory.
 */
void item_limit(struct ec *ec, word_t bytes);

/** Does what the only item of self's message asks for, if that takes one step: capabilities for an
 *  object delegated or translated through the windows of to, or memory or ports delegated. false:
 *  nothing was delegated, item_transfer() has to do it. Either way TLBs may have been flushed,
 *  and to may have ended meanwhile; if self has ended this does not return. */
bool item_at_once(struct ec *self, const struct ec *to);

/** The same for the answer to an event. */
bool item_answers_at_once(struct ec *self, const struct ec *to);

/** Begins the transfer of items from self to an EC. is_answer: to an event. */
void item_transfer_begin(struct ec *self, struct ec *to, bool is_answer, unsigned items);

/** Transfers what is left. May be preempted; then self goes on with cont, which calls this again.
 *  Returns when all is done, or when transfer.aborted says that the partner ended. */
void item_transfer(struct ec *self, continuation_t cont);

#endif
