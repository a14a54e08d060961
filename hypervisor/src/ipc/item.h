/* SPDX-License-Identifier: BSD-2-Clause */
/* Typed items of a message: translation and delegation. @spec 4.6.2.2 */
#ifndef IPC_ITEM_H
#define IPC_ITEM_H

#include "object/ec.h"

/* Upper bound of the memory that a message with one item costs the receiver if the item is
 * transferred at once: a mapping, three levels of tables for each of the three kinds of page
 * tables, and two roots. */
#define ITEM_AT_ONCE_BYTES ((word_t)12 * PAGE_SIZE)

/** Limits the bytes of kernel memory that a message to an EC (a call or a reply) may charge to the
 * EC's PD. */
void item_limit(struct ec *ec, word_t bytes);

/** Transfers the only item of self's message through the windows of `to`, if one step is enough.
 * The item must delegate or translate one object capability, or delegate memory or ports. Returns
 * false if nothing was transferred, so that item_transfer() must transfer the item. In both cases,
 * TLBs may have been flushed, and self or `to` may have ended. */
bool item_at_once(struct ec *self, const struct ec *to);

/** Does item_at_once() for the answer to an event. */
bool item_answers_at_once(struct ec *self, const struct ec *to);

/** Begins the transfer of items from self to an EC. is_answer: the message answers an event. */
void item_transfer_begin(struct ec *self, struct ec *to, bool is_answer, unsigned items);

/** Transfers the remaining items. If preempted, self continues with cont, which calls this function
 *  again. Returns when all items are done, or with transfer.aborted set if the partner has
 *  ended. */
void item_transfer(struct ec *self, continuation_t cont);

#endif
