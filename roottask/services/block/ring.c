/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes, checks and completes the requests of a ring. */
#include "ring.h"

#include <errno.h>
#include <string.h>

void block_ring_init(struct block_ring *ring, struct nova_block_ring *shared)
{
        *ring = (struct block_ring){.shared = shared};
        shared->service_waits = 1;
        __atomic_store_n(&shared->magic, NOVA_BLOCK_MAGIC, __ATOMIC_RELEASE);
}

bool block_ring_pending(const struct block_ring *ring)
{
        return __atomic_load_n(&ring->shared->submitted, __ATOMIC_ACQUIRE) != ring->taken;
}

/* A client has at most NOVA_BLOCK_ENTRIES requests whose completions it has not read. So there is
 * always room for a completion. */
int block_ring_take(struct block_ring *ring, struct nova_block_entry *entry)
{
        struct nova_block_ring *shared = ring->shared;
        const uint32_t submitted = __atomic_load_n(&shared->submitted, __ATOMIC_ACQUIRE);
        const uint32_t reaped = __atomic_load_n(&shared->reaped, __ATOMIC_ACQUIRE);

        if (submitted == ring->taken)
                return EAGAIN;
        if (submitted - ring->taken > NOVA_BLOCK_ENTRIES ||
            ring->completed - reaped > NOVA_BLOCK_ENTRIES ||
            submitted - reaped > NOVA_BLOCK_ENTRIES)
                return EPROTO;
        memcpy(entry, &shared->entry[ring->taken % NOVA_BLOCK_ENTRIES], sizeof(*entry));
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on, only the copy is read */
        ring->taken++;
        return 0;
}

void block_ring_complete(struct block_ring *ring, uint32_t tag, int error)
{
        struct nova_block_completion *completion =
                &ring->shared->completion[ring->completed % NOVA_BLOCK_ENTRIES];

        completion->tag = tag;
        completion->error = (uint32_t)error;
        ring->completed++;
        __atomic_store_n(&ring->shared->completed, ring->completed, __ATOMIC_RELEASE);
}

bool block_ring_wake(struct block_ring *ring)
{
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&ring->shared->client_waits, __ATOMIC_RELAXED))
                return false;
        __atomic_store_n(&ring->shared->client_waits, 0, __ATOMIC_RELAXED);
        return true;
}

/* Adds up the segments. They may overlap, because the pool belongs to the client. */
static int check_segments(const struct nova_block_entry *entry, const struct block_limits *limits,
                          uint32_t *blocks)
{
        uint64_t bytes = 0;

        if (!entry->segment_count || entry->segment_count > limits->segments ||
            entry->segment_count > NOVA_BLOCK_SEGMENTS || entry->blocks)
                return EINVAL;
        for (unsigned i = 0; i < entry->segment_count; i++) {
                const struct nova_block_segment *segment = &entry->segment[i];

                if (!segment->bytes || segment->bytes % limits->block_bytes ||
                    segment->offset % NOVA_BLOCK_ALIGN || segment->offset > limits->pool_bytes ||
                    segment->bytes > limits->pool_bytes - segment->offset)
                        return EINVAL;
                bytes += segment->bytes;
        }
        bytes /= limits->block_bytes;
        if (bytes > limits->request_max)
                return EINVAL;
        *blocks = (uint32_t)bytes;
        return 0;
}

static int check_writable(const struct block_limits *limits)
{
        return limits->flags & NOVA_BLOCK_READ_ONLY ? EROFS : 0;
}

int block_entry_check(struct nova_block_entry *entry, const struct block_limits *limits,
                      uint32_t *blocks)
{
        int error = 0;

        *blocks = entry->blocks;
        if (entry->reserved)
                return EINVAL;
        switch (entry->operation) {
        case NOVA_BLOCK_FLUSH:
                return entry->segment_count || entry->blocks || entry->block ? EINVAL : 0;
        case NOVA_BLOCK_READ:
                error = check_segments(entry, limits, blocks);
                break;
        case NOVA_BLOCK_WRITE:
                error = check_segments(entry, limits, blocks);
                if (!error)
                        error = check_writable(limits);
                break;
        case NOVA_BLOCK_DISCARD:
                error = entry->segment_count || !entry->blocks ? EINVAL : check_writable(limits);
                if (!error && !(limits->flags & NOVA_BLOCK_HAS_DISCARD))
                        error = ENOTSUP;
                break;
        default:
                error = EINVAL;
        }
        if (error)
                return error;
        if (entry->block >= limits->count || *blocks > limits->count - entry->block)
                return ENXIO;
        entry->block += limits->first;
        return 0;
}
