/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's state in event messages. @spec 7.4, 8.4 */
#ifndef ARCH_STATE_H
#define ARCH_STATE_H

#include "nova/abi/utcb.h"

struct ec;

/** Writes what an MTD asks for of an EC's event into the handler's UTCB, and the header. */
void state_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);

/** Takes from the handler's UTCB what the MTD in its first word names. The number of typed items
 *  that the answer holds. */
unsigned state_from_utcb(struct ec *ec, const struct nova_utcb *utcb);

#endif
