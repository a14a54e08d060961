/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the requests in the ring of a block session. */
#include "entry.h"

#include <errno.h>

void block_ring_init(struct ring *ring, struct nova_block_ring *shared)
{
        *ring = (struct ring){
                .shared = &shared->head, .entries = shared->entry, .count = NOVA_BLOCK_ENTRIES};
        ring_init(ring, NOVA_BLOCK_MAGIC);
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
