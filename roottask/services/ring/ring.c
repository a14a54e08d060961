/* SPDX-License-Identifier: BSD-2-Clause */
/* Begins and ends a ring, and finds out whether its client waits. */
#include "ring.h"

void ring_init(struct ring *ring, uint32_t magic)
{
        ring->taken = 0;
        ring->completed = 0;
        ring->shared->service_waits = 1;
        __atomic_store_n(&ring->shared->magic, magic, __ATOMIC_RELEASE);
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
