/* SPDX-License-Identifier: BSD-2-Clause */
/* The service's end of a ring. The client may write anything to the ring at any time. So each entry
 * is copied once and then checked, and the service uses its own copies of its counters. */
#ifndef NOVART_RING_RING_H
#define NOVART_RING_RING_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "novart/service/ring.h"

/* A ring of a session. The caller of ring_init() sets the first three members. */
struct ring {
        struct nova_ring *shared;
        const void *entries; /* the requests */
        uint32_t count;      /* number of requests and of completions, a power of two */
        uint32_t taken, completed;
};

/* Initialises a ring in zeroed memory. The first three members are set already. */
void ring_init(struct ring *ring, uint32_t magic);

/* Returns false if ring_take() would return EAGAIN. */
static inline bool ring_pending(const struct ring *ring)
{
        return __atomic_load_n(&ring->shared->submitted, __ATOMIC_ACQUIRE) != ring->taken;
}

/* Copies the next request. A client has at most count requests whose completions it has not read,
 * so there is always room for a completion.
 * @param bytes size of a request, a constant
 * @return 0; EAGAIN: there is none; EPROTO: the counters are impossible */
static inline int ring_take(struct ring *ring, void *entry, size_t bytes)
{
        struct nova_ring *shared = ring->shared;
        const uint32_t submitted = __atomic_load_n(&shared->submitted, __ATOMIC_ACQUIRE);
        const uint32_t reaped = __atomic_load_n(&shared->reaped, __ATOMIC_ACQUIRE);
        const size_t place = ring->taken & (ring->count - 1);

        if (submitted == ring->taken)
                return EAGAIN;
        if (submitted - ring->taken > ring->count || ring->completed - reaped > ring->count ||
            submitted - reaped > ring->count)
                return EPROTO;
        memcpy(entry, (const char *)ring->entries + place * bytes, bytes);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* from here on, only the copy is read */
        ring->taken++;
        return 0;
}

/* Appends a completion for a request that was taken. */
static inline void ring_complete(struct ring *ring, uint32_t tag, uint32_t result)
{
        struct nova_ring_completion *completions =
                (struct nova_ring_completion *)(ring->shared + 1);
        struct nova_ring_completion *completion = &completions[ring->completed & (ring->count - 1)];

        completion->tag = tag;
        completion->result = result;
        ring->completed++;
        __atomic_store_n(&ring->shared->completed, ring->completed, __ATOMIC_RELEASE);
}

/* Returns true if the client waits for completions, and clears the client's mark: a second call
 * returns false until the client waits again. */
bool ring_wake(struct ring *ring);

/* Returns true if the client waits for completions. */
static inline bool ring_client_waits(const struct ring *ring)
{
        return __atomic_load_n(&ring->shared->client_waits, __ATOMIC_RELAXED);
}

/* Records for the client whether it must do an up on the doorbell after a request. */
static inline void ring_set_waiting(const struct ring *ring, bool waits)
{
        __atomic_store_n(&ring->shared->service_waits, waits, __ATOMIC_RELAXED);
}

/* Marks a ring as ended, for a client that has broken the rules. */
void ring_end(const struct ring *ring);

#endif
