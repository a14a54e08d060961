/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side: opening and closing sessions, notifications, shared memory. */
#include "novart/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/error.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "registry.h"
#include "upward.h"

#define AGAIN_NS    1000000    /* between two tries */
#define AGAIN_MAX   5000       /* tries until the service or its start counts as stuck */
#define LOOK_NS     1000000000 /* between two looks at whether the service lives */
#define WINDOW_MORE 1          /* session portals and share portals: twice as many selectors */

/* Order of a range with one selector for each CPU number that the program may use. */
static unsigned cpu_order(void)
{
        unsigned order = 0;

        while (order < 6 && nova_program.cpus >> (1u << order))
                order++;
        return order;
}

static int call_open(struct nova_session *session, nova_sel_t control)
{
        nova_word_t words[1 + NOVA_SESSION_ARGUMENT_SIZE / sizeof(nova_word_t)] = {0};
        const size_t bytes = strlen(session->arguments);
        nova_word_t answer[1] = {0};
        struct nova_message message = {
                .operation = NOVA_OPERATION_OPEN,
                .words = words,
                .word_count = 1 + (unsigned)NOVA_WORDS_OF(bytes),
                .item_count = 1,
                .items = {nova_crd_obj(nova_program.pd, 0, NOVA_PD_SM)},
                .window =
                        nova_crd_obj(session->portals, session->order + WINDOW_MORE, NOVA_PERM_ALL),
                .answer = answer,
                .answer_max = 1,
        };

        words[0] = bytes;
        memcpy(&words[1], session->arguments, bytes);

        const int error = client_call(control, client_cpus(control), &message);

        session->share_max = (unsigned)answer[0];
        return error;
}

static int open_once(struct nova_session *session)
{
        nova_sel_t control;
        const bool ours = registry_find(session->service, &control);
        int error = ours ? 0 : upward_open(session->service, &control);

        if (error)
                return error;
        error = call_open(session, control);
        if (!ours)
                upward_forget(control);
        if (error)
                return error;
        session->cpus = client_cpus(session->portals);
        return session->cpus ? 0 : EHOSTUNREACH;
}

/* Opens into selectors that are taken already. */
static int open_session(struct nova_session *session)
{
        int error = EAGAIN;

        for (unsigned tries = 0; tries < AGAIN_MAX; tries++) {
                error = open_once(session);
                if (error != EAGAIN)
                        return error;
                nova_sleep(AGAIN_NS);
        }
        return error;
}

int nova_session_open(struct nova_session **opened, const char *service, const char *arguments)
{
        if (strlen(service) >= NOVA_SERVICE_NAME_SIZE ||
            (arguments && strlen(arguments) >= NOVA_SESSION_ARGUMENT_SIZE))
                return EINVAL;

        struct nova_session *session = calloc(1, sizeof(*session));

        if (!session)
                return ENOMEM;
        memcpy(session->service, service, strlen(service) + 1);
        if (arguments)
                memcpy(session->arguments, arguments, strlen(arguments) + 1);
        session->notify = NOVA_SEL_NONE;
        session->holders = 1;
        session->order = cpu_order();
        session->portals = nova_sel_alloc(session->order + WINDOW_MORE);

        int error = session->portals == NOVA_SEL_NONE ? ENOMEM : open_session(session);

        if (error) {
                nova_session_close(session);
                return error;
        }
        *opened = session;
        return 0;
}

int nova_session_reopen(struct nova_session *session)
{
        struct nova_message close = {.operation = NOVA_OPERATION_CLOSE};
        const bool notified = session->notify != NOVA_SEL_NONE;

        nova_session_call(session, &close);
        nova_revoke(nova_crd_obj(session->portals, session->order + WINDOW_MORE, NOVA_PERM_ALL),
                    NOVA_REVOKE_SR);
        session->cpus = 0;

        int error = open_session(session);

        if (!error && notified) {
                nova_sel_release(session->notify, 0);
                session->notify = NOVA_SEL_NONE;
                error = nova_session_enable_notify(session);
        }
        if (!error && session->share)
                error = nova_session_share(session, session->share, session->share_pages);
        return error;
}

void client_let_go(struct nova_session *session)
{
        struct nova_message message = {.operation = NOVA_OPERATION_CLOSE};

        if (__atomic_sub_fetch(&session->holders, 1, __ATOMIC_ACQ_REL))
                return;
        if (session->cpus)
                nova_session_call(session, &message);
        if (session->portals != NOVA_SEL_NONE)
                nova_sel_release(session->portals, session->order + WINDOW_MORE);
        if (session->notify != NOVA_SEL_NONE)
                nova_sel_release(session->notify, 0);
        free(session);
}

/* A service in which a call was left behind might never answer another one either: the deputy of
 * that call closes the session when it comes back. */
void nova_session_close(struct nova_session *session)
{
        const bool left_behind = __atomic_load_n(&session->holders, __ATOMIC_ACQUIRE) > 1;

        if (session->share && left_behind)
                client_withdraw_share(session);
        else if (session->share)
                nova_session_unshare(session);
        client_let_go(session);
}

int nova_session_enable_notify(struct nova_session *session)
{
        if (session->notify != NOVA_SEL_NONE)
                return 0;

        const nova_sel_t sm = nova_sel_alloc(0);

        if (sm == NOVA_SEL_NONE)
                return ENOMEM;

        const enum nova_status status = nova_create_sm(sm, nova_program.pd, 0);
        struct nova_message message = {.operation = NOVA_OPERATION_NOTIFY,
                                       .item_count = 1,
                                       .items = {nova_crd_obj(sm, 0, NOVA_SM_UP)}};
        const int error = status == NOVA_SUCCESS ? nova_session_call(session, &message)
                                                 : nova_errno_of(status);

        if (error)
                nova_sel_release(sm, 0);
        else
                session->notify = sm;
        return error;
}

/* True if the service still has the session: its portals die with it. */
static bool alive(const struct nova_session *session)
{
        return session->cpus & client_cpus(session->portals);
}

int nova_session_wait(struct nova_session *session, uint64_t deadline)
{
        const int error = nova_session_enable_notify(session);

        if (error)
                return error;
        for (;;) {
                const uint64_t look = nova_deadline_in(LOOK_NS);
                const enum nova_status status = nova_sm_down_until(
                        session->notify, NOVA_SM_ZC, look < deadline ? look : deadline);

                if (__atomic_exchange_n(&session->cancelled, false, __ATOMIC_ACQ_REL))
                        return ECANCELED;
                if (status == NOVA_SUCCESS)
                        return 0;
                if (status != NOVA_COM_TIM || !alive(session))
                        return ECONNRESET;
                if (nova_rdtsc() >= deadline)
                        return ETIMEDOUT;
        }
}

void nova_session_cancel(struct nova_session *session)
{
        __atomic_store_n(&session->cancelled, true, __ATOMIC_RELEASE);
        if (session->notify != NOVA_SEL_NONE)
                nova_sm_up(session->notify);
}

const char *nova_session_service(const struct nova_session *session)
{
        return session->service;
}

nova_sel_t nova_session_portals(const struct nova_session *session)
{
        return session->portals;
}
