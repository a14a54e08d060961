/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated device. The test decides when its requests end. */
#ifndef TESTS_BLOCK_DEVICE_H
#define TESTS_BLOCK_DEVICE_H

#include "block/server.h"

#define DEVICE_BLOCKS 1024
#define DEVICE_DEPTH  40

/* Starts the service `blocks`. */
int device_start(void);

/* Chooses whether later requests end at once (false), or when device_end() is called (true). */
void device_hold(bool hold);

/* Returns the number of requests in flight. */
unsigned device_in_flight(void);

/* Ends one of the requests in flight. Position 0 is the request that started first.
 * @return its session; NULL: there is no request at this position */
const void *device_end(unsigned position);

/* Ends the `count` requests that started first. The service runs only after the last one ended. */
void device_end_many(unsigned count);

/* Chooses whether sessions that are opened later support discards. */
void device_set_discard(bool has);

/* Returns the number of pools that exist. */
unsigned device_pools(void);

/* Limits the number of pools: a further one finds no memory. */
void device_limit_pools(unsigned most);

#endif
