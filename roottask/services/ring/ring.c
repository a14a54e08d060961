/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes and completes the requests of a ring. */
#include "ring.h"

#include <errno.h>
#include <string.h>

void ring_init(struct ring *ring, uint32_t magic)
{
        ring->taken = 0;
        ring->completed = 0;
        ring->shared->service_waits = 1;
        __atomic_store_n(&ring->shared->magic, magic, __ATOMIC_RELEASE);
}

/* A client has at most count requests whose completions it has not read. So there is always room
 * for a completion. */
int ring_take(struct ring *ring, void *entry)
{
        struct nova_ring *shared = ring->shared;
        const uint32_t submitted = __atomic_load_n(&shared->submitted, __ATOMIC_ACQUIRE);
        const uint32_t reaped = __atomic_load_n(&shared->reaped, __ATOMIC_ACQUIRE);
        const size_t offset = (size_t)(ring->taken % ring->count) * ring->entry_bytes;

        if (submitted == ring->taken)
                return EAGAIN;
        if (submitted - ring->taken > ring->count || ring->completed - reaped > ring->count ||
            submitted - reaped > ring->count)
                return EPROTO;
        memcpy(entry, (const char *)ring->entries + offset, ring->entry_bytes);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on, only the copy is read */
        ring->taken++;
        return 0;
}

bool ring_wake(struct ring *ring)
{
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (!__atomic_load_n(&ring->shared->client_waits, __ATOMIC_RELAXED))
                return false;
        __atomic_store_n(&ring->shared->client_waits, 0, __ATOMIC_RELAXED);
        return true;
}

void ring_end(const struct ring *ring)
{
        __atomic_store_n(&ring->shared->magic, 0, __ATOMIC_RELEASE);
}
