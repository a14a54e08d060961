/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side: opens sessions, and waits for services that are starting. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "parent_registry.h"
#include "registry.h"

/* Returns the order of a range with one selector for each CPU number that the program may use. */
static unsigned cpu_order(void)
{
        unsigned order = 0;

        while (order < 6 && nova_program.cpus >> (1u << order))
                order++;
        return order;
}

/* Returns the errno value for a service that has no control portal on the program's CPUs. If it has
 * none on other CPUs either, it has ended since the client found it. */
static int why_unreachable(nova_sel_t control)
{
        for (nova_sel_t sel = control; sel < control + NOVA_CPU_MAX; sel++) {
                nova_crd_t crd = nova_crd_obj(sel, 0, NOVA_PERM_ALL);

                if (nova_lookup(&crd) == NOVA_SUCCESS && crd)
                        return EHOSTUNREACH;
        }
        return ECONNRESET;
}

static int call_open(struct nova_session *session, nova_sel_t control)
{
        nova_word_t words[2 + NOVA_SESSION_ARGUMENT_SIZE / sizeof(nova_word_t)] = {0};
        const size_t bytes = strlen(session->arguments);
        nova_word_t answer[1] = {0};
        struct nova_message message = {
                .operation = NOVA_OPERATION_OPEN,
                .words = words,
                .word_count = 2 + (unsigned)NOVA_WORDS_OF(bytes),
                .item_count = 1,
                .items = {nova_crd_obj(nova_program.pd, 0,
                                       NOVA_PD_SM | (session->trusting ? NOVA_SESSION_PROOF : 0u))},
                .window = nova_crd_obj(session->portals, session->order + CLIENT_WINDOW_MORE,
                                       NOVA_PERM_ALL),
                .answer = answer,
                .answer_max = 1,
        };

        words[0] = bytes;
        words[1] = session->order;
        memcpy(&words[2], session->arguments, bytes);

        const struct client_call call = {control, novart_client_cpus(control), &message, NULL};
        const int error = call.cpus ? novart_client_call(&call) : why_unreachable(control);

        session->share_max = (unsigned)answer[0];
        return error;
}

static int open_once(struct nova_session *session)
{
        nova_sel_t control;
        const bool ours = novart_registry_get(session->service, &control);
        int error = ours ? 0 : novart_parent_registry_open(session->service, &control);

        if (error)
                return error;
        error = call_open(session, control);
        if (ours)
                novart_registry_put(control);
        else
                novart_parent_registry_forget(control);
        if (error)
                return error;
        session->cpus = novart_client_cpus(session->portals);
        return session->cpus ? 0 : ECONNRESET; /* the portals ended with the service */
}

/* Opens a session. While this program closes another session with the service, a limit of sessions
 * may be about to have room again, so it counts as EAGAIN.
 * @return 0 or an errno value; @p limit receives the limit that was reached, or 0 */
static int try_open(struct nova_session *session, int *limit)
{
        const bool was_closing = novart_client_is_closing(session->service);
        const int error = open_once(session);
        const bool full = error == EMFILE || error == ENFILE;

        *limit = full ? error : 0;
        /* A close that ended during the attempt has made room, too. */
        return full && (was_closing || novart_client_is_closing(session->service)) ? EAGAIN : error;
}

int novart_client_open(struct nova_session *session)
{
        int error, limit;

        session->order = cpu_order();
        session->portals = nova_sel_alloc(session->order + CLIENT_WINDOW_MORE);
        if (session->portals == NOVA_SEL_NONE)
                return ENOMEM;

        struct client_patience patience = novart_client_patience(NOVA_FOREVER);

        do
                error = try_open(session, &limit);
        while (error == EAGAIN && novart_client_pause(&patience));
        return limit ? limit : error;
}

/* The record that a caller with a deadline shares with the thread that opens the session for the
 * caller. If the deadline comes first, both write `state`: the second one to write it sees the
 * other's value, and owns the session. */
enum opening_state { OPENING, OPENING_DONE, OPENING_LEFT };

struct opening {
        struct nova_session *session;
        uint32_t state; /* enum opening_state; atomic */
        int error;
};

static void *run(void *argument)
{
        struct opening *opening = (struct opening *)argument;

        opening->error = novart_client_open(opening->session);
        if (__atomic_exchange_n(&opening->state, OPENING_DONE, __ATOMIC_ACQ_REL) == OPENING_LEFT) {
                novart_client_finish(opening->session);
                free(opening);
        }
        return NULL;
}

static int wait_for(struct opening *opening, struct nova_thread *thread, uint64_t deadline)
{
        if (nova_thread_join_until(thread, NULL, deadline) == 0)
                return 0;
        if (__atomic_exchange_n(&opening->state, OPENING_LEFT, __ATOMIC_ACQ_REL) == OPENING_DONE)
                return nova_thread_join(thread, NULL);
        nova_thread_detach(thread);
        return ETIMEDOUT;
}

int novart_client_open_until(struct nova_session **opened, struct nova_session *session,
                             uint64_t deadline)
{
        const struct nova_thread_attr attr = {.cpu = NOVA_CPU_SELF, .daemon = true};
        struct opening *opening = calloc(1, sizeof(*opening));
        struct nova_thread *thread;
        int error = ENOMEM;

        if (opening) {
                opening->session = session;
                error = nova_thread_create(&thread, &attr, run, opening) ? ENOMEM : 0;
        }
        if (!error && wait_for(opening, thread, deadline))
                return ETIMEDOUT;
        if (!error)
                error = opening->error;
        if (error)
                novart_client_finish(session);
        else
                *opened = session;
        free(opening);
        return error;
}
