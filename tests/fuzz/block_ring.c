/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile client of a block service, which writes anything into its ring at any time. The test
 * checks that an accepted request stays in the pool and in the session's blocks, that no counter of
 * the service leaves its bounds, and that the service detects a client that breaks the rules. */
#include "block/entry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define POOL_BYTES 0x10000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nova_block_ring shared;

static void check(const struct nova_block_entry *entry, const struct block_limits *limits,
                  uint32_t blocks)
{
        uint64_t bytes = 0;

        if (entry->operation == NOVA_BLOCK_FLUSH)
                return;
        if (!blocks || entry->block < limits->first || blocks > limits->count ||
            entry->block - limits->first > limits->count - blocks)
                abort();
        if (entry->operation != NOVA_BLOCK_READ && limits->flags & NOVA_BLOCK_READ_ONLY)
                abort();
        if (entry->operation == NOVA_BLOCK_DISCARD)
                return;
        if (entry->segment_count > limits->segments || blocks > limits->request_max)
                abort();
        for (unsigned i = 0; i < entry->segment_count; i++) {
                const struct nova_block_segment *const segment = &entry->segment[i];

                if (segment->offset > POOL_BYTES || segment->bytes > POOL_BYTES - segment->offset)
                        abort();
                bytes += segment->bytes;
        }
        if (bytes != (uint64_t)blocks * limits->block_bytes)
                abort();
}

/* Takes all requests that are in the ring, as the service does. @return false: the client has lost
 * its ring */
static bool serve(struct ring *ring, const struct block_limits *limits)
{
        for (unsigned n = 0; n <= NOVA_BLOCK_ENTRIES && ring_pending(ring); n++) {
                struct nova_block_entry entry;
                uint32_t blocks;
                int error = ring_take(ring, &entry, sizeof(entry));

                if (error)
                        return false;
                error = block_entry_check(&entry, limits, &blocks);
                if (!error)
                        check(&entry, limits, blocks);
                ring_complete(ring, entry.tag, (uint32_t)error);
                if (ring->completed != ring->taken)
                        abort();
        }
        return true;
}

/* Performs a step of the client: submits or reaps, or writes up to 15 bytes into its next request
 * or anywhere. @p left: bytes of the input after the step's own three.
 * @return number of those bytes that the step used */
static size_t step(const uint8_t *data, size_t left)
{
        size_t count = data[2] & 15, where = (size_t)data[1] * sizeof(shared) / 256;

        if (count > left)
                count = left;
        switch (data[0] & 3) {
        case 0:
                shared.head.submitted += data[1] & 0x83 ? data[1] & 3 : data[1];
                return 0;
        case 1:
                shared.head.reaped = shared.head.completed - (data[1] & 0x80 ? data[1] : 0);
                return 0;
        case 2:
                where = offsetof(struct nova_block_ring, entry) +
                        sizeof(shared.entry[0]) * (shared.head.submitted % NOVA_BLOCK_ENTRIES) +
                        data[1] % sizeof(shared.entry[0]);
                break;
        default:
                break;
        }
        if (count > sizeof(shared) - where)
                count = sizeof(shared) - where;
        memcpy((uint8_t *)&shared + where, data + 3, count);
        return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct block_limits limits = {.pool_bytes = POOL_BYTES, .segments = NOVA_BLOCK_SEGMENTS};
        uint8_t begin[8] = {0};
        struct ring ring;

        memcpy(begin, data, size < sizeof(begin) ? size : sizeof(begin));
        limits.block_bytes = 512u << begin[0] % 4;
        limits.flags = begin[1];
        limits.first = begin[2];
        limits.count = begin[3] & 0x80 ? UINT64_MAX - limits.first : 1u + begin[3];
        limits.request_max = 1u + begin[4];
        memset(&shared, 0, sizeof(shared));
        block_ring_init(&ring, &shared);
        for (size_t at = sizeof(begin); at + 3 < size;) {
                at += 3 + step(data + at, size - at - 3);
                if (!serve(&ring, &limits))
                        return 0;
                ring_wake(&ring);
        }
        return 0;
}
