/* SPDX-License-Identifier: BSD-2-Clause */
/* A client can take a handler's time away in the middle of a call, while the handler holds locks.
 * The service must nevertheless serve its other clients. */
#include <errno.h>

#include "case.h"
#include "internal.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/session.h"
#include "novart/time.h"
#include "service/client.h"
#include "thread/thread.h"

#define OP_HOLD (NOVA_OPERATION_FIRST + 0) /* takes a lock, and releases it after an up */
#define OP_HANG (NOVA_OPERATION_FIRST + 1) /* waits for an up */
#define SECOND  1000000000
#define MOMENT  50000000 /* ns within which a new thread reaches its wait */

static struct nova_mutex own = NOVA_MUTEX_INITIALIZER; /* a lock of the service's functions */
static struct nova_semaphore go_on = NOVA_SEMAPHORE_INITIALIZER(0);
static bool held, hangs, closed; /* atomic */
static struct nova_service *service;
static char *page;

static int hold(struct nova_request *request)
{
        (void)request;
        nova_mutex_lock(&own);
        __atomic_store_n(&held, true, __ATOMIC_RELEASE);
        nova_semaphore_down(&go_on);
        nova_mutex_unlock(&own);
        return 0;
}

static int hang(struct nova_request *request)
{
        (void)request;
        __atomic_store_n(&hangs, true, __ATOMIC_RELEASE);
        nova_semaphore_down(&go_on);
        return 0;
}

static void on_close(struct nova_service *of, void *state)
{
        (void)of, (void)state;
        nova_mutex_lock(&own);
        nova_mutex_unlock(&own);
        __atomic_store_n(&closed, true, __ATOMIC_RELEASE);
}

static const struct nova_service_operation operations[] = {
        {.handler = hold, .words_max = 2},
        {.handler = hang, .words_max = 2},
};

static const struct nova_service_config config = {
        .name = "severed",
        .operations = operations,
        .operation_count = 2,
        .close = on_close,
        .parallel = true,
        .share_pages = 1,
};

static nova_sel_t share_portal(const struct nova_session *session, nova_word_t cpu)
{
        return session->portals + ((nova_sel_t)1 << session->order) + cpu;
}

/* Opens a session for another PD, as a client in that PD does. */
static int open_for(nova_sel_t pd)
{
        const nova_word_t words[] = {0, service->portal_order};
        const unsigned order = service->portal_order + CLIENT_WINDOW_MORE;
        const nova_sel_t portals = nova_sel_alloc(order);
        nova_sel_t control;
        nova_word_t answer[1];
        struct nova_message message = {
                .operation = NOVA_OPERATION_OPEN,
                .words = words,
                .word_count = 2,
                .item_count = 1,
                .items = {nova_crd_obj(pd, 0, NOVA_PD_SM)},
                .window = nova_crd_obj(portals, order, NOVA_PERM_ALL),
                .answer = answer,
                .answer_max = 1,
        };

        if (!novart_registry_get(config.name, &control))
                return ENOENT;
        const int error = novart_client_transact(control + nova_thread_cpu(), &message, NULL);

        novart_registry_put(control);
        return error;
}

static bool wait_for(const bool *flag)
{
        for (unsigned tries = 0; tries < 1000; tries++) {
                if (__atomic_load_n(flag, __ATOMIC_ACQUIRE))
                        return true;
                nova_sleep(SECOND / 100);
        }
        return false;
}

/* Bodies of the clients' threads. Their calls do not donate: the handler runs only while another
 * thread lends it time. */
static void *call_hold(void *argument)
{
        const struct nova_session *session = argument;
        struct nova_utcb *utcb = nova_thread_utcb();

        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, OP_HOLD);
        nova_call(session->portals + nova_thread_cpu(), NOVA_CALL_DD);
        return NULL;
}

static void *call_share(void *argument)
{
        const struct nova_session *session = argument;
        const struct client_share share = {page, 1, session->portals + nova_thread_cpu()};
        struct nova_utcb *utcb = nova_thread_utcb();

        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, NOVA_OPERATION_SHARE);
        nova_utcb_put(utcb, 1);
        if (novart_client_put_share(utcb, &share) == 0)
                nova_call(share_portal(session, nova_thread_cpu()), NOVA_CALL_DD);
        return NULL;
}

static void *call_hang(void *session)
{
        nova_session_invoke(session, OP_HANG, 0, 0);
        return NULL;
}

/* Lends time to the handler of a portal, until main() ends this thread. */
static void *lend(void *portal)
{
        struct nova_utcb *utcb = nova_thread_utcb();

        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, NOVA_OPERATION_NOP);
        nova_call((nova_sel_t)(uintptr_t)portal, 0);
        return NULL;
}

static struct nova_thread *start(void *(*body)(void *), nova_word_t cpu, void *argument)
{
        const struct nova_thread_attr attr = {.name = "client", .cpu = cpu};
        struct nova_thread *thread;

        return nova_thread_create(&thread, &attr, body, argument) ? NULL : thread;
}

/* Starts a client, and then a thread that lends time to the client's handler. Returns this
 * thread. */
static struct nova_thread *lent(void *(*client)(void *), nova_word_t cpu,
                                struct nova_session *session, nova_sel_t portal)
{
        if (!start(client, cpu, session))
                return NULL;
        nova_sleep(MOMENT);
        return start(lend, cpu, (void *)(uintptr_t)portal);
}

/* Ends the SC of the thread that lends time. */
static void sever(const struct nova_thread *lender)
{
        if (lender)
                nova_sc_destroy(nova_thread_sc(lender));
}

/* Tests a handler on the service's first CPU that loses its time while it holds the lock that the
 * service's close function needs. Meanwhile the service closes the session of a program that has
 * ended. */
static void closes_sessions(struct nova_session *session)
{
        const nova_sel_t pd = nova_sel_alloc(0), portal = session->portals + nova_program.cpu;
        struct nova_thread *lender = NULL;

        check(nova_create_pd(pd, nova_program.pd, 0) == NOVA_SUCCESS && open_for(pd) == 0,
              "another program opens a session");
        check((lender = lent(call_hold, nova_program.cpu, session, portal)) && wait_for(&held),
              "a handler holds a lock");
        nova_sel_release(pd, 0);
        sever(lender);
        nova_semaphore_up(&go_on);
        check(wait_for(&closed), "it loses its time, and the program's session is closed");
}

/* Lets a call on another CPU take long. Meanwhile the other handler of that CPU loses its time
 * while it waits for the service's lock. */
static void opens_sessions(struct nova_session *session, nova_word_t cpu)
{
        const nova_sel_t portal = share_portal(session, cpu);
        struct nova_thread *const slow = start(call_hang, cpu, session);
        struct nova_session *fresh;
        struct nova_thread *lender = NULL;

        check(slow && wait_for(&hangs), "a call on another CPU takes long");
        check(nova_service_lock(service) == 0 && (lender = lent(call_share, cpu, session, portal)),
              "a client shares memory there");
        nova_sleep(MOMENT);
        sever(lender);
        nova_service_unlock(service);

        const int error = nova_session_open_until(&fresh, config.name, NULL,
                                                  nova_deadline_in(10ull * SECOND));

        check(error == 0, "the handler loses its time, and another client opens a session");
        if (!error)
                nova_session_close(fresh);
        nova_semaphore_up(&go_on);
        check(nova_thread_join(slow, NULL) == 0, "the long call ends");
}

int main(void)
{
        const uint64_t others = nova_program.cpus & ~((uint64_t)1 << nova_program.cpu);
        struct nova_session *session = NULL;

        page = nova_region_lazy("page", NOVA_PAGE_SIZE);
        check(page && !nova_region_commit(page, NOVA_PAGE_SIZE) &&
                      nova_service_start(&service, &config) == 0 &&
                      nova_session_open(&session, config.name, NULL) == 0,
              "a service starts");
        closes_sessions(session);
        if (others)
                opens_sessions(session, (nova_word_t)__builtin_ctzll(others));
        return check_end();
}
