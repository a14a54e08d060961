/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions of one service: slots, who holds how many, and which portals name which session. No
 * hypercalls in here. All functions want the service's lock held. */
#ifndef NOVART_SESSION_TABLE_H
#define NOVART_SESSION_TABLE_H

#include <stdbool.h>

#include "nova/abi/hypercall.h"

/* A slot's life: FREE → OPENING → LIVE → CLOSING (calls are still inside) → RETIRED (a
 * message for the old session may still be on its way to a handler) → FREE. */
enum session_state {
        SESSION_FREE,
        SESSION_OPENING,
        SESSION_LIVE,
        SESSION_CLOSING,
        SESSION_RETIRED,
};

/* What is known of one session. */
struct session {
        char client[NOVA_NAME_SIZE + 1]; /* the name that the client's parent gave it */
        uint8_t state;
        bool begun;     /* the service's own part has, and is to be closed */
        unsigned calls; /* handlers that work for it now */
        unsigned next;  /* slot behind it in the list of free or retired ones */
        nova_sel_t pd;  /* the client's PD, to find out whether it lives; 0: none */
        nova_sel_t notify;
        void *share; /* memory that the client shares, NULL: none */
        unsigned share_pages;
};

struct session_table {
        struct session *slots;
        unsigned slot_count;
        unsigned session_max; /* sessions of all clients; fewer than slots */
        unsigned client_max;  /* sessions of one client */
        unsigned open;        /* sessions that are not FREE and not RETIRED */
        unsigned retired;
        unsigned free_head;
        unsigned retired_head;
        nova_sel_t portals; /* portals of slot s: 2^portal_order from here + (s << order) on */
        unsigned portal_order;
};

/* Slots for @p session_max sessions: a power of two, with some more so that retired slots do not
 * keep a new session out. */
unsigned novart_session_table_slots(unsigned session_max);

/* Prepare a table over @p slots, all of them free. */
void novart_session_table_init(struct session_table *table, struct session *slots,
                               unsigned slot_count, unsigned session_max, unsigned client_max);

/* First portal of a slot. */
nova_sel_t novart_session_portals(const struct session_table *table, const struct session *session);

/* The live session that a portal names, or NULL. */
struct session *novart_session_find(const struct session_table *table, nova_sel_t portal);

/* Take a free slot for a client, in state OPENING. 0, or EMFILE: the client has as many as it may;
 * ENFILE: the service has; EAGAIN: only retired slots are left. */
int novart_session_take(struct session_table *table, const char client[NOVA_NAME_SIZE],
                        struct session **session);

/* Number of a client's sessions. */
unsigned novart_session_count(const struct session_table *table, const char client[NOVA_NAME_SIZE]);

/* A live session is to end: no call finds it any more. True if no handler works for it, so that the
 * caller has to finish it; else the last handler that leaves has to. */
bool novart_session_close(struct session *session);

/* A handler leaves. True if the session is closing and this was the last one. */
bool novart_session_leave(struct session *session);

/* Finishes a session: its slot can be used again, at once or after novart_session_release(). */
void novart_session_finish(struct session_table *table, struct session *session, bool at_once);

/* Take all retired slots off the table: the head of their list; @p count how many there are. */
unsigned novart_session_retired_take(struct session_table *table, unsigned *count);

/* Make a list of slots that novart_session_retired_take() gave free. */
void novart_session_release(struct session_table *table, unsigned head);

#define SESSION_NONE ((unsigned)-1)

#endif
