/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts and stops a service. */
#include "novart/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "parent_registry.h"
#include "thread/handler.h"
#include "thread/thread.h"

#define SESSIONS        64
#define CLIENT_SESSIONS 16
#define SESSIONS_MAX    0x10000
#define RECEIVE_MAX     6

/* Maximum number of pages that a session can share: 4 GiB. Each session that shares pages and each
 * CPU need a region of addresses for them. The size of these regions is a power of two; check()
 * refuses 4 GiB on x86-32. */
#define SHARE_MAX 0x100000

/* Default of the kernel memory in bytes that a message may charge to the service: tables for any
 * window, and a record for each page that can be shared. */
#define RECEIVE_BYTES      0x10000
#define RECEIVE_PAGE_BYTES 256

/* Returns true if no operation has a words_min above its words_max. Such an operation would refuse
 * every call. */
static bool rows_possible(const struct nova_service_config *config)
{
        for (unsigned i = 0; i < config->operation_count; i++) {
                const struct nova_service_operation *row = &config->operations[i];

                if (!row->handler || row->words_min <= row->words_max)
                        continue;
                fprintf(stderr,
                        "service '%s' cannot start: its operation NOVA_OPERATION_FIRST + %u "
                        "accepts no call, because words_min is %u and words_max is %u; write "
                        "'.words_max = %u' or more\n",
                        config->name, i, row->words_min, row->words_max, row->words_min);
                return false;
        }
        return true;
}

static int check(const struct nova_service_config *config)
{
        if (!config->name || !config->name[0] || strlen(config->name) >= NOVA_SERVICE_NAME_SIZE ||
            config->sessions > SESSIONS_MAX || config->receive_order > RECEIVE_MAX ||
            config->share_pages > SHARE_MAX ||
            !((size_t)NOVA_PAGE_SIZE << nova_crd_order_for(config->share_pages)) ||
            (config->cpus & ~nova_program.cpus))
                return EINVAL;
        return rows_possible(config) ? 0 : EINVAL;
}

static int make_table(struct nova_service *service)
{
        struct nova_service_config *config = &service->config;
        const unsigned slots = novart_session_table_slots(config->sessions);
        struct session *array = calloc(slots, sizeof(*array));

        if (!array)
                return ENOMEM;
        novart_session_table_init(&service->table, array, slots, config->sessions,
                                  config->client_sessions);
        service->table.portal_order = service->portal_order;
        service->session_order = nova_crd_order_for(slots) + service->portal_order;
        service->table.portals = nova_sel_alloc(service->session_order);
        service->states = calloc(slots, config->state_bytes);
        return service->states && service->table.portals != NOVA_SEL_NONE ? 0 : ENOMEM;
}

static struct nova_service *make(const struct nova_service_config *config)
{
        struct nova_service *service = calloc(1, sizeof(*service));

        if (!service)
                return NULL;
        service->config = *config;
        if (!config->sessions)
                service->config.sessions = SESSIONS;
        if (!config->client_sessions)
                service->config.client_sessions = CLIENT_SESSIONS;
        if (!config->receive_bytes)
                service->config.receive_bytes =
                        RECEIVE_BYTES + config->share_pages * (size_t)RECEIVE_PAGE_BYTES;
        if (!config->state_bytes)
                service->config.state_bytes = 1;
        service->cpus = config->cpus ? config->cpus : nova_program.cpus;
        service->portal_order =
                nova_crd_order_for(64 - (nova_word_t)__builtin_clzll(service->cpus));
        service->share = NOVA_SEL_NONE;
        service->passing_head = SESSION_NONE;
        service->wake = nova_sel_alloc(0);
        service->table.portals = NOVA_SEL_NONE;
        service->control = novart_parent_registry_alloc();
        if (service->config.share_pages)
                service->share = nova_sel_alloc(service->portal_order);
        return service;
}

static int make_semaphore(nova_sel_t sel)
{
        return sel != NOVA_SEL_NONE && nova_create_sm(sel, nova_program.pd, 0) == NOVA_SUCCESS
                       ? 0
                       : ENOMEM;
}

static int start_runner(struct service_cpu *cpu, enum service_handler role)
{
        struct service_runner *const runner = &cpu->runner[role];

        runner->cpu = cpu;
        runner->wake = nova_sel_alloc(0);

        const int error = make_semaphore(runner->wake);

        return error ? error : novart_service_runner_start(runner);
}

static int start_share(struct service_cpu *cpu)
{
        struct nova_service *service = cpu->service;
        int error;

        if (!service->config.share_pages)
                return 0;
        error = nova_handler_create(&cpu->share_handler, cpu->cpu, service->config.name,
                                    novart_service_share_dispatch, cpu);
        if (error)
                return error;
        novart_handler_limit(cpu->share_handler, service->config.receive_bytes);
        error = novart_handler_prepare_end(cpu->share_handler);
        if (!error)
                error = novart_service_share_window(cpu);
        if (!error)
                error = nova_handler_portal(cpu->share_handler, service->share + cpu->cpu, 0);
        return error ? error : start_runner(cpu, SERVICE_SHARES);
}

static int start_cpu(struct nova_service *service, nova_word_t number)
{
        struct service_cpu *cpu = calloc(1, sizeof(*cpu));

        if (!cpu)
                return ENOMEM;
        service->cpu[number] = cpu;
        cpu->service = service;
        cpu->cpu = number;
        cpu->window = nova_sel_alloc(service->config.receive_order);
        cpu->request = malloc(sizeof(*cpu->request));
        if (cpu->window == NOVA_SEL_NONE || !cpu->request)
                return ENOMEM;

        int error = nova_handler_create(&cpu->handler, number, service->config.name,
                                        novart_service_dispatch, cpu);

        if (error)
                return error;
        novart_handler_limit(cpu->handler, service->config.receive_bytes);
        nova_utcb_set_windows(
                nova_handler_utcb(cpu->handler), 0,
                nova_crd_obj(cpu->window, service->config.receive_order, NOVA_PERM_ALL));
        error = novart_handler_prepare_end(cpu->handler);
        if (!error)
                error = start_share(cpu);
        if (!error)
                error = nova_handler_portal(cpu->handler, service->control + number, 0);
        return error ? error : start_runner(cpu, SERVICE_CALLS);
}

/* Publishes the service's name. */
static int publish(struct nova_service *service)
{
        const int error = novart_registry_add(service->config.name, service->control);

        service->published = !error;
        service->watched = !error && !novart_parent_registry_watch(service->wake);
        return error ? error : novart_parent_registry_serve(service->config.name, service->control);
}

int nova_service_start(struct nova_service **started, const struct nova_service_config *config)
{
        nova_word_t limit;
        const nova_word_t used_before = novart_service_kernel_memory(&limit);
        int error = check(config);

        if (error)
                return error;
        struct nova_service *service = make(config);

        if (!service)
                return ENOMEM;
        error = service->control == NOVA_SEL_NONE ||
                                (config->share_pages && service->share == NOVA_SEL_NONE)
                        ? ENOMEM
                        : make_table(service);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX && !error; cpu++)
                if (service->cpus >> cpu & 1)
                        error = start_cpu(service, cpu);
        if (!error)
                error = make_semaphore(service->wake);
        if (!error)
                error = novart_service_worker_start(service);
        novart_service_reserve_init(service);
        /* The first client may come before publish() returns, and handlers use the pointer. */
        if (!error && started)
                *started = service;
        if (!error)
                error = publish(service);
        if (error) {
                if (started)
                        *started = NULL;
                if (error == EAGAIN)
                        error = ENOMEM;
                if (error == ENOMEM)
                        novart_service_tell_shortage(service, used_before);
                nova_service_stop(service);
                return error;
        }
        return 0;
}

/* Revokes the sessions' portals and frees all other resources of sessions, so no new call
 * arrives. */
static void end_sessions(struct nova_service *service)
{
        for (unsigned slot = 0; slot < service->table.slot_count; slot++) {
                struct session *session = &service->table.slots[slot];

                if (session->state != SESSION_FREE && session->state != SESSION_RETIRED) {
                        session->state = SESSION_CLOSING;
                        novart_service_finish(service, session);
                }
                if (session->share)
                        nova_region_free(session->share);
        }
        if (service->table.portals != NOVA_SEL_NONE)
                nova_sel_release(service->table.portals, service->session_order);
        free(service->table.slots);
        free(service->states);
}

/* Records that the handlers of a CPU do no more work, and that their answers have been
 * delivered. */
static void leave_handlers(struct service_cpu *cpu)
{
        if (cpu->handler)
                novart_service_holder_ended(cpu->service, (nova_word_t)&cpu->handler->thread);
        if (cpu->share_handler)
                novart_service_holder_ended(cpu->service, (nova_word_t)&cpu->share_handler->thread);
        cpu->giving = false;
}

/* Frees the handlers of a CPU and their resources. They have ended, or only the runners ever called
 * them and their portals are revoked. Needs no memory, because a service may stop for lack of
 * memory. */
static void stop_cpu(struct service_cpu *cpu)
{
        if (cpu->handler)
                nova_handler_discard(cpu->handler);
        if (cpu->share_handler) {
                novart_service_claim_end(cpu); /* other services of the program continue */
                nova_handler_discard(cpu->share_handler);
        }
        if (cpu->share_window)
                nova_region_free(cpu->share_window);
        if (cpu->window != NOVA_SEL_NONE)
                nova_sel_release(cpu->window, cpu->service->config.receive_order);
        for (unsigned role = 0; role < SERVICE_HANDLERS; role++)
                if (cpu->runner[role].cpu && cpu->runner[role].wake != NOVA_SEL_NONE)
                        nova_sel_release(cpu->runner[role].wake, 0);
        if (cpu->unshared)
                nova_region_free(cpu->unshared);
        free(cpu->request);
        free(cpu);
}

static void each_cpu(struct nova_service *service, void (*function)(struct service_cpu *cpu))
{
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (service->cpu[cpu])
                        function(service->cpu[cpu]);
}

/* Stops the runners, which end the handlers.
 * @return false if some handlers could not be ended */
static bool stop_runners(struct nova_service *service)
{
        bool all = true;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                for (unsigned role = 0; service->cpu[cpu] && role < SERVICE_HANDLERS; role++)
                        all &= novart_service_runner_stop(&service->cpu[cpu]->runner[role]);
        return all;
}

/* Revokes the portals of a service that cannot be stopped: calls in progress may finish, but no new
 * call arrives. */
static void leave_behind(const struct nova_service *service)
{
        nova_revoke(nova_crd_obj(service->table.portals, service->session_order, NOVA_PERM_ALL),
                    NOVA_REVOKE_SR);
        if (service->share != NOVA_SEL_NONE)
                nova_revoke(nova_crd_obj(service->share, service->portal_order, NOVA_PERM_ALL),
                            NOVA_REVOKE_SR);
}

void nova_service_stop(struct nova_service *service)
{
        __atomic_store_n(&service->stopping, true, __ATOMIC_SEQ_CST);
        if (service->published)
                novart_registry_remove(service->control);
        else if (service->control != NOVA_SEL_NONE)
                novart_parent_registry_forget(service->control);
        novart_service_worker_stop(service);
        if (!stop_runners(service)) {
                leave_behind(service);
                return;
        }
        each_cpu(service, leave_handlers);
        novart_service_take_over(service);
        novart_service_deferred_run(novart_service_deferred_take(service));
        end_sessions(service);
        if (service->share != NOVA_SEL_NONE)
                nova_sel_release(service->share, service->portal_order);
        novart_service_leave(service);
        novart_service_wait_for_waiters(service);
        each_cpu(service, stop_cpu);
        if (service->wake != NOVA_SEL_NONE)
                nova_sel_release(service->wake, 0);
        free(service);
}

void nova_service_sleep(void)
{
        struct nova_semaphore never = NOVA_SEMAPHORE_INITIALIZER(0);

        for (;;)
                nova_semaphore_down(&never);
}

void *nova_service_argument(const struct nova_service *service)
{
        return service->config.argument;
}

unsigned nova_service_sessions(struct nova_service *service)
{
        return __atomic_load_n(&service->table.open, __ATOMIC_RELAXED);
}

void nova_service_notify(struct nova_service *service, const void *state)
{
        const struct session *session = session_of_state(service, state);
        const nova_sel_t notify = __atomic_load_n(&session->notify, __ATOMIC_ACQUIRE);

        if (notify)
                nova_sm_up(notify);
}

const char *nova_service_client(const struct nova_service *service, const void *state)
{
        return session_of_state(service, state)->client;
}

nova_sel_t nova_service_client_pd(const struct nova_service *service, const void *state)
{
        return session_of_state(service, state)->pd;
}

void nova_service_sweep(struct nova_service *service)
{
        novart_service_sweep(service, 0, service->table.slot_count);
}

void nova_service_each(struct nova_service *service, bool (*visit)(void *state, void *argument),
                       void *argument)
{
        bool more = true;

        for (unsigned slot = 0; slot < service->table.slot_count && more; slot++) {
                const struct session *session = &service->table.slots[slot];

                if (session->state == SESSION_LIVE)
                        more = visit(session_state(service, session), argument);
        }
}
