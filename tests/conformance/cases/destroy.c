/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of objects, and the extension pd_destroy. */
#include "harness.h"

#define ALL    NOVA_PERM_ALL
#define ROUNDS 20000

static void drop(nova_sel_t sel)
{
        EXPECT_EQ(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

CASE(destroy, semaphores_can_be_made_and_dropped_20000_times, "D-04.5 3.6-11")
{
        const nova_sel_t sel = sel_alloc(0);
        case_seconds(120);
        for (unsigned i = case_rounds(ROUNDS); i; i--) {
                EXPECT_EQ(hc_create_sm(sel, ROOT_PD, i), NOVA_SUCCESS);
                drop(sel);
        }
}

CASE(destroy, portals_can_be_made_and_dropped_20000_times, "D-04.4 3.6-11")
{
        const nova_sel_t sel = sel_alloc(0);
        struct thread *t = server(boot_cpu);
        case_seconds(120);
        for (unsigned i = case_rounds(ROUNDS); i; i--) {
                EXPECT_EQ(hc_create_pt(sel, ROOT_PD, t->ec, 0, 0), NOVA_SUCCESS);
                drop(sel);
        }
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
}

CASE(destroy, local_threads_can_be_made_and_dropped_20000_times_at_one_utcb_address,
     "D-04.2 3.6-11")
{
        const nova_sel_t sel = sel_alloc(0);
        const word_t utcb = utcb_alloc();
        case_seconds(180);
        for (unsigned i = case_rounds(ROUNDS); i; i--) {
                EXPECT_EQ(hc_create_ec(sel, ROOT_PD, utcb | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
                drop(sel);
        }
        EXPECT_EQ(probe_read((void *)utcb), 1);
}

CASE(destroy, protection_domains_can_be_made_and_dropped_20000_times, "D-04 3.6-11")
{
        const nova_sel_t sel = sel_alloc(0);
        case_seconds(240);
        for (unsigned i = case_rounds(ROUNDS); i; i--) {
                EXPECT_EQ(hc_create_pd(sel, ROOT_PD, 0), NOVA_SUCCESS);
                drop(sel);
        }
}

CASE(destroy, scheduling_contexts_can_be_made_and_dropped_20000_times, "D-04.3 3.6-11")
{
        struct thread *t = global(boot_cpu, thread_exit_fn, NULL);
        const nova_sel_t sel = sel_alloc(0);
        case_seconds(180);
        for (unsigned i = case_rounds(ROUNDS); i; i--) {
                EXPECT_EQ(hc_create_sc(sel, ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_LOW)),
                          NOVA_SUCCESS);
                drop(sel);
        }
        EXPECT_EQ(t->started, 0);
}

CASE(destroy, threads_that_ran_can_be_made_and_dropped_2000_times, "D-04.2 D-04.3 3.6-11")
{
        case_seconds(180);
        const nova_sel_t ec = sel_alloc(0), sc = sel_alloc(0);
        struct thread *t = global(boot_cpu, thread_exit_fn, NULL);
        const word_t utcb = utcb_alloc();
        for (unsigned i = 0; i < 2000; i++) {
                t->done = 0;
                EXPECT_EQ(hc_create_ec(ec, ROOT_PD, utcb | boot_cpu, t->sp, t->own_events,
                                       NOVA_EC_GLOBAL),
                          NOVA_SUCCESS);
                EXPECT_EQ(hc_create_sc(sc, ROOT_PD, ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                          NOVA_SUCCESS);
                EXPECT_EQ(t->done, 1);
                drop(sc);
                drop(ec);
        }
}

CASE(destroy, memory_can_be_delegated_and_revoked_5000_times, "3.6-11 D-04")
{
        case_seconds(180);
        const word_t src = page_of(memory(2)), dst = page_alloc(2);
        for (unsigned i = 0; i < 5000; i++) {
                give_self(mem(src, 2, NOVA_MEM_RWX), dst);
                hc_revoke(mem(src + i % 4, 0, ALL), 0);
                hc_revoke(mem(src, 2, ALL), 0);
                EXPECT_EQ(look(NOVA_CRD_MEM, dst), 0);
        }
}

static void spins(struct thread *t)
{
        for (;;)
                t->value[1]++;
}

CASE(destroy, a_ready_thread_stops_when_its_sc_is_dropped, "3.6-11 D-04.3")
{
        struct thread *t = run_thread(boot_cpu, PRIO_CASE, spins, NULL);
        EXPECT(wait_for(&t->started, 1));
        drop(t->sc);
        const word_t count = t->value[1];
        spin_us(40000);
        EXPECT_EQ(t->value[1], count);
}

CASE_ON(destroy, a_thread_of_another_cpu_stops_when_its_sc_is_dropped, "3.6-11 D-04.3",
        needs_2_cpus)
{
        struct thread *t = run_thread(cpu_numbers[1], PRIO_CASE, spins, NULL);
        EXPECT(wait_for(&t->started, 1));
        drop(t->sc);
        EXPECT(comes_to_rest(&t->value[1]));
}

static void waits(struct thread *t)
{
        t->value[1] = 1;
        t->value[2] = hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP);
        t->value[1] = 2;
}

CASE(destroy, a_semaphore_can_be_dropped_while_threads_wait, "3.6-11 D-04.5")
{
        struct thread *t = global(boot_cpu, waits, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[1], 1);
        drop(t->value[0]);
        EXPECT_EQ(hc_create_sm(t->value[0], ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT(t->value[1] == 1 || t->value[2] != NOVA_SUCCESS);
}

CASE(destroy, a_waiting_thread_can_be_dropped_and_the_next_up_goes_to_another, "3.6-11 5.4.3-06")
{
        const nova_sel_t sm = semaphore(0);
        struct thread *a = global(boot_cpu, waits, NULL), *b = global(boot_cpu, waits, NULL);
        a->value[0] = b->value[0] = sm;
        thread_start(a, PRIO_HIGH, QUANTUM);
        thread_start(b, PRIO_HIGH, QUANTUM);
        drop(a->sc);
        drop(a->ec);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(b->value[1], 2);
        EXPECT_EQ(a->value[1], 1);
}

/* ---- pd_destroy ------------------------------------------------------------------------------ */

CASE_ON(destroy, pd_destroy_gives_BAD_CAP_when_the_selector_holds_no_pd, "5.1-19", needs_pd_destroy)
{
        EXPECT_EQ(hc_pd_destroy(sel_alloc(0)), NOVA_BAD_CAP);
        EXPECT_EQ(hc_pd_destroy(NOVA_SEL_ROOT_EC), NOVA_BAD_CAP);
        EXPECT_EQ(hc_pd_destroy(semaphore(0)), NOVA_BAD_CAP);
}

CASE_ON(destroy, pd_destroy_needs_all_five_permissions, "5.1-19", needs_pd_destroy)
{
        const nova_sel_t pd = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
        for (unsigned bit = 0; bit < 5; bit++) {
                const nova_sel_t copy = sel_alloc(0);
                give_self(obj(pd, ALL & ~(1u << bit)), copy);
                EXPECT_EQ(hc_pd_destroy(copy), NOVA_BAD_CAP);
        }
        EXPECT_EQ(hc_pd_destroy(pd), NOVA_SUCCESS);
}

CASE_ON(destroy, pd_destroy_ends_the_threads_of_the_pd, "3.6-11 D-04.2", needs_pd_destroy)
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c), *g = child_global(c, spins, NULL);
        thread_start(g, PRIO_CASE, 1000);
        EXPECT(wait_for(&g->started, 1));
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_pd_destroy(c->pd), NOVA_SUCCESS);
        const word_t status = hc_call(t->pt, 0);
        EXPECT(status == NOVA_BAD_CAP || status == NOVA_COM_TIM);
        const word_t count = g->value[1];
        spin_us(30000);
        EXPECT_EQ(g->value[1], count);
}

static void waits_in_child(struct thread *t)
{
        hc_sm_ctrl(CHILD_FREE_SEL, NOVA_SM_DN_OP);
        t->value[1] = 3;
}

static void calls(struct thread *t)
{
        t->utcb->items = 0;
        t->value[2] = 99;
        t->value[2] = hc_call(t->value[0], 0);
}

CASE_ON(destroy, pd_destroy_aborts_a_call_that_is_being_served, "5.2.1-11", needs_pd_destroy)
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c), *caller = global(boot_cpu, calls, NULL);
        give(t, obj(semaphore(0), ALL), CHILD_FREE_SEL);
        t->fn = waits_in_child;
        caller->value[0] = t->pt;
        thread_start(caller, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(caller->value[2], 99);
        EXPECT_EQ(hc_pd_destroy(c->pd), NOVA_SUCCESS);
        EXPECT_EQ(caller->value[2], NOVA_COM_ABT);
}

CASE_ON(destroy, pd_destroy_revokes_all_delegations_of_the_pd, "3.6-08", needs_pd_destroy)
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c), *s = server(boot_cpu);
        const nova_sel_t back = sel_alloc(0), sm = semaphore(0);
        give(t, obj(sm, ALL), CHILD_FREE_SEL);
        give(t, obj(s->pt, ALL), CHILD_FREE_SEL + 1);
        windows(s, 0, obj(back, ALL));
        send_from(t, CHILD_FREE_SEL + 1, s, obj(CHILD_FREE_SEL, ALL), NOVA_ITEM_DELEGATE);
        EXPECT_EQ(look(NOVA_CRD_OBJ, back), obj(back, ALL));
        EXPECT_EQ(hc_pd_destroy(c->pd), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, back), 0);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
}

/* Makes a new PD and a new thread at the selectors of destroyed ones. */
static void renew(struct child *c, struct thread *t)
{
        drop(c->pd);
        drop(t->ec);
        drop(t->pt);
        t->event_count = 0;
        EXPECT_EQ(
                hc_create_pd(c->pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, c->portals, CHILD_ORDER, ALL)),
                NOVA_SUCCESS);
        EXPECT_EQ(hc_create_ec(t->ec, c->pd, (word_t)t->utcb | t->cpu, t->sp, t->own_events, 0),
                  NOVA_SUCCESS);
        EXPECT_EQ(hc_create_pt(t->pt, ROOT_PD, t->ec, 0, (word_t)portal_entry), NOVA_SUCCESS);
}

CASE_ON(destroy, whole_children_can_be_made_and_destroyed_1000_times, "D-04 D-04.2 3.6-11",
        needs_pd_destroy)
{
        case_seconds(240);
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        for (unsigned i = 0; i < 1000; i++) {
                self->utcb->items = 0;
                EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
                EXPECT_EQ(hc_pd_destroy(c->pd), NOVA_SUCCESS);
                renew(c, t);
        }
}
