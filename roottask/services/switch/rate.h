/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounds the rate at which a client of a switch sends. */
#ifndef NOVART_SWITCH_RATE_H
#define NOVART_SWITCH_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_SAVED_NS 20000000 /* a client saves what it does not use for 20 ms */

/* A client's rate. It may send when its last frames are paid for, so ready_ns and the time stand
 * for a bucket of bytes that fills with time. */
struct rate {
        uint64_t per_second; /* bytes; not 0 */
        uint64_t ready_ns;   /* time since boot from which the client may send; 0: always */
};

/* Returns true if the client may send a frame. */
bool rate_allows(const struct rate *rate, uint64_t now_ns);

/* Counts a frame that the client has sent, with what it takes on a cable. */
void rate_charge(struct rate *rate, uint64_t now_ns, uint32_t bytes);

/* Reads bytes per second: a number, with K, M or G for powers of 1024. @return 0: it is none */
uint64_t rate_read(const char *text);

#endif
