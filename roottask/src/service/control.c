/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes sessions. All functions are called with the service's lock held. */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "nova/arch/tsc.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/error.h"
#include "novart/selector.h"

/* Returns true if a selector names a live PD. Only a PD has an account to query. */
static bool pd_alive(nova_sel_t pd)
{
        nova_word_t used = 0, limit = 0;

        return nova_quota_query(pd, &used, &limit) == NOVA_SUCCESS;
}

/* Reads the client's name, which its parent has set. The name cannot be forged: a PD can be named
 * once, and PDs that a program creates inherit its name. */
static int identify(nova_sel_t pd, char name[NOVA_NAME_SIZE])
{
        return pd_alive(pd) && nova_name_get(pd, name) == NOVA_SUCCESS ? 0 : EACCES;
}

/* Returns true if a client has given a permission that its other servers do not get. */
static bool is_proved(nova_sel_t pd)
{
        nova_crd_t crd = nova_crd_obj(pd, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && nova_crd_perms(crd) & NOVA_SESSION_PROOF;
}

static void remove_portals(struct nova_service *service, const struct session *session)
{
        nova_revoke(nova_crd_obj(novart_session_portals(&service->table, session),
                                 service->portal_order, NOVA_PERM_ALL),
                    NOVA_REVOKE_SR);
}

static int create_portals(struct nova_service *service, const struct session *session)
{
        const nova_sel_t first = novart_session_portals(&service->table, session);

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                if (!service->cpu[cpu])
                        continue;
                const int error = nova_handler_portal(service->cpu[cpu]->handler, first + cpu, 0);

                /* If the service is stopping, handlers of other CPUs may have ended already. */
                if (error)
                        return service_stopping(service) ? ECONNRESET : error;
        }
        return 0;
}

static void end_session(struct nova_service *service, struct session *session)
{
        /* With one CPU, no message is being delivered to the handler of sessions, because the only
         * thread that runs is the caller, which holds the lock. The handler of shared memory may
         * have been suspended before it takes the lock. When it continues, it looks for the session
         * that its message names. */
        const bool at_once = !(service->cpus & (service->cpus - 1)) && !service->config.share_pages;

        remove_portals(service, session);
        if (session->notify)
                nova_sel_release(session->notify, service->config.receive_order);
        if (session->pd)
                nova_sel_release(session->pd, service->config.receive_order);
        novart_session_finish(&service->table, session, at_once);
        /* The worker frees the session's memory together with its slot. */
        if (service->table.retired > 4 || session->share)
                novart_service_clear_soon(service);
}

void novart_service_finish(struct nova_service *service, struct session *session)
{
        const bool begun = session->begun;

        session->begun = false;
        if (service->config.close && begun) {
                if (service->config.parallel)
                        novart_service_leave(service);
                service->config.close(service, session_state(service, session));
                if (service->config.parallel && !novart_service_enter(service))
                        return;
        }
        service->ended = nova_rdtsc();
        end_session(service, session);
}

void novart_service_sweep(struct nova_service *service, unsigned first, unsigned count)
{
        for (unsigned slot = first; slot < service->table.slot_count && count-- > 0; slot++) {
                struct session *session = &service->table.slots[slot];

                if (session->state == SESSION_LIVE && !pd_alive(session->pd) &&
                    novart_session_close(session))
                        novart_service_finish(service, session);
                if (!novart_service_inside(service))
                        break;
        }
}

/* Returns the error for a client whose capability has not arrived: the client has not sent it, or
 * the service lacked kernel memory when the message came. If sessions have freed some since, the
 * client may repeat the message. */
static int missing_item(struct nova_service *service)
{
        int error = novart_service_room(service);

        if (!error)
                return novart_service_ended_lately(service) ? EAGAIN : EACCES;
        novart_service_sweep(service, 0, service->table.slot_count);
        if (!novart_service_inside(service))
                return ECONNRESET;
        error = novart_service_room(service);
        novart_service_clear_soon(service);
        return error ? error : EAGAIN;
}

static int try_session(struct nova_service *service, const char name[NOVA_NAME_SIZE],
                       struct session **session)
{
        const int error = novart_service_room(service);

        return error ? error : novart_session_take(&service->table, name, session);
}

static int take_session(struct nova_service *service, const char name[NOVA_NAME_SIZE],
                        struct session **session)
{
        int error = try_session(service, name, session);

        if (error) {
                /* Programs with sessions may have died, so their sessions can be freed. */
                novart_service_sweep(service, 0, service->table.slot_count);
                if (!novart_service_inside(service))
                        return ECONNRESET;
                error = try_session(service, name, session);
        }
        if (error == EAGAIN || error == ENOMEM)
                novart_service_clear_soon(service);
        return error;
}

static int copy_arguments(const struct nova_request *request,
                          char arguments[NOVA_SESSION_ARGUMENT_SIZE])
{
        const size_t bytes = request->word_count ? request->word[0] : 0;
        const void *text = bytes ? nova_request_bytes(request, 2, bytes) : NULL;

        if (bytes >= NOVA_SESSION_ARGUMENT_SIZE || (bytes && !text))
                return EINVAL;
        memcpy(arguments, bytes ? text : "", bytes);
        arguments[bytes] = 0;
        return 0;
}

/* Calls the service's open function, without the lock if the service is parallel. Returns
 * ECONNRESET if the lock could not be taken again. */
static int begin_session(struct nova_service *service, struct nova_request *request,
                         struct session *session, const char *arguments)
{
        request->state = session_state(service, session);
        request->client = session->client;
        memset(request->state, 0, service->config.state_bytes);
        if (service->config.parallel)
                novart_service_leave(service);
        const int error = service->config.open ? service->config.open(request, arguments) : 0;

        session->begun = !error;
        if (service->config.parallel && !novart_service_enter(service))
                return ECONNRESET;
        return error;
}

/* The client's window has room for two ranges, each with a selector for every CPU number of the
 * client. The service may have more CPU numbers, or fewer. It delegates the portals that the client
 * can use, and places the share portals where the client's second range begins. */
static void give_portals(struct service_cpu *cpu, const struct session *session,
                         unsigned client_order)
{
        const struct nova_service *service = cpu->service;
        struct nova_request *request = cpu->request;
        const unsigned order =
                service->portal_order < client_order ? service->portal_order : client_order;

        nova_request_answer(request, service->config.share_pages);
        nova_request_give(request, nova_crd_obj(novart_session_portals(&service->table, session),
                                                order, NOVA_PERM_ALL));
        if (service->share == NOVA_SEL_NONE)
                return;
        nova_request_give(request, nova_crd_obj(service->share, order, NOVA_PERM_ALL));
        cpu->second = (nova_sel_t)1 << client_order;
}

int novart_service_open(struct service_cpu *cpu, struct nova_request *request)
{
        struct nova_service *service = cpu->service;
        const nova_word_t client_order = request->word_count > 1 ? request->word[1] : 0;
        char arguments[NOVA_SESSION_ARGUMENT_SIZE], name[NOVA_NAME_SIZE];
        struct session *session;
        int error = client_order > SERVICE_ORDER_MAX ? EINVAL : copy_arguments(request, arguments);

        if (!error)
                error = request->item ? identify(cpu->window, name) : missing_item(service);
        if (!error && service->config.proof && !is_proved(cpu->window))
                error = EACCES;
        if (!error)
                error = take_session(service, name, &session);
        if (error)
                return error;

        error = create_portals(service, session);
        if (!error) {
                session->pd = nova_request_take(request);
                error = begin_session(service, request, session, arguments);
        }
        if (!novart_service_inside(service))
                return error;
        if (error) {
                end_session(service, session);
                return error;
        }
        session->state = SESSION_LIVE;
        if (!service->watched)
                novart_service_clear_soon(service); /* the worker must look for the client's end */
        request->answer_count = 0;
        request->give_count = 0;
        give_portals(cpu, session, (unsigned)client_order);
        return 0;
}

int novart_service_notify_set(struct service_cpu *cpu, struct nova_request *request)
{
        /* A session keeps its semaphore until it ends, so a notification needs no lock. */
        if (cpu->session->notify)
                return EEXIST;
        const int error = novart_service_room(cpu->service);

        if (error)
                return error;

        const nova_sel_t taken = nova_request_take(request);

        if (taken == NOVA_SEL_NONE)
                return EINVAL;
        __atomic_store_n(&cpu->session->notify, taken, __ATOMIC_RELEASE);
        return 0;
}
