/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions of one service: slots, the number of sessions of each client, and the session that a
 * portal names. Makes no hypercalls. All functions are called with the service's lock held. */
#ifndef NOVART_SESSION_TABLE_H
#define NOVART_SESSION_TABLE_H

#include <stdbool.h>

#include "nova/abi/hypercall.h"

/* States of a slot: FREE → OPENING → LIVE → CLOSING (calls are in progress) → RETIRED
 * (a handler may still get a message for the old session) → FREE. */
enum session_state {
        SESSION_FREE,
        SESSION_OPENING,
        SESSION_LIVE,
        SESSION_CLOSING,
        SESSION_RETIRED,
};

/* A session. */
struct session {
        char client[NOVA_NAME_SIZE + 1]; /* the name that the client's parent gave it */
        uint8_t state;
        bool begun;     /* the service's open function has accepted it, so its close function must
                         * be called */
        unsigned calls; /* number of handlers that are serving a call of it */
        unsigned next;  /* next slot in the list of free or retired slots */
        nova_sel_t pd;  /* the client's PD, which shows whether the client is alive; 0: none */
        nova_sel_t notify;
        void *share; /* memory that the client shares, NULL: none */
        unsigned share_pages;
        bool share_held; /* the memory stays until the session ends */
};

struct session_table {
        struct session *slots;
        unsigned slot_count;
        unsigned session_max; /* maximum number of sessions of all clients; fewer than slots */
        unsigned client_max;  /* maximum number of sessions of one client */
        unsigned open;        /* number of sessions that are neither FREE nor RETIRED */
        unsigned retired;
        unsigned free_head;
        unsigned retired_head;
        nova_sel_t portals; /* first session portal; slot s has 2^portal_order portals, which begin
                             * at portals + (s << portal_order) */
        unsigned portal_order;
};

/* Returns the number of slots for @p session_max sessions: a power of two, with some more so that
 * retired slots do not prevent a new session. */
unsigned novart_session_table_slots(unsigned session_max);

/* Initialises a table over @p slots, all of them free. */
void novart_session_table_init(struct session_table *table, struct session *slots,
                               unsigned slot_count, unsigned session_max, unsigned client_max);

/* Returns the first portal of a slot. */
nova_sel_t novart_session_portals(const struct session_table *table, const struct session *session);

/* Returns the live session that a portal names, or NULL. */
struct session *novart_session_find(const struct session_table *table, nova_sel_t portal);

/* Takes a free slot for a client, in state OPENING. Returns 0, or EMFILE: the client has reached
 * its limit; ENFILE: the service has reached its limit; EAGAIN: only retired slots are left. */
int novart_session_take(struct session_table *table, const char client[NOVA_NAME_SIZE],
                        struct session **session);

/* Returns the number of a client's sessions. */
unsigned novart_session_count(const struct session_table *table, const char client[NOVA_NAME_SIZE]);

/* Returns true if any session is closing, or any slot is retired. */
bool novart_session_ending(const struct session_table *table);

/* Begins the end of a live session: no call finds it any more. Returns true if no handler works for
 * it; the caller then finishes it. Otherwise the last handler that leaves finishes it. */
bool novart_session_close(struct session *session);

/* Records that a handler leaves. Returns true if the session is closing and this was its last
 * handler. */
bool novart_session_leave(struct session *session);

/* Finishes a session. Its slot can be reused at once if @p at_once is true, else after
 * novart_session_release(). */
void novart_session_finish(struct session_table *table, struct session *session, bool at_once);

/* Removes all retired slots from the table. Returns the head of their list; @p count receives their
 * number. */
unsigned novart_session_retired_take(struct session_table *table, unsigned *count);

/* Frees a list of slots of novart_session_retired_take(). */
void novart_session_release(struct session_table *table, unsigned head);

#define SESSION_NONE ((unsigned)-1)

#endif
