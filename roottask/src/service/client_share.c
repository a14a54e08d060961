/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side of shared memory. */
#include <errno.h>

#include "client.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"

static struct nova_crd_range pages_of(const void *memory, unsigned pages)
{
        const struct nova_crd_range range = {.type = NOVA_CRD_MEM,
                                             .perms = NOVA_MEM_R | NOVA_MEM_W,
                                             .base = (nova_word_t)memory >> NOVA_PAGE_BITS,
                                             .hotspot = 0,
                                             .count = pages};
        return range;
}

/* Adds the memory to the message, in pieces that are aligned in the client and in the service. */
int novart_client_put_share(struct nova_utcb *utcb, const struct client_share *share)
{
        struct nova_crd_range range = pages_of(share->memory, share->pages);
        nova_crd_t crd;
        nova_sel_t hotspot;

        nova_utcb_translate(utcb, nova_crd_obj(share->portal, 0, NOVA_PERM_ALL));
        while (nova_crd_next(&range, &crd, &hotspot))
                if (!nova_utcb_delegate(utcb, crd, hotspot, 0))
                        return EINVAL;
        return 0;
}

static void take_back(const void *memory, unsigned pages)
{
        struct nova_crd_range range = pages_of(memory, pages);
        nova_crd_t crd;
        nova_sel_t hotspot;

        while (nova_crd_next(&range, &crd, &hotspot))
                nova_revoke(crd, 0);
}

/* Revokes the memory. Does not rely on the service to give it up, because a service could keep its
 * mapping while the client uses the memory for other data. */
void novart_client_take_back(const struct nova_session *session)
{
        if (session->share)
                take_back(session->share, session->share_pages);
}

/* Sends the memory to the service.
 * @return 0 or an errno value; after ETIMEDOUT the service may or may not have the memory */
static int send(struct nova_session *session, const struct client_share *share, uint64_t deadline)
{
        const nova_word_t words[] = {share->pages};
        struct nova_message message = {
                .operation = NOVA_OPERATION_SHARE, .words = words, .word_count = 1};
        const struct client_call call = {session->portals + ((nova_sel_t)1 << session->order),
                                         session->cpus, &message, share};

        return novart_client_persist(session, &call, deadline);
}

int nova_session_share_until(struct nova_session *session, void *memory, unsigned pages,
                             uint64_t deadline)
{
        if (!session->cpus)
                return ECONNRESET;
        if (!session->share_max)
                return ENOTSUP;
        if ((nova_word_t)memory % NOVA_PAGE_SIZE || !memory || !pages || pages > session->share_max)
                return EINVAL;
        novart_client_take_back(session);
        session->share = NULL;

        const struct client_share share = {
                memory, pages, session->portals + (nova_word_t)__builtin_ctzll(session->cpus)};
        const int error = send(session, &share, deadline);

        if (error) {
                /* The call has delegated the memory to the service, even if the service refuses
                 * it. */
                take_back(memory, pages);
                return error;
        }
        session->share = memory;
        session->share_pages = pages;
        return 0;
}

int nova_session_share(struct nova_session *session, void *memory, unsigned pages)
{
        return nova_session_share_until(session, memory, pages, NOVA_FOREVER);
}

int nova_session_unshare_until(struct nova_session *session, uint64_t deadline)
{
        struct nova_message message = {.operation = NOVA_OPERATION_UNSHARE};
        const struct client_call call = {session->portals, session->cpus, &message, NULL};
        const int error = novart_client_call_until(session, &call, deadline);

        if (error && error != ECONNRESET && error != ETIMEDOUT)
                return error;
        novart_client_take_back(session);
        session->share = NULL;
        session->share_pages = 0;
        return error == ETIMEDOUT ? error : 0;
}

int nova_session_unshare(struct nova_session *session)
{
        return nova_session_unshare_until(session, NOVA_FOREVER);
}
