/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the client's side share. */
#ifndef NOVART_SERVICE_CLIENT_H
#define NOVART_SERVICE_CLIENT_H

#include "novart/session.h"
#include "novart/sync.h"

struct nova_session {
        char service[NOVA_SERVICE_NAME_SIZE];
        char arguments[NOVA_SESSION_ARGUMENT_SIZE];
        nova_sel_t portals; /* session portals: + CPU, then share portals: + 2^order + CPU */
        unsigned order;     /* 2^order selectors are one for each CPU number */
        uint64_t cpus;      /* bit n: the service serves CPU n */
        unsigned share_max; /* pages that the service takes */
        nova_sel_t notify;  /* semaphore, NOVA_SEL_NONE: none */
        bool cancelled;     /* the next wait returns; any thread writes */
        void *share;
        unsigned share_pages;
        unsigned holders; /* who opened it, and deputies that are in a call; atomic */
};

/* The message, through a portal of the caller's CPU. @return 0 or an errno value */
int client_transact(nova_sel_t portal, struct nova_message *message);

/* The same through portals + CPU, by a thread on one of @p cpus; until a deadline (TSC), or until
 * the message is cancelled. Then the thread may be left behind in the call, so the session whose
 * portals they are (NULL: of none, and the caller waits for the end) stays until that is over. */
int client_deputy(nova_sel_t portals, uint64_t cpus, struct nova_message *message,
                  uint64_t deadline, struct nova_session *session);

/* Let a session go; who does it last ends it. */
void client_let_go(struct nova_session *session);

/* Takes shared memory back without asking the service. */
void client_withdraw_share(struct nova_session *session);

/* Through portals + CPU, by the caller if it is on one of @p cpus, else by a deputy. */
int client_call(nova_sel_t portals, uint64_t cpus, struct nova_message *message);

/* errno value of a call's status. */
int client_errno(nova_word_t status);

/* CPUs of the program for which there is a portal at portals + CPU. */
uint64_t client_cpus(nova_sel_t portals);

#endif
