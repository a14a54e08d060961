/* SPDX-License-Identifier: BSD-2-Clause */
/* The service's end of a ring. The client may write anything to the ring at any time. So each entry
 * is copied once and then checked, and the service uses its own copies of its counters. */
#ifndef NOVART_BLOCK_RING_H
#define NOVART_BLOCK_RING_H

#include <stdbool.h>

#include "novart/service/block.h"

/* A ring of a session. */
struct block_ring {
        struct nova_block_ring *shared;
        uint32_t taken, completed; /* numbers of entries */
};

/* Limits of a session. */
struct block_limits {
        uint64_t first, count; /* its blocks on the device */
        uint32_t block_bytes, request_max, flags, segments;
        size_t pool_bytes;
};

/* Initialises a ring in memory that is 0. */
void block_ring_init(struct block_ring *ring, struct nova_block_ring *shared);

/* Returns false if block_ring_take() would return EAGAIN. */
bool block_ring_pending(const struct block_ring *ring);

/* Takes the next entry.
 * @return 0; EAGAIN: there is none; EPROTO: the counters are impossible */
int block_ring_take(struct block_ring *ring, struct nova_block_entry *entry);

/* Appends a completion for an entry that was taken. */
void block_ring_complete(struct block_ring *ring, uint32_t tag, int error);

/* Returns true, once, if the client waits for the completions so far. */
bool block_ring_wake(struct block_ring *ring);

/* Checks a copy of an entry. Sets @p blocks to its size and adds the session's first block to its
 * block number. @return 0, or the error with which the request completes */
int block_entry_check(struct nova_block_entry *entry, const struct block_limits *limits,
                      uint32_t *blocks);

#endif
