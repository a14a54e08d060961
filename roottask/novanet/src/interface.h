/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's network interface: it transfers frames through a session with a network service. */
#ifndef NOVANET_INTERFACE_H
#define NOVANET_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"

/* The one interface. lwIP's lock protects it. */
extern struct netif novanet_interface;

/* Opens the session. @return as nova_net_open() */
int novanet_open(const char *service);

/* Adds the interface to lwIP, without addresses. The caller holds lwIP's lock. */
void novanet_add_interface(void);

/* Starts the thread that waits for frames. @return as nova_thread_create() */
int novanet_start_thread(void);

/* Watches for other machines that use an IPv4 address. */
void novanet_watch(const ip4_addr_t *address);

/* Returns true if another machine uses the address. */
bool novanet_is_taken(void);

/* Returns true if the card has a cable. */
bool novanet_has_cable(void);

/* recover.c: resends unacknowledged data after the service has come back. For a caller with lwIP's
 * lock. */
void novanet_recover(void);

/* recover.c: sends the frames for which there was no buffer. For a caller with lwIP's lock. */
void novanet_send_rest(void);

#endif
