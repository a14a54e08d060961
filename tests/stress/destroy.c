/* SPDX-License-Identifier: BSD-2-Clause */
/* PDs are destroyed while their threads are in every possible state, on all CPUs at once. */
#include "stress.h"

#define PRIO_LOWER 80
#define WINDOW_SEL 0x800

/* Numbers of a worker's objects. Those of PDs and SCs are relative to w->sel; all others are
 * arguments of own(). */
enum { PD, PARTNER, SERVER, SERVER_PT, SPINNER, SLEEPER, CALLER, HELPER, FAULTER, PACER, SM, PACE };
enum { SC_OF = 0x10, OTHER_PD = 0x20, OTHER_EC, OTHER_PT };

static word_t call(nova_sel_t pt, struct thread *t, thread_fn *fn)
{
        t->fn = fn;
        return hc_call(pt, 0);
}

static void spins(struct thread *t)
{
        for (;;)
                t->value[0]++;
}

static void sleeps(struct thread *t)
{
        for (;;)
                hc_sm_ctrl(GROUP_OBJECTS + t->value[1], NOVA_SM_DN_OP);
}

/* Calls for ever; value[2] records how the first call ends. */
static void calls(struct thread *t)
{
        for (;;) {
                t->utcb->items = 0;
                t->value[2] = hc_call(GROUP_OBJECTS + t->value[1], 0);
                t->value[0]++;
        }
}

/* Revokes the image from its own PD again and again. Each time, the next instruction faults. */
static void faults(struct thread *t)
{
        for (;;) {
                hc_revoke(nova_crd(NOVA_CRD_MEM, 0x400, 9, ALL), NOVA_REVOKE_SR);
                t->value[0]++;
        }
}

/* Wakes the worker at random intervals. Runs in the root PD. */
static void paces(struct thread *t)
{
        uint64_t seed = t->value[1];
        for (;;) {
                delay_us(random_next(&seed) & 0x3ff);
                hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
        }
}

static void serves_long(struct thread *t)
{
        delay_us(300);
        hc_sm_ctrl(GROUP_OBJECTS + t->value[1], NOVA_SM_UP_OP);
        delay_us(300);
        t->fn = serves_long;
}

/* Returns the selector of a worker's object in the group. The worker's PDs have the group, too, so
 * their threads can use the object. */
static nova_sel_t own(const struct worker *w, unsigned n)
{
        return group + GROUP_OBJECTS + 32 * w->index + n;
}

/* Makes a thread in a PD and in slot n. names: number of the object that the thread uses. */
static word_t thread_in(struct worker *w, nova_sel_t pd, unsigned n, thread_fn *fn, bool global,
                        unsigned names)
{
        struct thread *t = &w->slot[n].thread;
        t->cpu = w->cpu;
        t->value[0] = t->value[2] = 0;
        t->value[1] = 32 * w->index + names;
        t->win_d = nova_crd(NOVA_CRD_OBJ, WINDOW_SEL, 0, ALL);
        return hc_create_ec(own(w, n), pd, utcb_of(w, n) | w->cpu, slot_prepare(w, n, fn),
                            events_of(0, w->index), global ? NOVA_EC_GLOBAL : 0);
}

static word_t start(struct worker *w, unsigned n, unsigned prio)
{
        return hc_create_sc(w->sel + SC_OF + n, ROOT_PD, own(w, n), nova_qpd(500, prio));
}

static void clear(struct worker *w)
{
        hc_revoke(nova_crd(NOVA_CRD_OBJ, own(w, 0), 5, ALL), NOVA_REVOKE_SR);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, w->sel, 6, ALL), NOVA_REVOKE_SR);
}

/* Makes a PD with a thread in each state: running, asleep, in a call, helping, in page faults. */
static void populate(struct worker *w)
{
        const nova_sel_t pd = w->sel + PD;
        const nova_crd_t all = nova_crd(NOVA_CRD_OBJ, group, GROUP_ORDER, ALL);
        CHECK_EQ(w, hc_create_sm(own(w, SM), ROOT_PD, 0), NOVA_SUCCESS);
        CHECK_EQ(w, hc_create_pd(w->sel + PARTNER, ROOT_PD, all), NOVA_SUCCESS);
        CHECK_EQ(w, thread_in(w, w->sel + PARTNER, SERVER, serves_long, false, SM), NOVA_SUCCESS);
        CHECK_EQ(w,
                 hc_create_pt(own(w, SERVER_PT), ROOT_PD, own(w, SERVER), 0, (word_t)portal_entry),
                 NOVA_SUCCESS);
        CHECK_EQ(w, hc_create_sm(own(w, PACE), ROOT_PD, 0), NOVA_SUCCESS);
        CHECK_EQ(w,
                 hc_create_ec(own(w, PACER), ROOT_PD, utcb_of(w, PACER) | w->cpu,
                              slot_prepare(w, PACER, paces), events_of(group, w->index),
                              NOVA_EC_GLOBAL),
                 NOVA_SUCCESS);
        CHECK_EQ(w, hc_create_pd(pd, ROOT_PD, all), NOVA_SUCCESS);
        /* from here on, a neighbour may have destroyed the PD */
        thread_in(w, pd, SPINNER, spins, true, 0);
        thread_in(w, pd, SLEEPER, sleeps, true, SM);
        thread_in(w, pd, CALLER, calls, true, SERVER_PT);
        thread_in(w, pd, HELPER, calls, true, SERVER_PT);
        thread_in(w, pd, FAULTER, faults, true, 0);
        for (unsigned n = SPINNER; n <= PACER; n++)
                start(w, n, PRIO_LOWER);
}

/* Lets the threads reach random states: the worker sleeps while they run. */
static void let_run(struct worker *w)
{
        w->slot[PACER].thread.value[0] = group + GROUP_OBJECTS + 32 * w->index + PACE;
        w->slot[PACER].thread.value[1] = random_next(&w->seed) | 1;
        for (unsigned i = (unsigned)random_below(w, 4); i; i--) {
                hc_sm_ctrl(own(w, PACE), NOVA_SM_DN_OP);
                delay_us((unsigned)random_below(w, 300));
        }
}

static void storm_of_states(struct worker *w)
{
        w->phase = 1;
        populate(w);
        if (w->failed)
                return;
        w->phase = 2;
        let_run(w);
        w->phase = 3;
        switch (random_below(w, 5)) {
        case 0:
                hc_pd_destroy(w->sel + PD);
                break;
        case 1:
                CHECK_EQ(w, hc_pd_destroy(w->sel + PARTNER), NOVA_SUCCESS);
                break;
        case 2:
                hc_revoke(obj(own(w, SERVER), ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(own(w, SERVER_PT), ALL), NOVA_REVOKE_SR);
                break;
        case 3:
                hc_revoke(obj(w->sel + SC_OF + CALLER, ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(own(w, SM), ALL), NOVA_REVOKE_SR);
                break;
        default:
                /* Destroys the neighbour's PD in any state; it may be gone already. */
                hc_pd_destroy(workers[(w->index + 1) % worker_count].sel + PD);
                break;
        }
        w->phase = 4;
        clear(w);
}

CASE(destroy, pds_end_with_threads_in_every_state, "D-04 5.2.1-11 3.6-11")
{
        stress_begin();
        const word_t before = memory_left();
        for (unsigned i = 0; i < 3; i++) {
                stress_run(storm_of_states);
                stress_clear();
                memory_check(before);
        }
}

/* ---- Destroying one's own PD, or each other's --------------------------------------------------
 */

static void destroys(struct thread *t)
{
        hc_pd_destroy(WINDOW_SEL);
        t->value[3] = 1;
}

/* Makes a server in slot n and in PD home. Gives this PD a capability to pd at WINDOW_SEL. */
static void server_with(struct worker *w, unsigned n, nova_sel_t home, nova_sel_t pd)
{
        struct thread *t = &w->slot[n].thread;
        CHECK_EQ(w, thread_in(w, home, n, thread_exit_fn, false, 0), NOVA_SUCCESS);
        CHECK_EQ(w, hc_create_pt(own(w, 16 + n), ROOT_PD, own(w, n), 0, (word_t)portal_entry),
                 NOVA_SUCCESS);
        struct nova_utcb *u = w->self->utcb;
        u->items = 0;
        CHECK_EQ(w, call(own(w, 16 + n), t, thread_exit_fn), NOVA_SUCCESS);
        u->word[nova_utcb_item_index(0)] = obj(pd, ALL);
        u->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        u->items = nova_utcb_items(0, 1);
        CHECK_EQ(w, call(own(w, 16 + n), t, thread_exit_fn), NOVA_SUCCESS);
        CHECK_EQ(w, t->rx_item[0], obj(WINDOW_SEL, ALL));
        u->items = 0;
}

static void ends_itself(struct worker *w)
{
        const nova_sel_t pd = w->sel + PD;
        struct thread *t = &w->slot[1].thread;
        w->phase = 1;
        CHECK_EQ(w, hc_create_pd(pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, group, 7, ALL)), NOVA_SUCCESS);
        server_with(w, 1, pd, pd);
        if (w->failed)
                return;
        t->value[3] = 0;
        w->phase = 2;
        CHECK_EQ(w, call(own(w, 17), t, destroys), NOVA_COM_ABT);
        w->phase = 3;
        CHECK_EQ(w, t->value[3], 0);
        clear(w);
}

CASE(destroy, a_pd_destroys_itself, "D-04 5.2.1-11")
{
        stress_begin();
        const word_t before = memory_left();
        stress_run(ends_itself);
        stress_clear();
        memory_check(before);
}

/* Makes a PD that can destroy the next worker's PD, and lets it do so. Each worker does this. */
static void ends_the_next(struct worker *w)
{
        const nova_sel_t pd = w->sel + OTHER_PD, next = workers[(w->index + 1) % worker_count].sel;
        struct thread *t = &w->slot[1].thread;
        struct nova_utcb *u = w->self->utcb;
        w->phase = 1;
        CHECK_EQ(w, hc_create_pd(pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, group, 7, ALL)), NOVA_SUCCESS);
        /* The PD may be gone from now on. */
        thread_in(w, pd, 1, thread_exit_fn, false, 0);
        hc_create_pt(own(w, 17), ROOT_PD, own(w, 1), 0, (word_t)portal_entry);
        u->items = 0;
        w->phase = 2;
        call(own(w, 17), t, thread_exit_fn);
        u->word[nova_utcb_item_index(0)] = obj(next + OTHER_PD, ALL);
        u->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        u->items = nova_utcb_items(0, 1);
        w->phase = 3;
        call(own(w, 17), t, thread_exit_fn);
        u->items = 0;
        w->phase = 4;
        const word_t status = call(own(w, 17), t, destroys);
        CHECK_EQ(w, status <= NOVA_COM_ABT || status == NOVA_BAD_CAP, true);
        w->phase = 5;
        clear(w);
}

CASE(destroy, pds_destroy_each_other, "D-04 5.2.1-11")
{
        stress_begin();
        const word_t before = memory_left();
        stress_run(ends_the_next);
        stress_clear();
        memory_check(before);
}

/* ---- Semaphores with waiters on all CPUs ------------------------------------------------------
 */

static void waits_once(struct thread *t)
{
        t->value[2] = hc_sm_ctrl(group + GROUP_OBJECTS, NOVA_SM_DN_OP);
        t->value[3]++;
}

/* Makes and drops the semaphore if this is worker 0. All workers make threads that wait for it. */
static void drops_semaphore(struct worker *w)
{
        const nova_sel_t sm = group + GROUP_OBJECTS;
        w->phase = 1;
        if (w->index == 0)
                hc_create_sm(sm, ROOT_PD, random_below(w, 2));
        for (unsigned n = 1; n < 5; n++) {
                struct thread *t = &w->slot[n].thread;
                t->cpu = w->cpu;
                CHECK_EQ(w,
                         hc_create_ec(w->sel + n, ROOT_PD, utcb_of(w, n) | w->cpu,
                                      slot_prepare(w, n, waits_once), events_of(group, w->index),
                                      NOVA_EC_GLOBAL),
                         NOVA_SUCCESS);
                CHECK_EQ(w,
                         hc_create_sc(w->sel + SC_OF + n, ROOT_PD, w->sel + n,
                                      nova_qpd(500, PRIO_CASE + 1)),
                         NOVA_SUCCESS);
        }
        w->phase = 2;
        hc_sm_ctrl(sm, NOVA_SM_UP_OP);
        if (w->index == 0)
                hc_revoke(obj(sm, ALL), NOVA_REVOKE_SR);
        delay_us((unsigned)random_below(w, 100));
        w->phase = 3;
        hc_revoke(nova_crd(NOVA_CRD_OBJ, w->sel, 6, ALL), NOVA_REVOKE_SR);
}

CASE(destroy, semaphores_end_while_threads_of_all_CPUs_wait, "3.6-11 D-04.5")
{
        stress_begin();
        const word_t before = memory_left();
        stress_run(drops_semaphore);
        stress_clear();
        memory_check(before);
}
