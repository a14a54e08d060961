/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends the program if its device does not complete a request, or if a thread does not complete its
 * work with the service's lock. init then starts the program again. */
#ifndef NOVART_BLOCK_WATCHDOG_H
#define NOVART_BLOCK_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* The work that the watchdog observes. */
struct block_watch {
        uint64_t limit_ns; /* time until the program ends; 0: no watchdog */
        /* Returns true if the device has a request, and sets @p age to the largest
         * block_watchdog_age() of all requests. Called without the lock. */
        bool (*oldest)(uint32_t *age);
};

/* Starts the watchdog.
 * @return 0 or an errno value */
int block_watchdog_start(const struct block_watch *of);

/* Returns a stamp for a request that starts; never 0. */
uint32_t block_watchdog_stamp(void);

/* Returns the number of checks by the watchdog since a stamp. */
uint32_t block_watchdog_age(uint32_t stamp);

/* Called before a thread takes the lock, and after its work. */
void block_watchdog_begin(void);
void block_watchdog_end(void);

#endif
