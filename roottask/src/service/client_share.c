/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side of shared memory. */
#include <errno.h>

#include "client.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/thread.h"

static struct nova_crd_range pages_of(const void *memory, unsigned pages)
{
        const struct nova_crd_range range = {.type = NOVA_CRD_MEM,
                                             .perms = NOVA_MEM_R | NOVA_MEM_W,
                                             .base = (nova_word_t)memory >> NOVA_PAGE_BITS,
                                             .hotspot = 0,
                                             .count = pages};
        return range;
}

/* Put the memory into the message, cut into pieces that are aligned on both sides. */
static int put_memory(struct nova_utcb *utcb, const void *memory, unsigned pages)
{
        struct nova_crd_range range = pages_of(memory, pages);
        nova_crd_t crd;
        nova_sel_t hotspot;

        while (nova_crd_next(&range, &crd, &hotspot))
                if (!nova_utcb_delegate(utcb, crd, hotspot, 0))
                        return EINVAL;
        return 0;
}

/* A service could keep what it has until its end; the client's memory is used again. */
void client_take_back(const struct nova_session *session)
{
        struct nova_crd_range range = pages_of(session->share, session->share_pages);
        nova_crd_t crd;
        nova_sel_t hotspot;

        if (!session->share)
                return;
        while (nova_crd_next(&range, &crd, &hotspot))
                nova_revoke(crd, 0);
}

int nova_session_share(struct nova_session *session, void *memory, unsigned pages)
{
        const nova_word_t cpu = nova_thread_cpu();
        const nova_sel_t share = session->portals + ((nova_sel_t)1 << session->order);
        struct nova_utcb *utcb = nova_thread_utcb();
        nova_word_t answer = EPROTO;

        if (!session->cpus)
                return ECONNRESET;
        if (!session->share_max)
                return ENOTSUP;
        if ((nova_word_t)memory % NOVA_PAGE_SIZE || !pages || pages > session->share_max)
                return EINVAL;
        if (!(session->cpus >> cpu & 1))
                return EHOSTUNREACH;
        client_take_back(session);
        session->share = NULL;
        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, NOVA_OPERATION_SHARE);
        nova_utcb_put(utcb, pages);
        nova_utcb_translate(utcb, nova_crd_obj(session->portals + cpu, 0, NOVA_PERM_ALL));

        int error = put_memory(utcb, memory, pages);

        if (!error)
                error = client_errno(nova_call(share + cpu, NOVA_CALL_DL));
        if (!error)
                error = nova_utcb_get(utcb, 0, &answer) ? (int)answer : EPROTO;
        nova_utcb_clear(utcb);
        if (!error) {
                session->share = memory;
                session->share_pages = pages;
        }
        return error;
}

int nova_session_unshare(struct nova_session *session)
{
        struct nova_message message = {.operation = NOVA_OPERATION_UNSHARE};
        const int error = nova_session_call(session, &message);

        if (error && error != ECONNRESET)
                return error;
        client_take_back(session);
        session->share = NULL;
        session->share_pages = 0;
        return 0;
}
