/* SPDX-License-Identifier: BSD-2-Clause */
/* A service of the runtime on the host, and its clients. The runtime's own code opens sessions,
 * reads each message from a UTCB and writes the answer. This file stands for the kernel and for
 * the rest of the runtime. It ends the test if the service loses a selector, releases one that it
 * does not have, or gives one that is not its own. */
#ifndef FUZZ_SERVICE_H
#define FUZZ_SERVICE_H

#include "novart/service.h"
#include "require.h"

#define CLIENT_SESSIONS 4 /* sessions of the test, each of a different client; see client_count */

/* Capabilities that a client sends with a message; 0: none. */
struct client_item {
        unsigned order, perms;
};

/* The answer to a call. */
struct client_answer {
        int error;
        unsigned words, gives;
        nova_word_t word[NOVA_MESSAGE_WORDS];
        nova_crd_t give[NOVA_REQUEST_GIVES];
};

/* Number of clients, initially CLIENT_SESSIONS: a session belongs to the client with its number
 * modulo client_count. */
extern unsigned client_count;

/* Opens a session; its client is named "client" and the client's number. */
int client_open(unsigned session, const void *argument, size_t bytes);

/* Calls an operation. A session that is not open has no portal, so nothing happens. */
void client_call(unsigned session, nova_word_t operation, const void *words, unsigned count,
                 const struct client_item *item, struct client_answer *answer);

bool client_is_open(unsigned session);

/* Returns the memory that a session shares with the service; NULL: none. */
uint8_t *client_share(unsigned session);

/* Sets whether the next copies from or to shared memory fail, as if the client had revoked its
 * pages. */
void client_revoke(bool revoked);

/* Lets the client die. The service notices it at the next sweep. */
void client_kill(unsigned session);

/* Runs the actions of nova_service_later() that wait for answers in flight. */
void client_deliver(void);

/* Closes all sessions, and ends the test unless each selector but one window is free. */
void client_end(void);

/* Returns true if a selector belongs to a block that was allocated and not released. */
bool selector_is_used(nova_sel_t sel);

/* Permits the program to keep a selector, even after the end of the input. */
void selector_keep(nova_sel_t sel);

/* Ends selector_keep(). The selector becomes free. */
void selector_drop(nova_sel_t sel);

/* Serves the program's hypercalls, except those by which the runtime identifies clients. NULL: each
 * one succeeds and changes nothing. */
extern nova_word_t (*service_hypercall)(nova_word_t id, nova_word_t *a2, nova_word_t *a3);

/* Sets whether nova_service_lock() fails, so that a thread of the program that takes the lock in a
 * loop ends. */
void service_end_threads(bool ends);

#endif
