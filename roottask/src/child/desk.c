/* SPDX-License-Identifier: BSD-2-Clause */
/* Desks, and the worker that answers what arrives at them (see child.h). */
#include <errno.h>
#include <stdlib.h>

#include "child/request.h"
#include "newlib/lent.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/console.h"
#include "novart/error.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "thread/handler.h"

#define WORKER_STACK  0x6000
#define FLUSHER_STACK NOVA_THREAD_STACK_MIN

/* How long a child may take for a line on its own time; others wait for the serial line. */
#define GUARD_NS 100000000

struct nova_mutex novart_child_mutex = NOVA_MUTEX_INITIALIZER;
struct nova_child *novart_child_first;

static struct desk all[NOVA_CPU_MAX];
static struct desk *desks[NOVA_CPU_MAX]; /* those that are in use */

struct desk *novart_child_server_of(nova_word_t cpu)
{
        return desks[cpu];
}

void novart_child_server_wake(nova_word_t cpu)
{
        nova_sm_up(desks[cpu]->work);
}

static void set_windows(const struct desk *desk)
{
        nova_utcb_set_windows(desk->utcb, 0,
                              nova_crd_obj(desk->window, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL));
}

/* Runs on a child's time: see child.h for what that forbids. */
static void receive(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct desk *const desk = argument;
        const struct child_text *const text = &desk->request->text;

        (void)utcb;
        if (portal == desk->nothing)
                return;
        desk->portal = portal;
        for (;;) {
                __atomic_store_n(&desk->pending, 1, __ATOMIC_RELEASE);
                nova_sm_up(desk->work);
                nova_sm_down(desk->done);
                if (!text->bytes)
                        return;
                novart_console_write_borrowed(text->text, text->bytes);
                set_windows(desk);
        }
}

static void reclaim_ended(void)
{
        struct nova_child *next;

        for (struct nova_child *child = novart_child_first; child; child = next) {
                next = child->next;
                if (child->state == CHILD_ENDED)
                        novart_child_reclaim(child);
        }
}

/* What is to be done under the mutex. */
static void work(struct desk *desk, bool pending)
{
        const nova_word_t cpu = (nova_word_t)(desk - all);

        nova_mutex_lock(&novart_child_mutex);
        novart_retired_selectors_release(cpu, __atomic_load_n(&desk->flushed, __ATOMIC_ACQUIRE));
        if (pending)
                novart_child_serve(desk, cpu);
        reclaim_ended();
        nova_mutex_unlock(&novart_child_mutex);
}

/* Serves a message, or goes on with one of whose text a line was written. Text that nobody can
 * write on the child's time is written here. */
static void serve(struct desk *desk)
{
        const struct child_text *const text = &desk->request->text;

        work(desk, true);
        while (text->bytes && !novart_console_needs_no_lock()) {
                nova_console_write(text->text, text->bytes);
                work(desk, true);
        }
        nova_sm_up(desk->done);
}

static void *run_worker(void *argument)
{
        struct desk *const desk = argument;
        bool writes = false; /* the handler has a line, and may stop while it writes it */
        enum nova_status status;

        for (;;) {
                status = writes ? nova_sm_down_until(desk->work, 0, nova_deadline_in(GUARD_NS))
                                : nova_sm_down(desk->work);
                if (status == NOVA_COM_TIM) {
                        nova_sm_up(desk->flush);
                        writes = false;
                } else if (status != NOVA_SUCCESS) {
                        return NULL;
                } else if (__atomic_exchange_n(&desk->pending, 0, __ATOMIC_ACQUIRE)) {
                        serve(desk);
                        writes = desk->request->text.bytes;
                } else {
                        work(desk, false);
                }
        }
}

void novart_child_server_flush(nova_word_t cpu)
{
        nova_sm_up(desks[cpu]->flush);
}

/* Calls the handler, which is made to go on by that wherever it was stopped. */
static void *run_flusher(void *argument)
{
        struct desk *const desk = argument;

        while (nova_sm_zero(desk->flush) == NOVA_SUCCESS) {
                const nova_word_t count = novart_retired_selectors_count();

                nova_call(desk->nothing, 0);
                __atomic_store_n(&desk->flushed, count, __ATOMIC_RELEASE);
                nova_sm_up(desk->work);
        }
        return NULL;
}

int novart_child_server_renew_window(struct desk *desk)
{
        const nova_sel_t window = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);

        if (window == NOVA_SEL_NONE)
                return ENOMEM;
        desk->window = window;
        set_windows(desk);
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

static int make_handler(struct desk *desk, nova_word_t cpu)
{
        desk->nothing = nova_sel_alloc(0);
        if (desk->nothing == NOVA_SEL_NONE)
                return ENOMEM;
        if (nova_handler_create(&desk->handler, cpu, "parent", receive, desk))
                goto free_nothing;
        desk->utcb = nova_handler_utcb(desk->handler);
        if (!nova_handler_portal(desk->handler, desk->nothing, 0) &&
            !novart_child_server_renew_window(desk))
                return 0;
        nova_sel_release(desk->nothing, 0);
        novart_handler_discard(desk->handler);
        return ENOMEM;

free_nothing:
        nova_sel_free(desk->nothing, 0);
        return ENOMEM;
}

/* On their CPU, so that what a child asks for takes nobody's time on others. */
static int make_worker(struct desk *desk, nova_word_t cpu)
{
        const struct nova_thread_attr attr = {"children", cpu, nova_program.priority, 0,
                                              WORKER_STACK};

        return nova_thread_create(&desk->worker, &attr, run_worker, desk);
}

static int make_flusher(struct desk *desk, nova_word_t cpu)
{
        const struct nova_thread_attr attr = {"desk", cpu, nova_program.priority, 0, FLUSHER_STACK};
        struct nova_thread *thread;

        if (nova_thread_create(&thread, &attr, run_flusher, desk))
                return ENOMEM;
        nova_thread_detach(thread);
        return 0;
}

static int make_semaphores(struct desk *desk)
{
        desk->work = desk->done = desk->flush = NOVA_SEL_NONE;
        return make_semaphore(&desk->work) || make_semaphore(&desk->done) ||
               make_semaphore(&desk->flush);
}

static void release_semaphores(struct desk *desk)
{
        const nova_sel_t semaphores[] = {desk->work, desk->done, desk->flush};

        for (unsigned i = 0; i < 3; i++)
                if (semaphores[i] != NOVA_SEL_NONE)
                        nova_sel_release(semaphores[i], 0);
}

static int make_desk(struct desk *desk, nova_word_t cpu)
{
        const int error = make_semaphores(desk);

        desk->request = calloc(1, sizeof(*desk->request));
        if (error || !desk->request || make_handler(desk, cpu))
                goto release_semaphores;
        if (make_worker(desk, cpu))
                goto discard_handler;
        if (!make_flusher(desk, cpu))
                return 0;
        /* Without its semaphore the worker ends. */
        nova_sel_release(desk->work, 0);
        desk->work = NOVA_SEL_NONE;
        nova_thread_join(desk->worker, NULL);
discard_handler:
        nova_sel_release(desk->nothing, 0);
        novart_handler_discard(desk->handler);
        nova_sel_release(desk->window, NOVA_PARENT_SERVICE_ORDER);
release_semaphores:
        release_semaphores(desk);
        free(desk->request);
        return ENOMEM;
}

int novart_child_server_prepare(nova_word_t cpu)
{
        nova_sel_t turn;

        if (desks[cpu])
                return 0;
        /* Of two CPUs each may write a line of its children's at the same time. */
        if (nova_program_is_root() && nova_console_turn(&turn))
                return ENOMEM;

        const int error = make_desk(&all[cpu], cpu);

        if (!error)
                desks[cpu] = &all[cpu];
        return error;
}
