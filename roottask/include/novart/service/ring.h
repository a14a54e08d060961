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
 * protocol sets, its requests. Their number is a power of two. Counters only grow, and wrap at
 * 2^32; request n is at index n % number. The service works with copies of its own counters.
 *
 * The ring belongs to the service, so it vanishes from the client when the service ends. The client
 * maps it over lazy memory, so after the service has ended it reads zeros, and the first word is no
 * longer the protocol's.
 *  @{ */

/** The beginning of a ring. */
struct nova_ring {
        uint32_t magic;         /**< number of the protocol; 0: the client broke the rules */
        uint32_t fill0[15];     /**< to the next cache line */
        uint32_t completed;     /**< number of completions; the service writes */
        uint32_t service_waits; /**< 1: the doorbell needs an up after a request; the service
                                 * writes */
        uint32_t fill1[14];     /**< to the next cache line */
        uint32_t submitted;     /**< number of requests; the client writes */
        uint32_t reaped;        /**< number of completions that it has read; the client writes */
        uint32_t client_waits;  /**< 1: the bell needs an up after a completion; the service clears
                                 * it */
        uint32_t fill2[13];     /**< to the next cache line */
};

/** A completion. */
struct nova_ring_completion {
        uint32_t tag;    /**< that of the request */
        uint32_t result; /**< as the protocol says */
};

NOVA_STATIC_ASSERT(sizeof(struct nova_ring) == 192, "three cache lines");

/** @} */

#endif
