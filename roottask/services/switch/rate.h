/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounds the rate at which a client of a switch sends. */
#ifndef NOVART_SWITCH_RATE_H
#define NOVART_SWITCH_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_SAVED_NS 20000000 /* time for which a client saves unused bytes */

/* A client's rate. Each frame increases ready_ns by the time that its bytes take at this rate. The
 * effect is that of a token bucket. */
struct rate {
        uint64_t per_second; /* bytes; not 0 */
        uint64_t ready_ns;   /* time since boot from which the client may send; 0: always */
};

/* Returns true if the client may send a frame. */
bool rate_allows(const struct rate *rate, uint64_t now_ns);

/* Counts a frame that the client has sent, with the bytes that it takes on a cable. */
void rate_charge(struct rate *rate, uint64_t now_ns, uint32_t bytes);

/* Reads bytes per second: a number, with K, M or G for powers of 1024. @return 0: it is not such a
 * number */
uint64_t rate_read(const char *text);

#endif
