/* SPDX-License-Identifier: BSD-2-Clause */
/* Common parts of the clients of services with rings: a session with rings, a pool and semaphores,
 * and the client's end of a ring. */
#ifndef NOVA_ROOTTASK_SERVICE_CLIENT_RING_H
#define NOVA_ROOTTASK_SERVICE_CLIENT_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "novart/service/ring.h"
#include "novart/session.h"

/* A session with rings. */
struct ring_session {
        struct nova_session *session;
        char *rings; /* the first half of the region; the pool is the second */
        char *pool;
        size_t pool_bytes;
        size_t ring_bytes;   /* size of the rings: whole pages */
        nova_sel_t doorbell; /* selector; the next one is the bell */
        bool lacks;          /* the pages did not arrive */
        nova_word_t commits; /* result of novart_page_commits() at the last check that found all
                                pages of the pool to be the service's; initially 0, the result in a
                                program that has committed no page */
        uint32_t magic;      /* first word of the rings */
        nova_word_t attach, semaphores; /* numbers of operations */
        /* Limits the session after each opening, before its rings arrive. If this program has given
         * the rings to another program, that program can use them as soon as they arrive. NULL:
         * there is nothing to limit. @return as begin() */
        int (*limit)(struct ring_session *session);
        /* Begins with an empty pool after each opening of the session. @return 0 or an errno value,
         * ECONNRESET if the service ends */
        int (*begin)(struct ring_session *session);
};

/* The client's end of a ring. */
struct ring_end {
        struct nova_ring *ring;
        uint32_t submitted;
        uint32_t reaped; /* completions taken so far; a thread that listens reads it, too */
};

/* Reserves selectors, and addresses for the rings and the pool. The caller has set `pool_bytes` of
 * the session to the smallest size of a pool; it is doubled until it is at least @p pool_bytes.
 * @return 0 or ENOMEM */
int novart_ring_init(struct ring_session *session, const char *name, size_t pool_bytes);

/* Opens the session, or opens it again if it was open before, and calls begin(). Repeats this if
 * the service ends meanwhile. @return as nova_block_open() */
int novart_ring_reach(struct ring_session *session, const char *service, const char *arguments);

/* Makes a call, and repeats it while it fails with EAGAIN, because the service has yet to end the
 * session of a client that has died. */
int novart_ring_call(const struct ring_session *session, struct nova_message *message);

/* Closes the session. */
void novart_ring_fini(struct ring_session *session);

/* Returns true if the rings have belonged to the service until now. Called after data was read. */
static inline bool novart_ring_alive(const struct ring_session *session)
{
        const struct nova_ring *ring = (const struct nova_ring *)session->rings;

        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return __atomic_load_n(&ring->magic, __ATOMIC_RELAXED) == session->magic;
}

/* Returns true if all pages of a part of the pool are the service's. */
bool novart_ring_owned(const struct ring_session *session, size_t offset, size_t bytes);

/* Checks all pages of the pool if the program has received memory since the last check. Without
 * this call, novart_ring_owned() checks the pages of each part. */
void novart_ring_look(struct ring_session *session);

/* Submits all requests that @p end counts. @return true if the doorbell needs an up */
static inline bool novart_ring_submit(const struct ring_end *end)
{
        __atomic_store_n(&end->ring->submitted, end->submitted, __ATOMIC_RELEASE);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return __atomic_load_n(&end->ring->service_waits, __ATOMIC_RELAXED);
}

/* Copies the next completion, without taking it. @return false if there is none */
static inline bool novart_ring_peek(const struct ring_end *end,
                                    struct nova_ring_completion *completion, uint32_t count)
{
        const struct nova_ring_completion *all =
                (const struct nova_ring_completion *)(end->ring + 1);
        const bool some = __atomic_load_n(&end->ring->completed, __ATOMIC_ACQUIRE) != end->reaped;

        *completion = all[end->reaped % count];
        return some;
}

/* Takes the completion. */
static inline void novart_ring_reap(struct ring_end *end)
{
        __atomic_store_n(&end->reaped, end->reaped + 1, __ATOMIC_RELAXED);
        __atomic_store_n(&end->ring->reaped, end->reaped, __ATOMIC_RELEASE);
}

/* Requests an up on the bell for later completions. @return true if there is a completion already.
 * Another thread may reap meanwhile. */
bool novart_ring_request_bell(const struct ring_end *end);

/* Waits for the bell. @return 0, ETIMEDOUT, or ECONNRESET if the service has ended */
int novart_ring_listen(const struct ring_session *session, uint64_t deadline);

#endif
