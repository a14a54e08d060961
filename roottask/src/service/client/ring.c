/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions with rings, and the client's end of a ring. */
#include "ring.h"

#include <errno.h>

#include "memory/page_commit.h"
#include "memory/region.h"
#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/time.h"

/* Number of attempts at an operation that fails while the service ends, and ns between two
 * attempts. */
#define RING_TRIES    100
#define RING_PAUSE_NS 10000000

int novart_ring_init(struct ring_session *session, const char *name, size_t pool_bytes)
{
        while (session->pool_bytes < pool_bytes)
                session->pool_bytes *= 2;
        session->doorbell = nova_sel_alloc(1);
        session->rings = novart_region_rings(name, 2 * session->pool_bytes);
        session->pool = session->rings + session->pool_bytes;
        return session->rings && session->doorbell != NOVA_SEL_NONE ? 0 : ENOMEM;
}

void novart_ring_fini(struct ring_session *session)
{
        if (session->session)
                nova_session_close(session->session);
        if (session->rings)
                nova_region_free(session->rings);
        if (session->doorbell != NOVA_SEL_NONE)
                nova_sel_release(session->doorbell, 1);
}

/* Returns the permissions of the last page of a range, which arrives last. 0: it is missing. */
static unsigned arrived(const void *addr, size_t bytes)
{
        const nova_word_t page = (nova_word_t)addr >> NOVA_PAGE_BITS;
        nova_crd_t crd = nova_crd_mem(page + (bytes >> NOVA_PAGE_BITS) - 1, 0, 0);

        if (nova_lookup(&crd) != NOVA_SUCCESS || nova_crd_type(crd) != NOVA_CRD_MEM)
                return 0;
        return (unsigned)nova_crd_perms(crd);
}

bool novart_ring_owned(const struct ring_session *session, size_t offset, size_t bytes)
{
        return novart_page_commits() == session->commits ||
               !novart_region_has_memory((nova_word_t)session->pool + offset, bytes);
}

void novart_ring_look(struct ring_session *session)
{
        const nova_word_t commits = novart_page_commits();

        if (commits != session->commits &&
            !novart_region_has_memory((nova_word_t)session->pool, session->pool_bytes))
                session->commits = commits;
}

int novart_ring_call(const struct ring_session *session, struct nova_message *message)
{
        int error = nova_session_call(session->session, message);

        for (unsigned tries = 1; error == EAGAIN && tries < RING_TRIES; tries++) {
                nova_sleep(RING_PAUSE_NS);
                error = nova_session_call(session->session, message);
        }
        return error;
}

/* If the service has ended, its pages are lost, and lazy pages may have taken their place. Frees
 * the lazy pages before the new pages of the service arrive. */
static int attach(struct ring_session *session)
{
        const unsigned order = nova_crd_order_for(session->pool_bytes >> NOVA_PAGE_BITS);
        const nova_word_t word = order;
        struct nova_message message = {
                .operation = session->attach,
                .words = &word,
                .word_count = 1,
                .window = nova_crd_mem((nova_word_t)session->rings >> NOVA_PAGE_BITS, order + 1,
                                       NOVA_MEM_R | NOVA_MEM_W)};

        novart_region_decommit(session->rings, 2 * session->pool_bytes);

        const int error = novart_ring_call(session, &message);

        if (error)
                return error == EAGAIN ? ENOMEM : error;

        const unsigned rings = arrived(session->rings, session->ring_bytes);
        const unsigned pool = arrived(session->pool, session->pool_bytes);

        session->lacks = !rings || !pool;
        /* ECONNRESET: the kernel memory does not suffice for all pages, or the service has kept the
         * permission to write, or the service has ended since the call */
        return rings & pool & NOVA_MEM_W && novart_ring_alive(session) ? 0 : ECONNRESET;
}

static int get_semaphores(const struct ring_session *session)
{
        struct nova_message message = {.operation = session->semaphores,
                                       .window = nova_crd_obj(session->doorbell, 1, NOVA_PERM_ALL)};

        nova_revoke(message.window, NOVA_REVOKE_SR);
        return nova_session_call(session->session, &message);
}

static int connect(struct ring_session *session, const char *service, const char *arguments)
{
        int error = session->session ? nova_session_reopen(session->session)
                                     : nova_session_open(&session->session, service, arguments);

        if (!error && session->limit)
                error = session->limit(session);
        if (!error)
                error = attach(session);
        if (!error)
                error = get_semaphores(session);
        return error ? error : session->begin(session);
}

int novart_ring_reach(struct ring_session *session, const char *service, const char *arguments)
{
        int error = ECONNRESET;

        for (unsigned tries = 0; tries < RING_TRIES && error == ECONNRESET; tries++) {
                if (tries)
                        nova_sleep(RING_PAUSE_NS);
                error = connect(session, service, arguments);
        }
        return error == ECONNRESET && session->lacks ? ENOMEM : error;
}

bool novart_ring_request_bell(const struct ring_end *end)
{
        __atomic_store_n(&end->ring->client_waits, 1, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return __atomic_load_n(&end->ring->completed, __ATOMIC_ACQUIRE) !=
               __atomic_load_n(&end->reaped, __ATOMIC_RELAXED);
}

int novart_ring_listen(const struct ring_session *session, uint64_t deadline)
{
        if (!novart_ring_alive(session))
                return ECONNRESET;

        /* the kernel needs no timer for a wait without a deadline */
        const enum nova_status status =
                deadline == NOVA_FOREVER
                        ? nova_sm_zero(session->doorbell + 1)
                        : nova_sm_down_until(session->doorbell + 1, NOVA_SM_ZC, deadline);

        if (status == NOVA_COM_TIM)
                return ETIMEDOUT;
        return status == NOVA_SUCCESS ? 0 : ECONNRESET;
}
