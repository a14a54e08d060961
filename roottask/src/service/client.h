/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of the client's side share. */
#ifndef NOVART_SERVICE_CLIENT_H
#define NOVART_SERVICE_CLIENT_H

#include "nova/utcb.h"
#include "novart/session.h"
#include "novart/sync.h"

/* Order of the window beyond that of the session portals: the window receives session portals and
 * as many share portals. */
#define CLIENT_WINDOW_MORE 1

struct nova_session {
        char service[NOVA_SERVICE_NAME_SIZE];
        char arguments[NOVA_SESSION_ARGUMENT_SIZE];
        nova_sel_t portals;      /* session portals: + CPU, then share portals: + 2^order + CPU */
        unsigned order;          /* 2^order selectors: one for each CPU number */
        uint64_t cpus;           /* bit n: the service serves CPU n */
        unsigned share_max;      /* pages that the service accepts */
        struct nova_mutex setup; /* protects the three fields below */
        nova_sel_t notify;       /* semaphore, NOVA_SEL_NONE: none */
        nova_sel_t offered;      /* semaphore that the service may have received; NOVA_SEL_NONE:
                                  * none */
        bool notified;           /* requests notifications, also after each reopening */
        bool trusting;           /* opening the session proves who the client is */
        bool cancelled;          /* the next wait returns ECANCELED; any thread may write it */
        void *share;             /* memory to share, and to share again after a reopening; NULL:
                                    none */
        unsigned share_pages;
        bool doubt;   /* a call was abandoned, or the opening had a deadline, so the service may not
                       * answer when the session is closed; any thread may write it */
        bool closing; /* is in the list of novart_client_is_closing() */
        struct nova_session *next_closing; /* next session in this list, under the list's mutex */
};

/* Memory to share. A SHARE message offers it, and identifies the session by a session portal. */
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

/* The pauses of a client that repeats a call. They grow, so that many clients that wait for a
 * service leave it time to start. */
struct client_patience {
        unsigned left;     /* number of pauses before the client gives up */
        uint64_t deadline; /* TSC value at which a pause ends early */
        uint64_t pause;    /* length of the next pause in ns; 1 ms follows 0 */
};

/* Begins to wait for up to five seconds. */
struct client_patience novart_client_patience(uint64_t deadline);

/* Pauses before the next attempt.
 * @return false, at once, if the client has paused often enough */
bool novart_client_pause(struct client_patience *patience);

/* Calls through a portal of the caller's CPU.
 * @return 0 or an errno value */
int novart_client_transact(nova_sel_t portal, struct nova_message *message,
                           const struct client_share *share);

/* Calls through a call thread on one of the CPUs, until a deadline (TSC) or until the message is
 * cancelled. @p left receives true if the call was abandoned. */
int novart_client_call_async(const struct client_call *call, uint64_t deadline, bool *left);

/* Calls directly if the caller is on one of the CPUs, otherwise through a call thread. */
int novart_client_call(const struct client_call *call);

/* Makes the call of a session on a chosen CPU, through a call thread if the caller is on another
 * one. @return ENODEV: the program or the service may not use the CPU; or as nova_session_call() */
int novart_client_call_on(struct nova_session *session, nova_word_t cpu,
                          struct nova_message *message);

/* Makes the call of a session, through a call thread if the call has a deadline or can be
 * cancelled, or if the caller's CPU is not served. */
int novart_client_call_until(struct nova_session *session, const struct client_call *call,
                             uint64_t deadline);

/* Makes the call of a session, and repeats it while the service answers EAGAIN.
 * @return ENOMEM: the service lacked kernel memory for five seconds; or as
 * novart_client_call_until() */
int novart_client_persist(struct nova_session *session, const struct client_call *call,
                          uint64_t deadline);

/* Appends the memory to a message.
 * @return 0, or EINVAL if there is no room */
int novart_client_put_share(struct nova_utcb *utcb, const struct client_share *share);

/* Opens a session, which no other thread knows yet, with new portals.
 * @return as nova_session_open() */
int novart_client_open(struct nova_session *session);

/* Opens a session in another thread, at most until a deadline. Takes ownership of @p session.
 * @return ETIMEDOUT, or as novart_client_open() */
int novart_client_open_until(struct nova_session **opened, struct nova_session *session,
                             uint64_t deadline);

/* Closes a session, which may be partly open, and frees it. May wait for the service. */
void novart_client_finish(struct nova_session *session);

/* Puts a session into the list of sessions that are being closed, unless it is there already.
 * novart_client_finish() removes it. */
void novart_client_begin_close(struct nova_session *session);

/* Returns true if any thread is closing a session with this service. The service may count the
 * session until it answers. */
bool novart_client_is_closing(const char *service);

/* Revokes the shared memory from the service. */
void novart_client_take_back(const struct nova_session *session);

/* Waits for a notification as nova_session_wait() does, for a loop that asks the service again.
 * After the deadline, pending notifications do not count, because a service may send them without
 * end. */
int novart_client_wait_again(struct nova_session *session, uint64_t deadline);

/* Returns the errno value of a call's status. */
int novart_client_errno(nova_word_t status);

/* Returns the CPUs of the program for which there is a portal at portals + CPU. */
uint64_t novart_client_cpus(nova_sel_t portals);

#endif
