/* SPDX-License-Identifier: BSD-2-Clause */
/* One call: copies it from the UTCB, checks it against the table, calls its handler and sends the
 * answer. */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/region.h"
#include "novart/selector.h"

/* Copies the message: the handler may use the UTCB for calls of its own. */
static void begin(struct service_cpu *cpu, const struct nova_utcb *utcb)
{
        struct nova_request *request = cpu->request;
        const unsigned words = nova_utcb_word_count(utcb);
        struct nova_item item = {0, 0};

        __atomic_store_n(&cpu->giving, false, __ATOMIC_RELEASE);
        request->service = cpu->service;
        request->state = NULL;
        request->client = "";
        request->cpu = cpu->cpu;
        request->operation = words ? utcb->word[0] : NOVA_OPERATION_NOP;
        request->word_count = words ? words - 1 : 0;
        if (request->word_count)
                memcpy(request->word, &utcb->word[1], request->word_count * sizeof(nova_word_t));
        request->item = 0;
        /* A handler expects items at the start of the window, so all other items are ignored. */
        if (nova_utcb_get_item(utcb, 0, &item) && nova_item_is_delegate(item) &&
            nova_crd_type(item.crd) == NOVA_CRD_OBJ && nova_crd_base(item.crd) == cpu->window)
                request->item = item.crd;
        request->answer_count = 0;
        request->give_count = 0;
        cpu->second = 0;
        request->taken = false;
}

/* Replaces the window if the handler keeps its content; otherwise revokes the content. */
static void renew_window(struct service_cpu *cpu, bool came)
{
        const unsigned order = cpu->service->config.receive_order;

        if (cpu->request->taken)
                cpu->window = NOVA_SEL_NONE;
        else if (came && cpu->window != NOVA_SEL_NONE)
                nova_revoke(nova_crd_obj(cpu->window, order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        if (cpu->window == NOVA_SEL_NONE)
                cpu->window = nova_sel_alloc(order);
}

/* Computes the position of the second range in the client's window: after the first range, and
 * aligned to its own size. So the client knows the position without knowing the service's CPUs. */
static nova_sel_t second_hotspot(const struct service_cpu *cpu)
{
        const unsigned first = nova_crd_order(cpu->request->give[0]);
        const unsigned second = nova_crd_order(cpu->request->give[1]);

        if (cpu->second)
                return cpu->second;
        return (nova_sel_t)1 << (first > second ? first : second);
}

/* Sends the answer. After an error it delegates nothing, because the handler may have failed
 * half-way. */
static void finish(struct service_cpu *cpu, struct nova_utcb *utcb, int error, unsigned items)
{
        const struct nova_request *request = cpu->request;
        const unsigned gives = error ? 0 : request->give_count;
        const unsigned words = error ? 0 : request->answer_count;

        renew_window(cpu, items > 0);
        nova_utcb_set_windows(utcb, 0,
                              cpu->window == NOVA_SEL_NONE
                                      ? 0
                                      : nova_crd_obj(cpu->window,
                                                     cpu->service->config.receive_order,
                                                     NOVA_PERM_ALL));
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, (nova_word_t)error);
        for (unsigned i = 0; i < gives; i++)
                nova_utcb_delegate(utcb, request->give[i], i ? second_hotspot(cpu) : 0, 0);
        nova_utcb_put_words(utcb, request->answer, words);
}

static int serve_row(struct nova_service *service, struct nova_request *request)
{
        const nova_word_t index = request->operation - NOVA_OPERATION_FIRST;

        if (request->operation < NOVA_OPERATION_FIRST || index >= service->config.operation_count)
                return ENOSYS;

        const struct nova_service_operation *row = &service->config.operations[index];

        if (!row->handler)
                return ENOSYS;
        if (request->word_count < row->words_min || request->word_count > row->words_max ||
            (request->item && !row->item))
                return EINVAL;
        if (request->item && novart_service_room(service))
                return ENOMEM; /* the handler may keep the capabilities */
        if (!service->config.parallel)
                return row->handler(request);
        novart_service_leave(service);

        const int error = row->handler(request);

        return novart_service_enter(service) ? error : ECONNRESET;
}

static int serve_session(struct service_cpu *cpu, struct session *session)
{
        struct nova_request *request = cpu->request;

        switch (request->operation) {
        case NOVA_OPERATION_NOP:
                return 0;
        case NOVA_OPERATION_CLOSE:
                novart_session_close(session);
                return 0;
        case NOVA_OPERATION_NOTIFY:
                return novart_service_notify_set(cpu, request);
        case NOVA_OPERATION_UNSHARE:
                if (session->calls > 1 || session->share_held)
                        return EBUSY; /* another handler may be copying */
                cpu->unshared = novart_service_share_take(session);
                return 0;
        default:
                return serve_row(cpu->service, request);
        }
}

static int serve(struct service_cpu *cpu, nova_sel_t portal)
{
        struct nova_service *service = cpu->service;
        struct nova_request *request = cpu->request;

        if (portal - service->control < (nova_sel_t)1 << service->portal_order) {
                if (request->operation == NOVA_OPERATION_NOP)
                        return 0;
                return request->operation == NOVA_OPERATION_OPEN ? novart_service_open(cpu, request)
                                                                 : ENOSYS;
        }

        struct session *session = novart_session_find(&service->table, portal);

        if (!session)
                return EBADF;
        session->calls++;
        cpu->session = session;
        request->state = session_state(service, session);
        request->client = session->client;

        const int error = serve_session(cpu, session);

        cpu->session = NULL;
        if (novart_service_inside(service) && novart_session_leave(session))
                novart_service_finish(service, session);
        return error;
}

void novart_service_dispatch(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct service_cpu *cpu = (struct service_cpu *)argument;
        const unsigned items = nova_utcb_item_count(utcb);
        int error;

        begin(cpu, utcb);
        if (cpu->request->operation == NOVA_OPERATION_NOP && !items) {
                nova_utcb_clear(utcb);
                nova_utcb_put(utcb, 0);
                return; /* without the lock: a runner may call while another thread holds it */
        }
        novart_service_runner_begin(cpu, SERVICE_CALLS);
        if (items > 1) {
                error = EINVAL;
        } else if (!novart_service_enter(cpu->service)) {
                error = ECONNRESET;
        } else {
                error = serve(cpu, portal);
                novart_service_leave(cpu->service);
        }
        if (cpu->unshared)
                nova_region_free(cpu->unshared);
        cpu->unshared = NULL;
        finish(cpu, utcb, error, items);
        novart_service_runner_end(cpu, SERVICE_CALLS);
}
