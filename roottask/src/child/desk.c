/* SPDX-License-Identifier: BSD-2-Clause */
/* Desks, and the worker that answers what arrives at them (see child.h). */
#include <errno.h>

#include "child/child.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/error.h"
#include "novart/selector.h"

#define WORKER_STACK  0x6000
#define FLUSHER_STACK NOVA_THREAD_STACK_MIN

struct nova_mutex child_mutex = NOVA_MUTEX_INITIALIZER;
struct nova_child *child_first;

static struct desk all[NOVA_CPU_MAX];
static struct desk *desks[NOVA_CPU_MAX]; /* those that are in use */
static struct nova_thread *worker;
static nova_sel_t work = NOVA_SEL_NONE; /* semaphore: a desk or a child needs the worker */

struct desk *desk_of(nova_word_t cpu)
{
        return desks[cpu];
}

void desk_wake_worker(void)
{
        nova_sm_up(work);
}

/* Runs on a child's time: see child.h for what that forbids. */
static void receive(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct desk *const desk = argument;

        (void)utcb;
        if (portal == desk->nothing)
                return;
        desk->portal = portal;
        __atomic_store_n(&desk->pending, 1, __ATOMIC_RELEASE);
        nova_sm_up(work);
        nova_sm_down(desk->done);
}

static void reclaim_ended(void)
{
        struct nova_child *next;

        for (struct nova_child *child = child_first; child; child = next) {
                next = child->next;
                if (child->state == CHILD_ENDED)
                        child_reclaim(child);
        }
}

static void *run_worker(void *argument)
{
        for (;;) {
                nova_sm_down(work);
                nova_mutex_lock(&child_mutex);
                for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                        struct desk *const desk = desks[cpu];

                        if (!desk || !__atomic_exchange_n(&desk->pending, 0, __ATOMIC_ACQUIRE))
                                continue;
                        child_serve(desk, cpu);
                        nova_sm_up(desk->done);
                }
                reclaim_ended();
                nova_mutex_unlock(&child_mutex);
        }
        return argument;
}

void desk_flush(nova_word_t cpu)
{
        nova_sm_up(desks[cpu]->flush);
}

/* Calls the handler, which is made to go on by that wherever it was stopped. */
static void *run_flusher(void *argument)
{
        struct desk *const desk = argument;
        const nova_word_t cpu = (nova_word_t)(desk - all);

        while (nova_sm_zero(desk->flush) == NOVA_SUCCESS) {
                nova_mutex_lock(&child_mutex);

                const uint64_t count = limbo_count();

                nova_mutex_unlock(&child_mutex);
                nova_call(desk->nothing, 0);
                nova_mutex_lock(&child_mutex);
                limbo_desk_is_free(cpu, count);
                nova_mutex_unlock(&child_mutex);
        }
        return NULL;
}

int desk_renew_window(struct desk *desk)
{
        const nova_sel_t window = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);

        if (window == NOVA_SEL_NONE)
                return ENOMEM;
        desk->window = window;
        nova_utcb_set_windows(desk->utcb, nova_crd_all(NOVA_CRD_OBJ),
                              nova_crd_obj(window, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL));
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

static int make_worker(void)
{
        const struct nova_thread_attr attr = {"children", NOVA_CPU_SELF, nova_program.priority, 0,
                                              WORKER_STACK};

        if (worker)
                return 0;
        if (work == NOVA_SEL_NONE && make_semaphore(&work))
                return ENOMEM;
        return nova_thread_create(&worker, &attr, run_worker, NULL);
}

static int make_handler(struct desk *desk, nova_word_t cpu)
{
        desk->nothing = nova_sel_alloc(0);
        if (desk->nothing == NOVA_SEL_NONE)
                return ENOMEM;
        if (nova_handler_create(&desk->handler, cpu, "parent", receive, desk))
                goto free_nothing;
        desk->utcb = nova_handler_utcb(desk->handler);
        if (!nova_handler_portal(desk->handler, desk->nothing, 0) && !desk_renew_window(desk))
                return 0;
        nova_handler_destroy(desk->handler);
free_nothing:
        nova_sel_release(desk->nothing, 0);
        return ENOMEM;
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

static int make_desk(struct desk *desk, nova_word_t cpu)
{
        if (make_semaphore(&desk->done))
                return ENOMEM;
        if (make_semaphore(&desk->flush))
                goto release_done;
        if (make_handler(desk, cpu))
                goto release_flush;
        if (!make_flusher(desk, cpu))
                return 0;
        nova_handler_destroy(desk->handler);
        nova_sel_release(desk->nothing, 0);
        nova_sel_release(desk->window, NOVA_PARENT_SERVICE_ORDER);
release_flush:
        nova_sel_release(desk->flush, 0);
release_done:
        nova_sel_release(desk->done, 0);
        return ENOMEM;
}

int desk_prepare(nova_word_t cpu)
{
        if (make_worker())
                return ENOMEM;
        if (desks[cpu])
                return 0;

        const int error = make_desk(&all[cpu], cpu);

        if (!error)
                desks[cpu] = &all[cpu];
        return error;
}
