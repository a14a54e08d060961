/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings in memory that a client and a service share: requests in one direction, completions in the
 * other. The protocols of blocks and of frames use them. */
#ifndef NOVART_SERVICE_RING_H
#define NOVART_SERVICE_RING_H

#include <stdint.h>

#include "nova/abi/types.h"

/** @defgroup ring Rings
 *
 * A ring begins with struct nova_ring. Its completions follow, and then, at a place that the
 * protocol sets, its requests. There are N completions and N requests; N is a power of two.
 * Counters only grow, and wrap at 2^32; request n is at index n % N. The service works with copies
 * of its own counters.
 *
 * The ring belongs to the service, so it vanishes from the client when the service ends. The client
 * maps it over lazy memory. So a client that reads the ring after the service's end reads zeros,
 * and the first word is not the protocol's number.
 *
 * Order of accesses. Both sides may run at the same time, on two CPUs.
 *
 * A client that submits requests
 * 1. writes the requests;
 * 2. writes `submitted`, with release;
 * 3. executes a full fence;
 * 4. reads `service_waits`, and does an up on the doorbell if it is 1.
 *
 * A service before it sleeps
 * 1. writes 1 to `service_waits`;
 * 2. executes a full fence;
 * 3. reads `submitted`, with acquire, and does not sleep if there is a request;
 * 4. waits for the doorbell.
 *
 * A service that completes requests
 * 1. writes the completions;
 * 2. writes `completed`, with release;
 * 3. executes a full fence;
 * 4. reads `client_waits`, and, if it is 1, writes 0 there and does an up on the bell.
 *
 * A client before it sleeps
 * 1. writes 1 to `client_waits`;
 * 2. executes a full fence;
 * 3. reads `completed`, with acquire, and does not sleep if there is a completion;
 * 4. waits for the bell.
 *
 * So at least one of the two sides sees the value that the other has written, and no wake-up is
 * lost. A wake-up may come although there is no new request or completion. A service that runs may
 * keep `service_waits` at 0.
 *
 * The service reads a request once, copies it, and checks the copy. The client writes `reaped`,
 * with release, after it has read a completion. It submits a request only while `submitted` -
 * `reaped` is less than N, so there is always room for the completion. The counters are invalid if
 * one of these differences is greater than N: `submitted` - the number of requests taken,
 * `completed` - `reaped`, `submitted` - `reaped`. Then the service takes no further request of the
 * session, and writes 0 to `magic`, with release.
 *
 * After a client has read anything from a ring or from its pool, it executes an acquire fence and
 * reads `magic`. The data that it has read is valid only if `magic` is the number of the protocol.
 *  @{ */

/** The beginning of a ring. */
struct nova_ring {
        uint32_t magic;         /**< number of the protocol; 0: the client broke the rules */
        uint32_t fill0[15];     /**< padding to the next cache line */
        uint32_t completed;     /**< number of completions; the service writes */
        uint32_t service_waits; /**< 1: the doorbell needs an up after a request; the service
                                 * writes */
        uint32_t fill1[14];     /**< padding to the next cache line */
        uint32_t submitted;     /**< number of requests; the client writes */
        uint32_t reaped;        /**< number of completions that it has read; the client writes */
        uint32_t client_waits;  /**< 1: the bell needs an up after a completion; the client sets it,
                                 * and the service clears it */
        uint32_t fill2[13];     /**< padding to the next cache line */
};

/** A completion. */
struct nova_ring_completion {
        uint32_t tag;    /**< tag of the request */
        uint32_t result; /**< result of the request, which the protocol defines */
};

NOVA_STATIC_ASSERT(sizeof(struct nova_ring) == 192, "three cache lines");

/** @} */

#endif
