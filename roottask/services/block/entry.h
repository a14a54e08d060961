/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the requests of a ring with blocks. */
#ifndef NOVART_BLOCK_ENTRY_H
#define NOVART_BLOCK_ENTRY_H

#include <stddef.h>

#include "novart/service/block.h"
#include "ring/ring.h"

/* Limits of a session. */
struct block_limits {
        uint64_t first, count; /* its blocks on the device */
        uint32_t block_bytes, request_max, flags, segments;
        size_t pool_bytes;
};

/* Initialises the service's end of a ring in zeroed memory. */
void block_ring_init(struct ring *ring, struct nova_block_ring *shared);

/* Checks a copy of an entry. Sets @p blocks to the request's size in blocks, and adds the session's
 * first block to the entry's block number. @return 0, or the error with which the request completes
 */
int block_entry_check(struct nova_block_entry *entry, const struct block_limits *limits,
                      uint32_t *blocks);

#endif
