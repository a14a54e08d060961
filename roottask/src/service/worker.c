/* SPDX-License-Identifier: BSD-2-Clause */
/* The service's worker, a thread on its first CPU. It ends the sessions of clients that died, frees
 * the slots of sessions that have ended, and performs deferred actions.
 *
 * It may wait for any lock that a handler holds, because the runners lend time to the handlers.
 *
 * The worker waits without a deadline until a thread or the parent wakes it: the parent reports the
 * end of a program. If the parent does not report such ends, the worker looks for clients that died
 * once per period while a session is open. */
#include "internal.h"
#include "nova/arch/tsc.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/time.h"

#define PERIOD     1000000000 /* ns between two searches for clients that died */
#define SWEEP_STEP 64 /* number of sessions to check before the lock is released for handlers */

void novart_service_clear_soon(struct nova_service *service)
{
        nova_sm_up(service->wake);
}

/* Frees the memory of retired sessions. No other thread uses the slots of this list. */
static void free_shares(struct nova_service *service, unsigned head)
{
        for (; head != SESSION_NONE; head = service->table.slots[head].next) {
                void *const share = novart_service_share_take(&service->table.slots[head]);

                if (share)
                        nova_region_free(share);
        }
}

/* Begins to clear: takes the retired slots and the deferred actions. */
static void begin_clearing(struct nova_service *service)
{
        unsigned count;

        if (!novart_service_enter(service))
                return;
        service->passing_head = novart_session_retired_take(&service->table, &count);
        service->passing_later = novart_service_deferred_take(service);
        novart_service_leave(service);
        if (!count && !service->passing_later)
                return;
        free_shares(service, service->passing_head);
        novart_service_pass_begin(service);
}

/* Frees the slots and performs the actions, when all handlers have passed. If the service is
 * stopping, the thread that stops it performs the actions. */
static void end_clearing(struct nova_service *service)
{
        if (!novart_service_enter(service))
                return;
        novart_session_release(&service->table, service->passing_head);
        service->passing_head = SESSION_NONE;
        if (!service_stopping(service)) {
                novart_service_deferred_run(service->passing_later);
                service->passing_later = NULL;
        }
        novart_service_leave(service);
        __atomic_store_n(&service->passing, false, __ATOMIC_SEQ_CST);
}

/* Frees retired slots, and performs the deferred actions. Does not wait for handlers: their passes
 * wake the worker. */
static void clear(struct nova_service *service)
{
        if (service->passing && novart_service_has_passed(service))
                end_clearing(service);
        if (!service->passing)
                begin_clearing(service);
}

static void sweep(struct nova_service *service)
{
        for (unsigned slot = 0; slot < service->table.slot_count; slot += SWEEP_STEP) {
                if (!novart_service_enter(service))
                        return;
                novart_service_sweep(service, slot, SWEEP_STEP);
                novart_service_leave(service);
        }
}

/* Returns true if only periodic searches find clients that died. */
static bool must_look(const struct nova_service *service)
{
        return !service->watched && __atomic_load_n(&service->table.open, __ATOMIC_RELAXED);
}

static void *work(void *argument)
{
        struct nova_service *const service = (struct nova_service *)argument;
        uint64_t next = NOVA_FOREVER; /* time of the next search */
        bool again = false;           /* another period follows the search */

        while (!service_stopping(service)) {
                nova_sm_down_until(service->wake, NOVA_SM_ZC, next);

                const bool due = next != NOVA_FOREVER && nova_rdtsc() >= next;

                if (service_stopping(service))
                        break;
                if (due)
                        sweep(service);
                clear(service);
                /* The report may come before the program has ended, so a search follows at least a
                 * whole period after each report. */
                if (!due && next != NOVA_FOREVER) {
                        again = true;
                } else if (!due || again || must_look(service)) {
                        next = nova_deadline_in(PERIOD);
                        again = false;
                } else {
                        next = NOVA_FOREVER;
                }
        }
        return NULL;
}

struct nova_thread_attr novart_service_thread(const struct nova_service *service, nova_word_t cpu)
{
        return (struct nova_thread_attr){
                .name = service->config.name,
                .cpu = cpu,
                .priority =
                        service->config.priority ? service->config.priority : nova_program.priority,
                .stack_bytes = NOVA_THREAD_STACK_MIN,
        };
}

int novart_service_worker_start(struct nova_service *service)
{
        const struct nova_thread_attr attr =
                novart_service_thread(service, service_first_cpu(service));

        return nova_thread_create(&service->worker, &attr, work, service);
}

void novart_service_worker_stop(struct nova_service *service)
{
        const nova_word_t worker = (nova_word_t)service->worker;

        if (!service->worker)
                return;
        nova_sm_up(service->wake);
        nova_thread_join(service->worker, NULL);
        service->worker = NULL;
        novart_service_deferred_return(service, service->passing_later);
        novart_service_holder_ended(service, worker);
}
