/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side: opens, closes and reopens sessions. */
#include "novart/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "novart/selector.h"
#include "novart/thread.h"

static struct nova_session *create(const char *service, const char *arguments)
{
        struct nova_session *session = calloc(1, sizeof(*session));

        if (!session)
                return NULL;
        memcpy(session->service, service, strlen(service) + 1);
        if (arguments)
                memcpy(session->arguments, arguments, strlen(arguments) + 1);
        session->notify = NOVA_SEL_NONE;
        session->offered = NOVA_SEL_NONE;
        session->portals = NOVA_SEL_NONE;
        return session;
}

static int open_session(struct nova_session **opened, const char *service, const char *arguments,
                        uint64_t deadline, bool trusting)
{
        if (strlen(service) >= NOVA_SERVICE_NAME_SIZE ||
            (arguments && strlen(arguments) >= NOVA_SESSION_ARGUMENT_SIZE))
                return EINVAL;

        struct nova_session *session = create(service, arguments);

        if (!session)
                return ENOMEM;
        session->trusting = trusting;
        session->doubt = deadline != NOVA_FOREVER;
        if (session->doubt)
                return novart_client_open_until(opened, session, deadline);

        const int error = novart_client_open(session);

        if (error)
                novart_client_finish(session);
        else
                *opened = session;
        return error;
}

int nova_session_open_until(struct nova_session **opened, const char *service,
                            const char *arguments, uint64_t deadline)
{
        return open_session(opened, service, arguments, deadline, false);
}

int nova_session_open(struct nova_session **opened, const char *service, const char *arguments)
{
        return open_session(opened, service, arguments, NOVA_FOREVER, false);
}

int nova_session_open_trusting(struct nova_session **opened, const char *service,
                               const char *arguments)
{
        return open_session(opened, service, arguments, NOVA_FOREVER, true);
}

static struct nova_mutex closing_lock = NOVA_MUTEX_INITIALIZER; /* protects the list */
static struct nova_session *closing;                            /* sessions that are being closed */

void novart_client_begin_close(struct nova_session *session)
{
        if (session->closing)
                return;
        nova_mutex_lock(&closing_lock);
        session->closing = true;
        session->next_closing = closing;
        closing = session;
        nova_mutex_unlock(&closing_lock);
}

static void end_close(struct nova_session *session)
{
        struct nova_session **link = &closing;

        if (!session->closing)
                return;
        nova_mutex_lock(&closing_lock);
        while (*link != session)
                link = &(*link)->next_closing;
        *link = session->next_closing;
        nova_mutex_unlock(&closing_lock);
}

bool novart_client_is_closing(const char *service)
{
        const struct nova_session *session;

        nova_mutex_lock(&closing_lock);
        for (session = closing; session && strcmp(session->service, service) != 0;)
                session = session->next_closing;
        nova_mutex_unlock(&closing_lock);
        return session;
}

void novart_client_finish(struct nova_session *session)
{
        struct nova_message message = {.operation = NOVA_OPERATION_CLOSE};
        const struct client_call call = {session->portals, session->cpus, &message, NULL};

        if (call.cpus) {
                novart_client_begin_close(session);
                novart_client_call(&call);
        }
        end_close(session);
        if (session->portals != NOVA_SEL_NONE)
                nova_sel_release(session->portals, session->order + CLIENT_WINDOW_MORE);
        free(session);
}

static void *run_finish(void *argument)
{
        novart_client_finish((struct nova_session *)argument);
        return NULL;
}

/* Calls novart_client_finish() in another thread, because the service may not answer. The thread
 * has the lowest priority, because the service may use up all the time that the thread donates. */
static void finish_later(struct nova_session *session)
{
        const uint64_t here = (uint64_t)1 << nova_thread_cpu();
        const uint64_t cpus = session->cpus & here ? here : session->cpus;
        const struct nova_thread_attr attr = {.name = "closer",
                                              .cpu = (nova_word_t)__builtin_ctzll(cpus),
                                              .priority = 1,
                                              .stack_bytes = NOVA_THREAD_STACK_MIN,
                                              .daemon = true};
        struct nova_thread *thread;

        if (nova_thread_create(&thread, &attr, run_finish, session) == 0) {
                nova_thread_detach(thread);
                return;
        }
        session->cpus = 0; /* the service notices the close when this program ends */
        novart_client_finish(session);
}

void nova_session_close(struct nova_session *session)
{
        if (session->cpus)
                novart_client_begin_close(session);
        /* These steps take the memory and the semaphore from the service, even if it does not
         * answer. */
        novart_client_take_back(session);
        if (session->notify != NOVA_SEL_NONE)
                nova_sel_release(session->notify, 0);
        if (session->offered != NOVA_SEL_NONE)
                nova_sel_release(session->offered, 0);
        if (session->cpus && __atomic_load_n(&session->doubt, __ATOMIC_RELAXED))
                finish_later(session);
        else
                novart_client_finish(session);
}

/* Moves the resources of another session into this one and frees the other. */
static void take_over(struct nova_session *session, struct nova_session *fresh)
{
        session->portals = fresh->portals;
        session->order = fresh->order;
        session->cpus = fresh->cpus;
        session->share_max = fresh->share_max;
        session->doubt = fresh->doubt;
        free(fresh);
}

/* Closes a session like nova_session_close(), but keeps the object and its settings. */
static int leave(struct nova_session *session)
{
        struct nova_session *old = malloc(sizeof(*old));

        if (!old)
                return ENOMEM;
        *old = *session; /* is in no list: no thread closes it yet */
        session->portals = NOVA_SEL_NONE;
        session->cpus = 0;
        session->notify = NOVA_SEL_NONE;
        session->offered = NOVA_SEL_NONE;
        nova_session_close(old);
        return 0;
}

int nova_session_reopen_until(struct nova_session *session, uint64_t deadline)
{
        void *const share = session->share;
        struct nova_session *fresh;
        int error = leave(session);

        if (!error)
                error = open_session(&fresh, session->service, session->arguments, deadline,
                                     session->trusting);
        if (error)
                return error;
        take_over(session, fresh);
        if (session->notified)
                error = nova_session_enable_notify_until(session, deadline);
        if (!error && share) {
                error = nova_session_share_until(session, share, session->share_pages, deadline);
                session->share = share; /* the next attempt shares it again */
        }
        return error;
}

int nova_session_reopen(struct nova_session *session)
{
        return nova_session_reopen_until(session, NOVA_FOREVER);
}

const char *nova_session_service(const struct nova_session *session)
{
        return session->service;
}

nova_sel_t nova_session_portals(const struct nova_session *session)
{
        return session->portals;
}
