/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the requests of rings with frames. */
#ifndef NOVART_NET_ENTRY_H
#define NOVART_NET_ENTRY_H

#include <stddef.h>

#include "novart/service/net.h"
#include "ring/ring.h"

/* Initialises the service's end of a ring in zeroed memory. */
void net_ring_init(struct ring *ring, struct nova_net_ring *shared);

/* Checks a copy of a request.
 * @param bytes_max maximum size of a frame, or of a buffer
 * @param sums      NOVA_NET_SUM_OPEN or NOVA_NET_SUM_ACCEPT if the request's `sum` may be of this
 *                  kind; 0: it must be 0
 * @return 0, or the error with which the request completes */
int net_entry_check(const struct nova_net_entry *entry, size_t pool_bytes, uint32_t bytes_min,
                    uint32_t bytes_max, uint32_t sums);

/* Returns true if one card can have the address: it is neither 0 nor a group address. */
bool net_address_is_valid(const uint8_t *address);

/* The driver's message about a card without an address. */
#define NET_NO_ADDRESS                                                                            \
        "the card has no address of its own, which the other machines need; give it one, or use " \
        "another card."

#endif
