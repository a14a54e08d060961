/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that clients share. A separate local thread receives it, because a receive window is of
 * one type. The client identifies its session by a translated session portal. */
#include <errno.h>

#include "internal.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/region.h"

static nova_crd_t window_crd(const struct service_cpu *cpu)
{
        if (!cpu->share_window)
                return 0;
        return nova_crd_mem((nova_word_t)cpu->share_window >> NOVA_PAGE_BITS,
                            nova_crd_order_for(cpu->service->config.share_pages),
                            NOVA_MEM_R | NOVA_MEM_W);
}

int novart_service_share_window(struct service_cpu *cpu)
{
        const unsigned order = nova_crd_order_for(cpu->service->config.share_pages);

        if (!cpu->share_window)
                cpu->share_window = nova_region_reserve((size_t)NOVA_PAGE_SIZE << order);
        nova_utcb_set_windows(nova_handler_utcb(cpu->share_handler), nova_crd_all(NOVA_CRD_OBJ),
                              window_crd(cpu));
        return cpu->share_window ? 0 : ENOMEM;
}

void *novart_service_share_take(struct session *session)
{
        void *const share = session->share;

        session->share = NULL;
        session->share_pages = 0;
        session->share_held = false;
        return share;
}

/* The memory that a message offers, read before the UTCB is used for other purposes. */
struct offer {
        nova_word_t operation, pages;
        nova_sel_t portal; /* session portal to which the first item translates; NOVA_SEL_NONE:
                            * none */
        bool lacks;        /* some memory did not arrive, because kernel memory is exhausted or
                            * limited */
};

static void read(const struct nova_utcb *utcb, struct offer *offer)
{
        struct nova_item item;

        *offer = (struct offer){NOVA_OPERATION_NOP, 0, NOVA_SEL_NONE, false};
        nova_utcb_get(utcb, 0, &offer->operation);
        nova_utcb_get(utcb, 1, &offer->pages);
        if (nova_utcb_get_item(utcb, 0, &item) && !nova_item_is_delegate(item) &&
            nova_crd_type(item.crd) == NOVA_CRD_OBJ)
                offer->portal = nova_crd_base(item.crd);
        for (unsigned i = 1; nova_utcb_get_item(utcb, i, &item); i++)
                offer->lacks |= !item.crd;
}

/* Shares the memory that a message offers.
 * @param[out] old the memory that the session shared before; the caller frees it */
static int share(struct service_cpu *cpu, const struct offer *offer, void **old)
{
        struct nova_service *service = cpu->service;

        if (offer->operation != NOVA_OPERATION_SHARE)
                return ENOSYS;
        if (!offer->pages || offer->pages > service->config.share_pages)
                return EINVAL;
        struct session *session = novart_session_find(&service->table, offer->portal);

        if (!session)
                return EBADF;
        if (session->calls || session->share_held)
                return EBUSY; /* a handler may be copying from the present memory */
        if (!cpu->share_window || offer->lacks)
                return ENOMEM;

        const int error = novart_service_room(service);

        if (error)
                return error;
        *old = novart_service_share_take(session);
        session->share = cpu->share_window;
        session->share_pages = (unsigned)offer->pages;
        cpu->share_window = NULL;
        return 0;
}

/* Ends a message that was refused: revokes its memory.
 * @param limit the limit of kernel memory that the message had, in bytes
 * @return the error for the client */
static int refuse(struct service_cpu *cpu, const struct offer *offer, nova_word_t limit, int error)
{
        if (!cpu->share_window)
                return error;
        nova_revoke(window_crd(cpu), NOVA_REVOKE_SR);
        if (error == ENOMEM && offer->lacks && novart_service_enter(cpu->service)) {
                error = novart_service_claim(cpu, limit);
                novart_service_leave(cpu->service);
        }
        return error;
}

void novart_service_share_dispatch(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct service_cpu *cpu = (struct service_cpu *)argument;
        const bool items = nova_utcb_item_count(utcb);
        const nova_word_t limit = novart_service_claim_end(cpu);
        struct offer offer;
        void *old = NULL;
        int error = ECONNRESET;

        (void)portal;
        read(utcb, &offer);
        if (offer.operation == NOVA_OPERATION_NOP && !items) {
                nova_utcb_clear(utcb);
                nova_utcb_put(utcb, 0);
                return; /* a runner calls this while the lock is held */
        }
        novart_service_runner_begin(cpu, SERVICE_SHARES);
        if (novart_service_enter(cpu->service)) {
                error = share(cpu, &offer, &old);
                novart_service_leave(cpu->service);
        }
        if (old)
                nova_region_free(old);
        if (error)
                error = refuse(cpu, &offer, limit, error);
        novart_service_share_window(cpu);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, (nova_word_t)error);
        novart_service_runner_end(cpu, SERVICE_SHARES);
}
