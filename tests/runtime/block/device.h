/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated device: requests end when the test says so. */
#ifndef TESTS_BLOCK_DEVICE_H
#define TESTS_BLOCK_DEVICE_H

#include "block/server.h"

#define DEVICE_BLOCKS 1024
#define DEVICE_DEPTH  40

/* Starts the service `blocks`. */
int device_start(void);

/* Requests end at once, or when device_end() is called. */
void device_hold(bool hold);

/* Returns the number of requests in flight. */
unsigned device_in_flight(void);

/* Ends the request with this position among those in flight, in the order of their start.
 * @return its session; NULL: there is none */
const void *device_end(unsigned position);

/* Ends this number of requests in the order of their start. The service works only afterwards. */
void device_end_many(unsigned count);

/* Chooses whether sessions that are opened later support discards. */
void device_set_discard(bool has);

/* Returns the number of pools that exist. */
unsigned device_pools(void);

/* Limits the number of pools: a further one finds no memory. */
void device_limit_pools(unsigned most);

#endif
