/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side: notifications. */
#include <errno.h>

#include "client.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/time.h"

#define LOOK_NS 1000000000 /* between two looks at whether the service lives */

static nova_sel_t notify_of(const struct nova_session *session)
{
        return __atomic_load_n(&session->notify, __ATOMIC_SEQ_CST);
}

static int enable(struct nova_session *session)
{
        const nova_sel_t sm = nova_sel_alloc(0);

        if (sm == NOVA_SEL_NONE)
                return ENOMEM;

        const enum nova_status status = nova_create_sm(sm, nova_program.pd, 0);
        struct nova_message message = {.operation = NOVA_OPERATION_NOTIFY,
                                       .item_count = 1,
                                       .items = {nova_crd_obj(sm, 0, NOVA_SM_UP)}};
        const int error = status == NOVA_SUCCESS ? nova_session_call(session, &message) : ENOMEM;

        if (error)
                nova_sel_release(sm, 0);
        else
                __atomic_store_n(&session->notify, sm, __ATOMIC_SEQ_CST);
        return error;
}

int nova_session_enable_notify(struct nova_session *session)
{
        int error = 0;

        nova_mutex_lock(&session->setup);
        if (session->notify == NOVA_SEL_NONE)
                error = enable(session);
        if (!error)
                session->notified = true;
        nova_mutex_unlock(&session->setup);
        return error;
}

/* True if the service still has the session: its portals die with it. */
static bool alive(const struct nova_session *session)
{
        return session->cpus & client_cpus(session->portals);
}

int nova_session_wait(struct nova_session *session, uint64_t deadline)
{
        const int error =
                notify_of(session) == NOVA_SEL_NONE ? nova_session_enable_notify(session) : 0;

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

void nova_session_cancel(struct nova_session *session)
{
        __atomic_store_n(&session->cancelled, true, __ATOMIC_SEQ_CST);

        const nova_sel_t notify = notify_of(session);

        if (notify != NOVA_SEL_NONE)
                nova_sm_up(notify);
}
