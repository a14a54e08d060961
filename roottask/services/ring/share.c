/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocates, gives and revokes the memory that a session with rings shares with its client. The
 * service's lock protects a share. `closing` is atomic, because all services of the program use
 * it. */
#include "share.h"

#include <errno.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"

static unsigned closing; /* number of closed shares whose memory is not free yet */

static nova_crd_t pages_crd(const void *memory, unsigned order)
{
        return nova_crd_mem((nova_word_t)memory >> NOVA_PAGE_BITS, order, NOVA_MEM_R | NOVA_MEM_W);
}

static unsigned pool_order(const struct share_pool *pool)
{
        return nova_crd_order_for(pool->bytes >> NOVA_PAGE_BITS);
}

void share_init(struct share *share, unsigned order, void (*destroy)(struct nova_later *later))
{
        *share = (struct share){.later.function = destroy, .order = order, .bell = NOVA_SEL_NONE};
}

static int alloc_pool(struct share_pool *pool, const struct share_source *source)
{
        if (source->alloc)
                return source->alloc(pool);
        pool->memory = (char *)nova_page_alloc(pool_order(pool));
        return pool->memory ? 0 : ENOMEM;
}

static int alloc_memory(struct share *share, const struct share_source *source)
{
        int error;

        share->pages = nova_page_alloc(share->order);
        error = share->pages ? alloc_pool(&share->pool, source) : ENOMEM;
        if (error && share->pages) {
                nova_page_free(share->pages, share->order);
                share->pages = NULL;
        }
        return error;
}

int share_alloc(struct share *share, struct nova_service *service, size_t pool_bytes,
                const struct share_source *source)
{
        int error;

        if (share->pages)
                return EEXIST;
        share->pool.bytes = pool_bytes;
        error = alloc_memory(share, source);
        if (error != ENOMEM)
                return error;
        nova_service_sweep(service);
        error = alloc_memory(share, source);
        return error == ENOMEM && __atomic_load_n(&closing, __ATOMIC_RELAXED) ? EAGAIN : error;
}

void share_give(const struct share *share, struct nova_request *request)
{
        nova_request_give(request, pages_crd(share->pages, share->order));
        nova_request_give(request, pages_crd(share->pool.memory, pool_order(&share->pool)));
}

int share_give_semaphores(struct share *share, struct nova_request *request, nova_sel_t doorbell)
{
        if (share->bell == NOVA_SEL_NONE) {
                const nova_sel_t bell = nova_sel_alloc(0);

                if (bell == NOVA_SEL_NONE)
                        return ENOMEM;
                if (nova_create_sm(bell, nova_program.pd, 0) != NOVA_SUCCESS) {
                        nova_sel_free(bell, 0);
                        return ENOMEM;
                }
                share->bell = bell;
        }
        nova_request_give(request, nova_crd_obj(doorbell, 0, NOVA_SM_UP));
        nova_request_give(request, nova_crd_obj(share->bell, 0, NOVA_SM_DN));
        return 0;
}

void share_ring_bell(const struct share *share)
{
        if (share->bell != NOVA_SEL_NONE)
                nova_sm_up(share->bell);
}

/* Revokes everything from the client, and from all programs that got it from the client. */
static void revoke(const struct share *share)
{
        if (share->pages) {
                nova_revoke(pages_crd(share->pages, share->order), 0);
                nova_revoke(pages_crd(share->pool.memory, pool_order(&share->pool)), 0);
        }
        if (share->bell != NOVA_SEL_NONE)
                nova_revoke(nova_crd_obj(share->bell, 0, NOVA_PERM_ALL), 0);
}

void share_close(const struct share *share)
{
        __atomic_fetch_add(&closing, 1, __ATOMIC_RELAXED);
        revoke(share);
}

void share_destroy(struct share *share, struct nova_service *service)
{
        nova_service_later(service, &share->later);
}

void share_fini(struct share *share, const struct share_source *source)
{
        revoke(share);
        __atomic_fetch_sub(&closing, 1, __ATOMIC_RELAXED);
        if (share->pages) {
                nova_page_free(share->pages, share->order);
                if (source->release)
                        source->release(&share->pool);
                else
                        nova_page_free(share->pool.memory, pool_order(&share->pool));
        }
        if (share->bell != NOVA_SEL_NONE)
                nova_sel_release(share->bell, 0);
}
