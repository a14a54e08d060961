/* SPDX-License-Identifier: BSD-2-Clause */
/* A service with rings: its lock, its watchdog, and the thread that sleeps at the doorbell. */
#ifndef NOVART_RING_SERVE_H
#define NOVART_RING_SERVE_H

#include <stdbool.h>

#include "novart/service.h"
#include "watchdog.h"

/* Functions that serve_all() calls while it holds the lock. */
struct serve_turns {
        bool (*round)(void);      /* gives a turn to each client; false: nothing was left */
        void (*wait)(bool waits); /* shows the clients whether the doorbell needs an up */
        bool (*pending)(void);    /* true: a request waits that round() would take */
        void (*finish)(void);     /* notifies the device and the clients */
        unsigned rounds;          /* number of rounds after which handlers get the lock */
};

/* Serves all clients. If requests are left after the rounds, the doorbell's thread continues.
 * Called with the lock held. */
void serve_all(const struct serve_turns *turns);

/* Starts a service.
 * @param config   the service
 * @param watch    the work that the watchdog observes; it may have no limit
 * @param function called with the lock held, after a client has rung the doorbell
 * @return 0 or an errno value */
int serve_start(const struct nova_service_config *config, const struct watch *watch,
                void (*function)(void));

/* Returns the service. */
struct nova_service *serve_service(void);

/* Returns the semaphore on which all clients do ups. */
nova_sel_t serve_doorbell(void);

/* Takes and releases the lock, for a thread of the program that waits for something else. @return
 * false: the service is ending */
bool serve_lock(void);
void serve_unlock(void);

#endif
