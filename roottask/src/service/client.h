/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the client's side share. */
#ifndef NOVART_SERVICE_CLIENT_H
#define NOVART_SERVICE_CLIENT_H

#include "nova/utcb.h"
#include "novart/session.h"
#include "novart/sync.h"

/* Session portals and share portals: twice as many selectors. */
#define CLIENT_WINDOW_MORE 1

struct nova_session {
        char service[NOVA_SERVICE_NAME_SIZE];
        char arguments[NOVA_SESSION_ARGUMENT_SIZE];
        nova_sel_t portals;      /* session portals: + CPU, then share portals: + 2^order + CPU */
        unsigned order;          /* 2^order selectors are one for each CPU number */
        uint64_t cpus;           /* bit n: the service serves CPU n */
        unsigned share_max;      /* pages that the service takes */
        struct nova_mutex setup; /* of the three below */
        nova_sel_t notify;       /* semaphore, NOVA_SEL_NONE: none */
        nova_sel_t offered;      /* one that the service may have got, NOVA_SEL_NONE: none */
        bool notified;           /* is wanted, also when the session is opened again */
        bool cancelled;          /* the next wait returns; any thread writes */
        void *share;             /* is wanted, as above */
        unsigned share_pages;
        bool doubt; /* a call was given up, or opening has a deadline: the service may not answer
                       when the session is closed; any thread writes */
};

/* Memory for a message of its own kind: a session portal identifies its session. */
struct client_share {
        const void *memory;
        unsigned pages;
        nova_sel_t portal;
};

/* A call: through portals + CPU, on one of @c cpus. */
struct client_call {
        nova_sel_t portals;
        uint64_t cpus;
        struct nova_message *message;
        const struct client_share *share; /* NULL: none */
};

/* The call through a portal of the caller's CPU. @return 0 or an errno value */
int novart_client_transact(nova_sel_t portal, struct nova_message *message,
                           const struct client_share *share);

/* The same by a thread on one of its CPUs; until a deadline (TSC), or until the message is
 * cancelled. @p left is set to whether the call was given up. */
int novart_client_call_async(const struct client_call *call, uint64_t deadline, bool *left);

/* By the caller if it is on one of the CPUs, else by a call thread. */
int novart_client_call(const struct client_call *call);

/* The call of a session; by a call thread, too, if it has a deadline or can be cancelled. */
int novart_client_call_until(struct nova_session *session, const struct client_call *call,
                             uint64_t deadline);

/* Append the memory to a message. @return 0, or EINVAL if there is no room */
int novart_client_put_share(struct nova_utcb *utcb, const struct client_share *share);

/* Open a session that nobody knows yet, into new portals. @return as nova_session_open() */
int novart_client_open(struct nova_session *session);

/* The same by a thread, until a deadline only; takes the session. @return ETIMEDOUT, or so */
int novart_client_open_until(struct nova_session **opened, struct nova_session *session,
                             uint64_t deadline);

/* Close a session, as far as it is open, and free it. May wait for the service. */
void novart_client_finish(struct nova_session *session);

/* Take the memory away that the service got. */
void novart_client_take_back(const struct nova_session *session);

/* errno value of a call's status. */
int novart_client_errno(nova_word_t status);

/* CPUs of the program for which there is a portal at portals + CPU. */
uint64_t novart_client_cpus(nova_sel_t portals);

#endif
