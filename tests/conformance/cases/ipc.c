/* SPDX-License-Identifier: BSD-2-Clause */
/* call and reply: the order in which threads run, statuses and flags. */
#include "harness.h"

static word_t call(nova_sel_t pt, word_t flags)
{
        self->utcb->items = 0;
        return hc_call(pt, flags);
}

/* Makes one call to the portal value[0] with the flags in value[1]. value[2]: the status. */
static void caller(struct thread *t)
{
        t->utcb->items = 0;
        t->value[2] = 99;
        t->value[2] = hc_call(t->value[0], t->value[1]);
}

static struct thread *caller_of(const struct thread *s, unsigned prio, word_t flags)
{
        struct thread *t = global(s->cpu, caller, NULL);
        t->value[0] = s->pt;
        t->value[1] = flags;
        thread_start(t, prio, QUANTUM);
        return t;
}

/* Serves a call: waits on the semaphore value[0] of its thread. */
static void waits(struct thread *t)
{
        t->value[1]++;
        hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP);
}

/* Makes a server that is busy with a request of a thread of high priority, and waits on a
 * semaphore. */
static struct thread *busy_server(struct thread **first)
{
        struct thread *s = server(boot_cpu);
        s->value[0] = semaphore(0);
        s->fn = waits;
        *first = caller_of(s, PRIO_HIGH, 0);
        EXPECT_EQ(s->value[1], 1);
        return s;
}

static void release(struct thread *s)
{
        EXPECT_EQ(hc_sm_ctrl(s->value[0], NOVA_SM_UP_OP), NOVA_SUCCESS);
}

CASE(ipc, a_call_reaches_the_ec_behind_the_portal_and_returns,
     "5.2.1-01 5.2.1-09 5.1-01 2.4-02 3.2-11 3.2-20 3.2-12")
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu);
        EXPECT_EQ(call(a->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(a->calls, 1);
        EXPECT_EQ(b->calls, 0);
}

CASE(ipc, all_calls_of_a_portal_go_to_the_same_thread, "2.4-03")
{
        struct thread *t = server(boot_cpu);
        for (unsigned i = 0; i < 100; i++)
                EXPECT_EQ(call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->calls, 100);
}

CASE(ipc, a_thread_serves_64_portals_and_learns_which_was_called, "3.2-05 5.2.2-08")
{
        struct thread *t = server(boot_cpu);
        for (unsigned i = 0; i < 64; i++) {
                const nova_sel_t pt = portal(t);
                EXPECT_EQ(call(pt, 0), NOVA_SUCCESS);
                EXPECT_EQ(t->portal, pt);
        }
        EXPECT_EQ(t->calls, 64);
}

CASE(ipc, each_portal_has_its_own_entry, "2.4-05 5.2.2-09 5.3.4-06 5.3.4-04")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t other = sel_alloc(0);
        EXPECT_EQ(hc_create_pt(other, ROOT_PD, t->ec, 0, (word_t)portal_entry_other), NOVA_SUCCESS);
        EXPECT_EQ(call(other, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->entry, 1);
        EXPECT_EQ(call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->entry, 0);
}

CASE(ipc, the_portal_number_is_the_selector_of_its_creation_regardless_of_the_selector_used,
     "5.2.2-08 C-18")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t copy = sel_alloc(0);
        give_self(obj(t->pt, NOVA_PERM_ALL), copy);
        EXPECT_EQ(call(copy, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->portal, t->pt);
}

CASE(ipc, any_permission_is_enough_to_call, "4.1.4.4-01")
{
        struct thread *t = server(boot_cpu);
        for (unsigned bit = 0; bit < 5; bit++) {
                const nova_sel_t copy = sel_alloc(0);
                give_self(obj(t->pt, 1u << bit), copy);
                EXPECT_EQ(call(copy, 0), NOVA_SUCCESS);
        }
}

CASE(ipc, call_gives_BAD_CAP_for_a_null_selector, "5.2.1-12 4.1.1-01 5.1-19")
{
        EXPECT_EQ(call(sel_alloc(0), 0), NOVA_BAD_CAP);
        EXPECT_EQ(call(sel_alloc(0), NOVA_CALL_DB | NOVA_CALL_DD), NOVA_BAD_CAP);
}

CASE(ipc, call_gives_BAD_CAP_for_other_objects, "5.2.1-13")
{
        EXPECT_EQ(call(ROOT_PD, 0), NOVA_BAD_CAP);
        EXPECT_EQ(call(NOVA_SEL_ROOT_EC, 0), NOVA_BAD_CAP);
        EXPECT_EQ(call(NOVA_SEL_ROOT_SC, 0), NOVA_BAD_CAP);
        EXPECT_EQ(call(semaphore(0), 0), NOVA_BAD_CAP);
        EXPECT_EQ(call(server(boot_cpu)->ec, 0), NOVA_BAD_CAP);
}

CASE_ON(ipc, call_gives_BAD_CPU_for_a_callee_on_another_cpu, "5.2.1-14 5.1-22", needs_2_cpus)
{
        struct thread *t = server(cpu_numbers[1]);
        EXPECT_EQ(call(t->pt, 0), NOVA_BAD_CPU);
        EXPECT_EQ(call(t->pt, NOVA_CALL_DB), NOVA_BAD_CPU);
        EXPECT_EQ(call(t->pt, NOVA_CALL_DD), NOVA_BAD_CPU);
        EXPECT_EQ(t->calls, 0);
}

CASE(ipc, DB_does_not_matter_for_an_idle_callee, "5.2.1-04 5.2.1-07")
{
        struct thread *t = server(boot_cpu);
        EXPECT_EQ(call(t->pt, NOVA_CALL_DB), NOVA_SUCCESS);
        EXPECT_EQ(t->calls, 1);
}

CASE(ipc, DB_gives_COM_TIM_at_once_for_a_busy_callee, "5.2.1-02 5.2.1-07 5.2.1-10 5.1-16")
{
        struct thread *first, *s = busy_server(&first);
        EXPECT_EQ(call(s->pt, NOVA_CALL_DB), NOVA_COM_TIM);
        EXPECT_EQ(s->calls, 1);
        release(s);
        EXPECT_EQ(first->value[2], NOVA_SUCCESS);
        EXPECT_EQ(call(s->pt, NOVA_CALL_DB), NOVA_SUCCESS);
}

static void release_later(struct thread *t)
{
        hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
}

CASE(ipc, without_DB_a_call_waits_for_the_busy_callee_and_is_served_next, "5.2.1-03 3.2-07 3.2-10")
{
        struct thread *first, *s = busy_server(&first);
        struct thread *r = global(boot_cpu, release_later, NULL);
        r->value[0] = s->value[0];
        thread_start(r, PRIO_LOW, QUANTUM);
        EXPECT_EQ(call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(first->value[2], NOVA_SUCCESS);
        EXPECT_EQ(s->calls, 2);
}

CASE(ipc, several_waiting_callers_are_all_served, "5.2.1-03 4.1.5-01 2.2-06")
{
        struct thread *first, *s = busy_server(&first), *more[4];
        for (unsigned i = 0; i < 4; i++)
                more[i] = caller_of(s, PRIO_HIGH, 0);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(more[i]->done, 0);
        release(s);
        EXPECT_EQ(first->value[2], NOVA_SUCCESS);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(more[i]->value[2], NOVA_SUCCESS);
        EXPECT_EQ(s->calls, 5);
}

static void sets_flag(struct thread *t)
{
        spin_us(1000);
        t->value[0] = 1;
}

CASE(ipc, the_caller_stays_blocked_until_the_reply, "3.2-19 2.3-03")
{
        struct thread *t = server(boot_cpu);
        t->fn = sets_flag;
        EXPECT_EQ(call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->value[0], 1);
}

static void replies_words(struct thread *t)
{
        t->utcb->items = nova_utcb_items(2, 0);
        t->utcb->word[0] = t->portal;
        t->utcb->word[1] = t->rx_word[0] + 1;
}

CASE(ipc, the_reply_reaches_its_caller, "5.2.2-01 4.6.2.1-07 4.1.5-01 5.2.1-06 5.1-02")
{
        struct thread *t = server(boot_cpu);
        t->fn = replies_words;
        self->utcb->items = nova_utcb_items(1, 0);
        self->utcb->word[0] = 41;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(self->utcb->items, nova_utcb_items(2, 0));
        EXPECT_EQ(self->utcb->word[0], t->pt);
        EXPECT_EQ(self->utcb->word[1], 42);
}

CASE(ipc, replies_in_any_order_reach_the_right_callers, "2.2-06 4.1.5-01")
{
        struct thread *ca, *cb, *a = busy_server(&ca), *b = busy_server(&cb);
        release(b);
        EXPECT_EQ(cb->done, 1);
        EXPECT_EQ(ca->done, 0);
        release(a);
        EXPECT_EQ(ca->done, 1);
}

static void calls_on(struct thread *t)
{
        t->utcb->items = 0;
        t->value[2] = hc_call(t->value[0], t->value[1]);
        t->utcb->items = 0;
}

CASE(ipc, calls_nest, "3.2-01 3.2-06")
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu), *c = server(boot_cpu);
        a->fn = calls_on;
        a->value[0] = b->pt;
        b->fn = calls_on;
        b->value[0] = c->pt;
        EXPECT_EQ(call(a->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(a->value[2], NOVA_SUCCESS);
        EXPECT_EQ(b->value[2], NOVA_SUCCESS);
        EXPECT_EQ(c->calls, 1);
}

CASE(ipc, a_call_that_leads_back_to_the_caller_gives_COM_TIM, "5.2.1-10")
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu);
        a->fn = calls_on;
        a->value[0] = b->pt;
        b->fn = calls_on;
        b->value[0] = a->pt;
        EXPECT_EQ(call(a->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(b->value[2], NOVA_COM_TIM);
        EXPECT_EQ(a->value[2], NOVA_SUCCESS);
}

CASE(ipc, a_thread_that_calls_itself_gets_COM_TIM, "5.2.1-10")
{
        struct thread *a = server(boot_cpu);
        a->fn = calls_on;
        a->value[0] = a->pt;
        EXPECT_EQ(call(a->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(a->value[2], NOVA_COM_TIM);
}

CASE_ON(ipc, with_flag_DL_a_cycle_gives_DEADLOCK_where_announced, "5.2.1-10", needs_deadlock_flag)
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu);
        a->fn = calls_on;
        a->value[0] = b->pt;
        b->fn = calls_on;
        b->value[0] = a->pt;
        b->value[1] = NOVA_CALL_DL;
        EXPECT_EQ(call(a->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(b->value[2], NOVA_DEADLOCK);
}

CASE(ipc, flag_DL_does_not_matter_for_an_idle_callee, "5.2.1-09")
{
        struct thread *t = server(boot_cpu);
        EXPECT_EQ(call(t->pt, NOVA_CALL_DL), NOVA_SUCCESS);
        EXPECT_EQ(call(t->pt, NOVA_CALL_DL | NOVA_CALL_DB), NOVA_SUCCESS);
}

static void dies(struct thread *t)
{
        event_remove(t, NOVA_EXC_UD);
        raise_ud();
}

CASE(ipc, call_gives_COM_ABT_when_the_callee_dies_meanwhile, "5.2.1-11 5.1-17 3.3-06")
{
        struct thread *t = server(boot_cpu);
        t->fn = dies;
        EXPECT_EQ(call(t->pt, 0), NOVA_COM_ABT);
}

CASE(ipc, call_gives_COM_TIM_when_the_callee_is_dead, "D-28 5.2.1-10")
{
        struct thread *t = server(boot_cpu);
        t->fn = dies;
        EXPECT_EQ(call(t->pt, 0), NOVA_COM_ABT);
        EXPECT_EQ(call(t->pt, 0), NOVA_COM_TIM);
        EXPECT_EQ(call(t->pt, NOVA_CALL_DB), NOVA_COM_TIM);
        EXPECT_EQ(t->calls, 1);
}

CASE(ipc, all_callers_of_a_chain_learn_of_a_death_one_after_the_other, "5.2.1-11")
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu);
        a->fn = calls_on;
        a->value[0] = b->pt;
        b->fn = dies;
        EXPECT_EQ(call(a->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(a->value[2], NOVA_COM_ABT);
}

CASE(ipc, callers_that_wait_for_a_callee_that_dies_get_COM_TIM, "D-28 5.2.1-11")
{
        struct thread *first, *s = server(boot_cpu);
        s->value[0] = semaphore(0);
        s->fn = waits;
        first = caller_of(s, PRIO_HIGH, 0);
        struct thread *second = caller_of(s, PRIO_HIGH, 0);
        EXPECT_EQ(second->done, 0);
        event_remove(s, NOVA_EXC_RECALL);
        hc_ec_ctrl(s->ec);
        release(s);
        EXPECT_EQ(first->value[2], NOVA_COM_ABT);
        EXPECT_EQ(second->value[2], NOVA_COM_TIM);
}

static void reply_directly(struct thread *t)
{
        t->value[0] = 1;
        thread_exit();
}

CASE(ipc, reply_by_a_global_thread_puts_it_to_sleep_for_ever, "D-29 5.2.2-05 5.2.2-07 A-04")
{
        struct thread *t = global(boot_cpu, reply_directly, NULL);
        uint64_t before, after;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[0], 1);
        EXPECT_EQ(t->done, 0);
        hc_sc_ctrl(t->sc, &before);
        spin_us(20000);
        hc_sc_ctrl(t->sc, &after);
        EXPECT_EQ(before, after);
        EXPECT_EQ(t->done, 0);
}

CASE(ipc, a_local_thread_without_a_request_never_runs, "5.3.2-13 5.3.2-14 5.2.2-06")
{
        struct thread *t = server(boot_cpu);
        spin_us(20000);
        EXPECT_EQ(t->calls, 0);
        EXPECT_EQ(call(t->pt, 0), NOVA_SUCCESS);
        spin_us(1000);
        EXPECT_EQ(t->calls, 1);
}

CASE(ipc, a_delegated_portal_opens_a_channel_between_pds, "3.2-02 3.2-03 3.2-04 2.4-01")
{
        struct thread *t = child_server(child_new(boot_cpu)), *s = server(boot_cpu);
        struct args a = {nova_hypercall_id(NOVA_CALL, 0, CHILD_FREE_SEL), 0, 0, 0, 0};
        EXPECT_EQ(remote_hypercall(t, &a), NOVA_BAD_CAP);
        EXPECT(give(t, obj(s->pt, NOVA_PERM_ALL), CHILD_FREE_SEL) != 0);
        a.a1 = nova_hypercall_id(NOVA_CALL, 0, CHILD_FREE_SEL);
        EXPECT_EQ(remote_hypercall(t, &a), NOVA_SUCCESS);
        EXPECT_EQ(s->calls, 1);
        EXPECT_EQ(s->portal, s->pt);
}

CASE(ipc, a_selector_number_as_plain_data_gives_nothing, "4.1-01 2.1-02")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(remote_sm(t, sm, NOVA_SM_UP_OP), NOVA_BAD_CAP);
        EXPECT_EQ(remote_sm(t, ROOT_PD, NOVA_SM_UP_OP), NOVA_BAD_CAP);
}

CASE(ipc, a_nondonating_call_does_not_start_an_idle_callee, "D-01 5.2.1-08 3.2-13 3.2-14")
{
        struct thread *s = server(boot_cpu);
        struct thread *t = caller_of(s, PRIO_HIGH, NOVA_CALL_DD);
        spin_us(20000);
        EXPECT_EQ(t->value[2], 99);
        EXPECT_EQ(s->calls, 0);
}

CASE(ipc, a_helper_runs_the_callee_of_a_nondonating_call, "3.2-15 5.2.2-03 D-01")
{
        struct thread *s = server(boot_cpu);
        struct thread *t = caller_of(s, PRIO_HIGH, NOVA_CALL_DD);
        EXPECT_EQ(t->done, 0);
        EXPECT_EQ(call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->value[2], NOVA_SUCCESS);
        EXPECT_EQ(s->calls, 2);
}

CASE(ipc, a_callee_of_a_nondonating_call_counts_as_busy, "5.2.1-02 3.2-13")
{
        struct thread *s = server(boot_cpu);
        struct thread *t = caller_of(s, PRIO_HIGH, NOVA_CALL_DD);
        EXPECT_EQ(call(s->pt, NOVA_CALL_DB), NOVA_COM_TIM);
        EXPECT_EQ(t->done, 0);
        EXPECT_EQ(s->calls, 0);
}

CASE(ipc, a_portal_works_after_all_capabilities_of_its_ec_are_gone, "3.6-12 3.6-13")
{
        struct thread *t = server(boot_cpu);
        hc_revoke(obj(t->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        EXPECT_EQ(look(NOVA_CRD_OBJ, t->ec), 0);
        EXPECT_EQ(call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->calls, 1);
}

CASE(ipc, a_revoked_portal_cannot_be_called, "3.6-18")
{
        struct thread *t = server(boot_cpu);
        hc_revoke(obj(t->pt, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        EXPECT_EQ(call(t->pt, 0), NOVA_BAD_CAP);
}

static void calls_then_spins(struct thread *t)
{
        t->utcb->items = 0;
        t->value[2] = hc_call(t->value[0], 0);
        spin_us(20000);
}

CASE(ipc, the_reply_returns_a_donated_sc, "5.2.2-02")
{
        struct thread *s = server(boot_cpu), *t = global(boot_cpu, calls_then_spins, NULL);
        uint64_t time;
        t->value[0] = s->pt;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &time), NOVA_SUCCESS);
        EXPECT(time >= 19000);
}

static void looks_at_all(struct thread *t)
{
        for (nova_sel_t sel = t->events + EVENTS; sel < t->events + 8 * EVENTS; sel++)
                t->value[0] += look(NOVA_CRD_OBJ, sel) != 0;
}

CASE(ipc, the_reply_capability_is_in_no_space, "4.1.5-02")
{
        struct thread *t = server(boot_cpu);
        looks_at_all(t);
        const word_t before = t->value[0];
        t->value[0] = 0;
        t->fn = looks_at_all;
        EXPECT_EQ(call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->value[0], before);
}
