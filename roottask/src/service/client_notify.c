/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side: notifications. */
#include <errno.h>

#include "client.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/time.h"

#define LOOK_NS 1000000000 /* time in ns between two checks whether the service is alive */

static nova_sel_t notify_of(const struct nova_session *session)
{
        return __atomic_load_n(&session->notify, __ATOMIC_SEQ_CST);
}

/* Returns a semaphore for notifications, or NOVA_SEL_NONE. */
static nova_sel_t create(void)
{
        const nova_sel_t sm = nova_sel_alloc(0);

        if (sm == NOVA_SEL_NONE || nova_create_sm(sm, nova_program.pd, 0) == NOVA_SUCCESS)
                return sm;
        nova_sel_free(sm, 0);
        return NOVA_SEL_NONE;
}

/* Enables notifications. An earlier request that was abandoned may have reached the service. So
 * every request offers the same semaphore, and if the service already has a semaphore, it is this
 * one. */
static int enable(struct nova_session *session, uint64_t deadline)
{
        const bool again = session->offered != NOVA_SEL_NONE;

        if (!again)
                session->offered = create();
        if (session->offered == NOVA_SEL_NONE)
                return ENOMEM;

        struct nova_message message = {.operation = NOVA_OPERATION_NOTIFY,
                                       .item_count = 1,
                                       .items = {nova_crd_obj(session->offered, 0, NOVA_SM_UP)}};
        const struct client_call call = {session->portals, session->cpus, &message, NULL};
        int error = novart_client_persist(session, &call, deadline);

        if (error == ETIMEDOUT)
                return error;
        if (error == EEXIST && again)
                error = 0;
        if (error)
                nova_sel_release(session->offered, 0);
        else
                __atomic_store_n(&session->notify, session->offered, __ATOMIC_SEQ_CST);
        session->offered = NOVA_SEL_NONE;
        return error;
}

int nova_session_enable_notify_until(struct nova_session *session, uint64_t deadline)
{
        int error = nova_mutex_lock_until(&session->setup, deadline);

        if (error)
                return error;
        if (session->notify == NOVA_SEL_NONE)
                error = enable(session, deadline);
        if (!error)
                session->notified = true;
        nova_mutex_unlock(&session->setup);
        return error;
}

int nova_session_enable_notify(struct nova_session *session)
{
        return nova_session_enable_notify_until(session, NOVA_FOREVER);
}

/* Returns true if the service still has the session. The session's portals end with the session. */
static bool alive(const struct nova_session *session)
{
        return session->cpus & novart_client_cpus(session->portals);
}

int nova_session_wait(struct nova_session *session, uint64_t deadline)
{
        const int error = notify_of(session) == NOVA_SEL_NONE
                                  ? nova_session_enable_notify_until(session, deadline)
                                  : 0;

        if (error)
                return error;
        for (;;) {
                const uint64_t look = nova_deadline_in(LOOK_NS);
                const enum nova_status status = nova_sm_down_until(
                        notify_of(session), NOVA_SM_ZC, look < deadline ? look : deadline);

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

int novart_client_wait_again(struct nova_session *session, uint64_t deadline)
{
        return nova_rdtsc() >= deadline ? ETIMEDOUT : nova_session_wait(session, deadline);
}

void nova_session_cancel(struct nova_session *session)
{
        __atomic_store_n(&session->cancelled, true, __ATOMIC_SEQ_CST);

        const nova_sel_t notify = notify_of(session);

        if (notify != NOVA_SEL_NONE)
                nova_sm_up(notify);
}
