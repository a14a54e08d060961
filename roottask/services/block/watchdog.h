/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends the program if its device completes no request, or if a thread does not complete its work
 * with the service's lock. init then starts the program again. */
#ifndef NOVART_BLOCK_WATCHDOG_H
#define NOVART_BLOCK_WATCHDOG_H

#include <stdint.h>

/* What the watchdog looks at. The counters are written by others. */
struct block_watch {
        const char *name;         /* of the service, for messages */
        uint64_t limit_ns;        /* time until the program ends; 0: no watchdog */
        const uint32_t *requests; /* that the device has */
        const uint32_t *progress; /* number of requests that the device has ended */
};

/* Starts the watchdog.
 * @return 0 or an errno value */
int block_watchdog_start(const struct block_watch *of);

/* Called before a thread takes the lock, and after its work. */
void block_watchdog_begin(void);
void block_watchdog_end(void);

#endif
