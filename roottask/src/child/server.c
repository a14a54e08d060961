/* SPDX-License-Identifier: BSD-2-Clause */
/* The servers of calls and events of children: a handler, a thread and a runner on each CPU (see
 * child.h). */
#include <errno.h>
#include <stdlib.h>

#include "child/request.h"
#include "newlib/borrowed_time.h"
#include "newlib/console_line.h"
#include "nova/arch/tsc.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/console.h"
#include "novart/error.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "thread/handler.h"

#define THREAD_STACK 0x6000
#define RUNNER_STACK NOVA_THREAD_STACK_MIN

/* Maximum time in ns for which a child writes a line on its own time. Other programs wait for the
 * serial line meanwhile. */
#define GUARD_NS 100000000

/* Minimum time in ns between two reports of children about ends of their children, on one CPU. Each
 * report wakes all services of the system, so without a limit a child could take their time. */
#define TELL_NS 10000000

struct nova_mutex novart_child_mutex = NOVA_MUTEX_INITIALIZER;
struct nova_child *novart_child_first;

static struct child_server all[NOVA_CPU_MAX];
static struct child_server *servers[NOVA_CPU_MAX]; /* servers that exist */

struct child_server *novart_child_server_of(nova_word_t cpu)
{
        return servers[cpu];
}

void novart_child_server_wake(nova_word_t cpu)
{
        nova_sm_up(servers[cpu]->work);
}

static void set_windows(const struct child_server *server)
{
        nova_utcb_set_windows(
                server->utcb, 0,
                nova_crd_obj(server->window, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL));
}

/* Receives a message, on a child's time. child.h describes the restrictions of handlers. */
static void receive(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct child_server *const server = argument;
        const struct child_text *const text = &server->request->text;

        (void)utcb;
        if (portal == server->nothing)
                return;
        server->portal = portal;
        for (;;) {
                __atomic_store_n(&server->pending, 1, __ATOMIC_RELEASE);
                nova_sm_up(server->work);
                nova_sm_down(server->done);
                if (!text->bytes)
                        return;
                novart_console_write_borrowed(text->text, text->bytes);
                set_windows(server);
        }
}

static void close_ended(void)
{
        for (struct nova_child *child = novart_child_first; child; child = child->next)
                if (child->state == CHILD_ENDED)
                        novart_child_close(child);
}

void novart_child_server_tell(struct child_server *server)
{
        server->tells = nova_rdtsc() < server->told;
        if (server->tells)
                return;
        server->told = nova_deadline_in(TELL_NS);
        novart_child_tell_end();
}

/* Performs the server thread's steps that need the mutex. */
static void work(struct child_server *server, bool pending)
{
        const nova_word_t cpu = (nova_word_t)(server - all);

        nova_mutex_lock(&novart_child_mutex);
        novart_child_flushed(cpu, __atomic_load_n(&server->flushed, __ATOMIC_ACQUIRE));
        if (pending)
                novart_child_serve(server, cpu);
        if (server->tells)
                novart_child_server_tell(server);
        close_ended();
        nova_mutex_unlock(&novart_child_mutex);
}

/* Serves a message, or continues after a line of its text was written. Also writes lines that
 * cannot be written on the child's time. */
static void serve(struct child_server *server)
{
        const struct child_text *const text = &server->request->text;

        work(server, true);
        while (text->bytes && !novart_console_needs_no_lock()) {
                novart_console_write_line(text->text, text->bytes);
                work(server, true);
        }
        if (text->bytes)
                novart_console_keep_text(text->text, text->bytes);
        nova_sm_up(server->done);
}

/* Waits for work until @p guard, or until the time of a report that waits. */
static enum nova_status wait(const struct child_server *server, uint64_t guard)
{
        const uint64_t deadline = server->tells && server->told < guard ? server->told : guard;

        return deadline == NOVA_FOREVER ? nova_sm_down(server->work)
                                        : nova_sm_down_until(server->work, 0, deadline);
}

static void *run_thread(void *argument)
{
        struct child_server *const server = argument;
        /* TSC value until which the handler may write a line. The handler may be suspended
         * meanwhile. */
        uint64_t guard = NOVA_FOREVER;
        enum nova_status status;

        for (;;) {
                status = wait(server, guard);
                if (status == NOVA_COM_TIM && nova_rdtsc() >= guard) {
                        nova_sm_up(server->flush);
                        guard = NOVA_FOREVER;
                } else if (status == NOVA_COM_TIM) {
                        work(server, false);
                } else if (status != NOVA_SUCCESS) {
                        return NULL;
                } else if (__atomic_exchange_n(&server->pending, 0, __ATOMIC_ACQUIRE)) {
                        serve(server);
                        guard = server->request->text.bytes ? nova_deadline_in(GUARD_NS)
                                                            : NOVA_FOREVER;
                } else {
                        work(server, false);
                }
        }
}

void novart_child_server_flush(nova_word_t cpu)
{
        nova_sm_up(servers[cpu]->flush);
}

/* Calls the handler. The call donates time to the handler, which continues where it was suspended.
 * If the call fails, the handler may still answer earlier messages, so the closings that wait for
 * the handler do not end. */
static void *run_runner(void *argument)
{
        struct child_server *const server = argument;

        while (nova_sm_zero(server->flush) == NOVA_SUCCESS) {
                const nova_word_t count = novart_child_closings();

                if (nova_call(server->nothing, 0) != NOVA_SUCCESS)
                        continue;
                __atomic_store_n(&server->flushed, count, __ATOMIC_RELEASE);
                nova_sm_up(server->work);
        }
        return NULL;
}

int novart_child_server_renew_window(struct child_server *server)
{
        const nova_sel_t window = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);

        if (window == NOVA_SEL_NONE)
                return ENOMEM;
        server->window = window;
        set_windows(server);
        return 0;
}

static int make_semaphore(nova_sel_t *sel)
{
        *sel = nova_sel_alloc(0);
        if (*sel == NOVA_SEL_NONE)
                return ENOMEM;

        const enum nova_status status = nova_create_sm(*sel, nova_program.pd, 0);

        if (status == NOVA_SUCCESS)
                return 0;
        nova_sel_free(*sel, 0);
        *sel = NOVA_SEL_NONE;
        return nova_errno_of(status);
}

static int make_handler(struct child_server *server, nova_word_t cpu)
{
        server->nothing = nova_sel_alloc(0);
        if (server->nothing == NOVA_SEL_NONE)
                return ENOMEM;
        if (nova_handler_create(&server->handler, cpu, "parent", receive, server))
                goto free_nothing;
        server->utcb = nova_handler_utcb(server->handler);
        if (!nova_handler_portal(server->handler, server->nothing, 0) &&
            !novart_child_server_renew_window(server))
                return 0;
        nova_sel_release(server->nothing, 0);
        nova_handler_discard(server->handler);
        return ENOMEM;

free_nothing:
        nova_sel_free(server->nothing, 0);
        return ENOMEM;
}

/* Creates the server thread. It runs on the handler's CPU, so a child's requests take no time on
 * other CPUs. */
static int make_thread(struct child_server *server, nova_word_t cpu)
{
        const struct nova_thread_attr attr = {.name = "children",
                                              .cpu = cpu,
                                              .priority = nova_program.priority,
                                              .stack_bytes = THREAD_STACK,
                                              .daemon = true};

        return nova_thread_create(&server->thread, &attr, run_thread, server);
}

static int make_runner(struct child_server *server, nova_word_t cpu)
{
        const struct nova_thread_attr attr = {.name = "flusher",
                                              .cpu = cpu,
                                              .priority = nova_program.priority,
                                              .stack_bytes = RUNNER_STACK,
                                              .daemon = true};
        struct nova_thread *thread;

        if (nova_thread_create(&thread, &attr, run_runner, server))
                return ENOMEM;
        nova_thread_detach(thread);
        return 0;
}

static int make_semaphores(struct child_server *server)
{
        server->work = server->done = server->flush = NOVA_SEL_NONE;
        return make_semaphore(&server->work) || make_semaphore(&server->done) ||
               make_semaphore(&server->flush);
}

static void release_semaphores(struct child_server *server)
{
        const nova_sel_t semaphores[] = {server->work, server->done, server->flush};

        for (unsigned i = 0; i < 3; i++)
                if (semaphores[i] != NOVA_SEL_NONE)
                        nova_sel_release(semaphores[i], 0);
}

static int make_server(struct child_server *server, nova_word_t cpu)
{
        const int error = make_semaphores(server);

        server->request = calloc(1, sizeof(*server->request));
        if (error || !server->request || make_handler(server, cpu))
                goto release_semaphores;
        if (make_thread(server, cpu))
                goto discard_handler;
        if (!make_runner(server, cpu))
                return 0;
        /* The thread ends when its semaphore is destroyed. */
        nova_sel_release(server->work, 0);
        server->work = NOVA_SEL_NONE;
        nova_thread_join(server->thread, NULL);
discard_handler:
        nova_sel_release(server->nothing, 0);
        nova_handler_discard(server->handler);
        nova_sel_release(server->window, NOVA_PARENT_SERVICE_ORDER);
release_semaphores:
        release_semaphores(server);
        free(server->request);
        return ENOMEM;
}

int novart_child_server_prepare(nova_word_t cpu)
{
        nova_sel_t turn;

        if (servers[cpu])
                return 0;
        /* Two CPUs may each write a line of their children at the same time. */
        if (nova_program_is_root() && nova_console_turn(&turn))
                return ENOMEM;

        const int error = make_server(&all[cpu], cpu);

        if (!error)
                servers[cpu] = &all[cpu];
        return error;
}
