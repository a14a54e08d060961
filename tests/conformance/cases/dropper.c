/* SPDX-License-Identifier: BSD-2-Clause */
/* SCs that are dropped by their owner, also through calls, or by another EC. */
#include "way.h"

static void ups(struct thread *t)
{
        hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
}

/* Blocks the case's thread until all threads of PRIO_LOW are blocked or have ended. */
static void let_lower_run(nova_sel_t sm)
{
        struct thread *t = global(boot_cpu, ups, NULL);

        t->value[0] = sm;
        thread_start(t, PRIO_LOW - 1, QUANTUM);
        EXPECT_EQ(hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + 5000 * tsc_per_ms()), NOVA_SUCCESS);
}

static bool exit_counts(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n != NOVA_EXC_PF)
                return false;
        t->value[3]++;
        u->state.mtd = NOVA_MTD_EIP | NOVA_MTD_ESP;
        u->state.ip = (word_t)reply_now;
        u->state.sp = t->sp;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

static struct thread *asker(nova_sel_t pt, unsigned prio)
{
        struct thread *t = global(boot_cpu, asks, NULL);
        t->on_event = exit_counts;
        t->value[0] = pt;
        thread_start(t, prio, QUANTUM);
        return t;
}

/* The server works for the low thread on the time of the high one. */
CASE_ON(dropper, a_server_drops_its_callers_sc_while_a_helpers_time_runs,
        "3.6-11 3.2-08 2.3-03 D-40.2", needs_timeout)
{
        const nova_sel_t first = semaphore(0), idle = semaphore(0);
        make_way(1, boot_cpu);
        way.before = first;
        struct thread *low = asker(way.server[0]->pt, PRIO_LOW);
        let_lower_run(idle);
        EXPECT_EQ(low->value[1], 1);
        struct thread *high = asker(way.server[0]->pt, PRIO_HIGH);
        way.drop[0] = low->sc;
        way.drops = 1;
        EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS); /* runs on high's SC */
        EXPECT_EQ(way.done, 1);
        way.drops = 0;
        EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(high->value[1], 2);
        let_lower_run(idle);
        EXPECT_EQ(low->value[1], 2);
        EXPECT_EQ(low->value[3], 1);
}

/* The thread high calls other, which calls the busy server. The server works for low and drops
 * high's SC; high did not request the drop. */
CASE_ON(dropper, an_sc_that_only_helps_its_dropper_ends_when_it_comes_back,
        "3.6-11 3.2-09 D-04.3 D-40", needs_timeout)
{
        const nova_sel_t first = semaphore(0), idle = semaphore(0);
        make_way(1, boot_cpu);
        way.before = first;
        struct thread *low = asker(way.server[0]->pt, PRIO_LOW);
        let_lower_run(idle);
        struct thread *other = server(boot_cpu);
        other->fn = forwards;
        other->value[0] = way.server[0]->pt;
        struct thread *high = asker(other->pt, PRIO_HIGH);
        EXPECT_EQ(high->value[1], 1);
        way.drop[0] = high->sc;
        way.drops = 1;
        EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(way.done, 1); /* high's SC still runs the servers */
        way.drops = 0;
        EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(way.done, 2);
        let_lower_run(idle);
        EXPECT_EQ(high->value[1], 1);
        EXPECT_EQ(low->value[1], 2);
        /* The thread high still exists, and continues with another SC. */
        high->sc = sel_alloc(0);
        EXPECT_EQ(hc_create_sc(high->sc, ROOT_PD, high->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                  NOVA_SUCCESS);
        EXPECT_EQ(high->value[1], 2);
        EXPECT_EQ(high->value[2], NOVA_SUCCESS);
}

/* A helper's SC is bound to its owner, so it ends at once. The helped EC continues without it. */
CASE_ON(dropper, an_sc_that_helps_ends_at_once, "3.6-11 3.2-08 D-04.3 D-40.3", needs_quota)
{
        const nova_sel_t first = semaphore(0), idle = semaphore(0);
        make_way(1, boot_cpu);
        way.before = first;
        struct thread *low = asker(way.server[0]->pt, PRIO_LOW);
        let_lower_run(idle);
        struct thread *high = asker(way.server[0]->pt, PRIO_HIGH);
        way.drop[0] = high->sc;
        way.drops = 1;
        EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
        /* The server has dropped high's SC, and now runs at its caller's low priority. */
        EXPECT_EQ(way.done, 0);
        let_lower_run(idle);
        EXPECT_EQ(way.done, 1);
        EXPECT_EQ(low->value[1], 2);
        EXPECT_EQ(high->value[1], 1);
}

static void drops_itself(struct thread *t)
{
        t->value[1] = 1;
        hc_revoke(obj(t->value[0], ALL), NOVA_REVOKE_SR);
        t->value[1] = 2;
}

CASE_ON(dropper, a_thread_that_drops_the_sc_it_owns_and_runs_on_stops_at_once,
        "3.6-11 D-04.3 D-40.3", needs_quota)
{
        struct thread *t = global(boot_cpu, drops_itself, NULL);
        t->value[0] = sel_alloc(0);
        EXPECT_EQ(hc_create_sc(t->value[0], ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                  NOVA_SUCCESS);
        EXPECT_EQ(t->value[1], 1);
        EXPECT_EQ(hc_create_sc(t->value[0], ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                  NOVA_SUCCESS);
        EXPECT_EQ(t->value[1], 2);
}

static void asks_then_drops_itself(struct thread *t)
{
        t->utcb->items = 0;
        t->value[2] = hc_call(t->value[0], 0);
        t->value[1] = 1;
        hc_revoke(obj(t->value[4] + SEL_EC, ALL), NOVA_REVOKE_SR);
        t->value[1] = 2;
}

/* When the thread drops the last capability for its EC, only the kept SC still refers to the
 * thread. No capability could end the thread later. */
CASE_ON(dropper, a_thread_whose_sc_stayed_ends_with_the_last_capability_of_its_ec,
        "3.6-11 D-04.2 D-04.3 D-40.4", needs_quota)
{
        struct doomed d;
        word_t before = 0;
        const nova_sel_t sm = sel_alloc(1);

        begin_rounds(&d, sm, 1, boot_cpu);
        for (unsigned round = 0; round < 3; round++) {
                struct thread *t = make_doomed(&d, false, asks_then_drops_itself, boot_cpu);
                plan(&d, "S");
                start_doomed(&d, PRIO_HIGH);
                EXPECT_EQ(t->value[2], NOVA_SUCCESS);
                EXPECT_EQ(t->value[1], 1);
                drop_portals(&d);
                expect_no_more(&before, sm);
        }
}

/* The thread does not get a reply; its call ends with the server. */
CASE_ON(dropper, a_thread_whose_sc_was_dropped_gets_the_end_of_its_server,
        "3.6-11 5.2.1-11 D-04.3 D-40 D-40.2", needs_timeout)
{
        for (unsigned i = 0; i < 2; i++) {
                const nova_sel_t first = semaphore(0), second = semaphore(0);
                make_way(1, boot_cpu);
                way.before = first;
                way.after = second;
                struct thread *t = asker(way.server[0]->pt, PRIO_HIGH);
                way.drop[0] = t->sc;
                way.drops = i;
                EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
                if (!i)
                        drop(t->sc);
                drop(way.server[0]->pt);
                drop(way.server[0]->ec);
                EXPECT_EQ(t->value[1],
                          i ? 2 : 1); /* the SC was kept, or it returned to its owner and ended */
                if (i)
                        EXPECT_EQ(t->value[2], NOVA_COM_ABT);
                EXPECT_EQ(way.done, 0);
        }
}
