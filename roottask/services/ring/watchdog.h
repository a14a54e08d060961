/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends the program if its device does not complete a request, or if a thread does not complete its
 * work with the service's lock. init then starts the program again. */
#ifndef NOVART_RING_WATCHDOG_H
#define NOVART_RING_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* The work that the watchdog observes. */
struct watch {
        uint64_t limit_ns; /* time until the program ends; 0: no watchdog */
        /* Returns true if the device has a request, and sets @p age to the largest
         * watchdog_age() of all requests. Called without the lock. */
        bool (*oldest)(uint32_t *age);
};

/* Starts the watchdog.
 * @return 0 or an errno value */
int watchdog_start(const struct watch *of);

/* Returns a stamp for a request that starts; never 0. */
uint32_t watchdog_stamp(void);

/* Returns the number of checks by the watchdog since a stamp. */
uint32_t watchdog_age(uint32_t stamp);

/* Called before a thread takes the lock, and after its work. */
void watchdog_begin(void);
void watchdog_end(void);

#endif
