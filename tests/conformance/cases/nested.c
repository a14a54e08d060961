/* SPDX-License-Identifier: BSD-2-Clause */
/* Long chains of calls and recalls, and chains of which a part ends. */
#include "harness.h"

#define ALL   NOVA_PERM_ALL
#define CHAIN 200

/* A local EC without the harness's machinery: its portal makes one hypercall and replies. */
struct bare {
        nova_sel_t ec, pt;
};

static word_t bare_stack[CHAIN][2];

static struct bare bare(unsigned slot, word_t id, nova_sel_t events)
{
        const struct bare b = {sel_alloc(0), sel_alloc(0)};
        bare_stack[slot][0] = id;
        EXPECT_EQ(hc_create_ec(b.ec, ROOT_PD, utcb_alloc() | boot_cpu, (word_t)bare_stack[slot],
                               events, 0),
                  NOVA_SUCCESS);
        EXPECT_EQ(hc_create_pt(b.pt, ROOT_PD, b.ec, 0, (word_t)portal_forward), NOVA_SUCCESS);
        return b;
}

/* Makes portals, each of which calls the next one; the last one makes the given hypercall. */
static void make_chain(struct bare *chain, unsigned n, word_t last)
{
        for (unsigned i = n; i-- > 0;)
                chain[i] = bare(
                        i, i + 1 == n ? last : nova_hypercall_id(NOVA_CALL, 0, chain[i + 1].pt), 0);
}

static word_t sm_id(nova_sel_t sm, word_t flags)
{
        return nova_hypercall_id(NOVA_SM_CTRL, flags, sm);
}

static void drop(nova_sel_t sel)
{
        EXPECT_EQ(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

static word_t call(nova_sel_t pt)
{
        self->utcb->items = 0;
        return hc_call(pt, 0);
}

static void calls(struct thread *t)
{
        t->utcb->items = 0;
        t->value[1] = 1;
        t->value[2] = hc_call(t->value[0], 0);
        t->value[1] = 2;
}

static struct thread *caller(nova_sel_t pt, unsigned prio)
{
        struct thread *t = global(boot_cpu, calls, NULL);
        t->value[0] = pt;
        thread_start(t, prio, QUANTUM);
        return t;
}

static void ups(struct thread *t)
{
        hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
}

/* Blocks the case's thread until all threads above a priority have run. */
static void let_lower_run(unsigned prio)
{
        struct thread *t = global(boot_cpu, ups, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, prio, QUANTUM);
        EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP), NOVA_SUCCESS);
}

/* Creates and drops enough objects that the memory of those that ended before is free again. */
static void reuse_memory(void)
{
        const nova_sel_t sel = sel_alloc(0);
        for (unsigned i = 0; i < 400; i++) {
                EXPECT_EQ(hc_create_sm(sel, ROOT_PD, 0), NOVA_SUCCESS);
                drop(sel);
        }
}

/* ---- Depth ----------------------------------------------------------------------------------- */

CASE(nested, a_call_through_200_portals_comes_back, "5.2.1-09 3.2-16 3.2-20")
{
        struct bare chain[CHAIN];
        const nova_sel_t sm = semaphore(0);
        make_chain(chain, CHAIN, sm_id(sm, NOVA_SM_UP_OP));
        EXPECT_EQ(call(chain[0].pt), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(nested, the_sc_of_a_caller_helps_through_200_portals, "3.2-08 3.2-09 3.2-10")
{
        struct bare chain[CHAIN];
        const nova_sel_t sm = semaphore(0);
        make_chain(chain, CHAIN, sm_id(sm, NOVA_SM_DN_OP));
        struct thread *a = caller(chain[0].pt, PRIO_HIGH), *b = caller(chain[0].pt, PRIO_HIGH);
        EXPECT_EQ(a->value[1] + b->value[1], 2);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(a->value[1], 2);
        EXPECT_EQ(b->value[1], 2);
        EXPECT_EQ(a->value[2] | b->value[2], NOVA_SUCCESS);
}

CASE(nested, a_circle_over_200_portals_gives_COM_TIM, "5.2.1-10")
{
        struct bare chain[CHAIN];
        make_chain(chain, CHAIN, 0);
        bare_stack[CHAIN - 1][0] = nova_hypercall_id(NOVA_CALL, 0, chain[0].pt);
        EXPECT_EQ(call(chain[0].pt), NOVA_SUCCESS);
        EXPECT_EQ(call(chain[CHAIN / 2].pt), NOVA_SUCCESS);
}

/* Drops the SC of the thread that waits at the top of the chain. This function runs on that SC. */
static void drops_the_sc(struct thread *t)
{
        const struct thread *top = t->arg;
        t->fn = drops_the_sc;
        t->value[1] = hc_revoke(obj(top->sc, ALL), NOVA_REVOKE_SR);
}

/* Makes a thread call through a chain of this number of calls, whose last server drops the thread's
 * SC. */
static void drop_below(unsigned depth)
{
        struct bare chain[CHAIN];
        struct thread *bottom = server(boot_cpu), *top = global(boot_cpu, calls, NULL);
        make_chain(chain, depth - 1, nova_hypercall_id(NOVA_CALL, 0, bottom->pt));
        bottom->fn = drops_the_sc;
        bottom->arg = top;
        bottom->value[1] = ~(word_t)0;
        top->value[0] = chain[0].pt;
        thread_start(top, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(bottom->value[1], NOVA_SUCCESS);
        EXPECT_EQ(top->value[2], NOVA_SUCCESS);
        EXPECT_EQ(top->value[1], 2); /* top runs on after the reply */
}

CASE(nested, a_thread_runs_on_after_its_sc_was_dropped_below_any_number_of_calls,
     "3.6-11 2.3-03 5.2.2-02 D-40.2")
{
        static const unsigned depths[] = {2, 63, 64, 65, CHAIN};
        for (unsigned i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
                drop_below(depths[i]);
}

CASE(nested, the_end_of_a_thread_deep_in_a_chain_lets_all_above_continue, "5.2.1-11 3.6-11")
{
        struct bare chain[CHAIN];
        const nova_sel_t sm = semaphore(0);
        make_chain(chain, CHAIN, sm_id(sm, NOVA_SM_DN_OP));
        struct thread *a = caller(chain[0].pt, PRIO_HIGH);
        EXPECT_EQ(a->value[1], 1);
        drop(chain[CHAIN / 2].pt);
        drop(chain[CHAIN / 2].ec);
        EXPECT_EQ(a->value[1], 2);
        EXPECT_EQ(a->value[2], NOVA_SUCCESS);
        EXPECT_EQ(call(chain[0].pt), NOVA_SUCCESS);
}

/* The recall portal of each thread leads to the next thread, which has a recall pending, too. */
CASE(nested, recalls_go_through_200_portals, "5.4.1-01 7.2-21")
{
        struct bare chain[CHAIN];
        const nova_sel_t recalls = sel_alloc(9) + EVENTS;
        for (unsigned i = 0; i < CHAIN; i++) {
                const nova_sel_t recall = recalls + i;
                chain[i] = bare(i, nova_hypercall_id(NOVA_LOOKUP, 0, 0), recall - NOVA_EXC_RECALL);
                if (i)
                        EXPECT_EQ(hc_create_pt(recall - 1, ROOT_PD, chain[i].ec, 0,
                                               (word_t)reply_now),
                                  NOVA_SUCCESS);
        }
        for (unsigned round = 0; round < 3; round++) {
                for (unsigned i = 0; i + 1 < CHAIN; i++)
                        EXPECT_EQ(hc_ec_ctrl(chain[i].ec), NOVA_SUCCESS);
                EXPECT_EQ(call(chain[0].pt), NOVA_SUCCESS);
        }
}

/* ---- Ends ------------------------------------------------------------------------------------ */

static void counts(struct thread *t)
{
        t->value[1]++;
        for (;;)
                t->value[2]++;
}

/* Makes global threads without an SC. If there are many of them, they reuse the memory of threads
 * that have ended. */
static void fill_with_threads(struct thread **t, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                t[i] = global(boot_cpu, counts, NULL);
}

CASE(nested, a_helper_of_a_thread_that_ended_can_be_helped_itself, "3.2-08 3.2-09 5.2.1-11")
{
        struct thread *other[40];
        const nova_sel_t sm = semaphore(0);
        const struct bare c = bare(0, sm_id(sm, NOVA_SM_DN_OP), 0);
        const struct bare s = bare(1, nova_hypercall_id(NOVA_CALL, 0, c.pt), 0);
        struct thread *x = caller(c.pt, PRIO_LOW + 2), *y = caller(s.pt, PRIO_LOW + 1);
        let_lower_run(PRIO_LOW);
        EXPECT_EQ(x->value[1], 1);
        EXPECT_EQ(y->value[1], 1);
        drop(c.pt); /* s waits for c; the caller of s has low priority and cannot retry its call */
        drop(c.ec);
        reuse_memory();
        fill_with_threads(other, 40);
        EXPECT_EQ(call(s.pt), NOVA_SUCCESS);
        let_lower_run(PRIO_LOW);
        for (unsigned i = 0; i < 40; i++)
                EXPECT_EQ(other[i]->started, 0);
        EXPECT_EQ(x->value[2], NOVA_COM_ABT);
        EXPECT_EQ(y->value[2], NOVA_SUCCESS);
}

/* a -> b -> c, which waits. */
struct three {
        struct thread *a;
        struct bare b, c;
        nova_sel_t sm;
};

static struct three three(void)
{
        struct three t;
        t.sm = semaphore(0);
        t.c = bare(0, sm_id(t.sm, NOVA_SM_DN_OP), 0);
        t.b = bare(1, nova_hypercall_id(NOVA_CALL, 0, t.c.pt), 0);
        t.a = caller(t.b.pt, PRIO_HIGH);
        EXPECT_EQ(t.a->value[1], 1);
        return t;
}

#define SUCCESSORS 64

/* Makes a thread with many SCs. One of them reuses the memory of an ended thread's SC. */
static struct thread *successor(void)
{
        struct thread *t = global(boot_cpu, counts, NULL);
        t->sc = sel_alloc(6);
        for (unsigned i = 0; i < SUCCESSORS; i++)
                EXPECT_EQ(hc_create_sc(t->sc + i, ROOT_PD, t->ec, nova_qpd(500, PRIO_LOW + 1)),
                          NOVA_SUCCESS);
        return t;
}

/* Checks that each SC of the thread runs this thread and no other. */
static void check_successor(struct thread *t)
{
        let_lower_run(PRIO_LOW + 1);
        EXPECT_EQ(t->value[1], 1);
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, t->sc, 6, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        const word_t count = t->value[2];
        let_lower_run(PRIO_LOW);
        EXPECT_EQ(t->value[2], count);
}

CASE(nested, an_sc_that_is_revoked_during_nested_calls_is_gone_after_the_reply,
     "3.6-11 D-04.3 3.2-09")
{
        const struct three t = three();
        drop(t.a->sc);
        reuse_memory();
        EXPECT_EQ(hc_sm_ctrl(t.sm, NOVA_SM_UP_OP),
                  NOVA_SUCCESS); /* both replies return to a, on a's SC */
        reuse_memory();
        struct thread *next = successor();
        EXPECT_EQ(hc_sm_ctrl(t.sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(call(t.b.pt), NOVA_SUCCESS);
        check_successor(next);
        EXPECT_EQ(t.a->value[1], 1); /* a's call is answered, but a has no SC to run on */
        t.a->sc = sel_alloc(0);
        EXPECT_EQ(hc_create_sc(t.a->sc, ROOT_PD, t.a->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                  NOVA_SUCCESS);
        EXPECT_EQ(t.a->value[1], 2);
        EXPECT_EQ(t.a->value[2], NOVA_SUCCESS);
}

CASE(nested, a_server_whose_callers_sc_is_revoked_keeps_it_until_the_reply,
     "3.6-11 3.2-09 3.2-10 2.3-03")
{
        const struct three t = three();
        struct thread *helper = caller(t.c.pt, PRIO_HIGH);
        drop(t.a->sc);
        drop(helper->sc); /* the SC is bound to its owner, so it ends at once */
        reuse_memory();
        struct thread *next = successor();
        for (unsigned i = 0; i < 2; i++) /* after the first up, c and b reply */
                EXPECT_EQ(hc_sm_ctrl(t.sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(t.sm, NOVA_SM_DN_OP),
                  NOVA_SUCCESS); /* the second up is still in the count */
        EXPECT_EQ(helper->value[1], 1);
        check_successor(next);
        EXPECT_EQ(t.a->value[1], 1);
}

CASE(nested, the_end_of_the_middle_thread_gives_the_sc_back_to_the_first, "5.2.1-11 3.6-11 D-04.3")
{
        const struct three t = three();
        drop(t.b.pt);
        drop(t.b.ec);
        EXPECT_EQ(t.a->value[1], 2);
        EXPECT_EQ(t.a->value[2], NOVA_COM_ABT);
        drop(t.a->sc);
        reuse_memory();
        struct thread *next = successor();
        EXPECT_EQ(hc_sm_ctrl(t.sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(t.sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(call(t.c.pt), NOVA_SUCCESS); /* c first replies to no caller, then to this call */
        check_successor(next);
}

CASE(nested, the_end_of_the_first_thread_leaves_its_servers_in_order, "3.6-11 5.2.1-11")
{
        const struct three t = three();
        drop(t.a->sc);
        drop(t.a->ec);
        reuse_memory();
        struct thread *next = successor();
        for (unsigned i = 0; i < 2; i++)
                EXPECT_EQ(hc_sm_ctrl(t.sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(call(t.b.pt), NOVA_SUCCESS);
        check_successor(next);
}

static void calls_then_waits(struct thread *t)
{
        calls(t);
        t->value[3] = hc_sm_ctrl(t->value[4], NOVA_SM_DN_OP);
        t->value[1] = 3;
}

/* a -> b -> c -> d, which waits. */
CASE(nested, an_sc_that_went_back_up_over_an_ended_thread_stays_there, "5.2.1-11 3.2-09 3.2-20")
{
        const nova_sel_t sm = semaphore(0);
        const struct bare d = bare(0, sm_id(sm, NOVA_SM_DN_OP), 0);
        struct thread *c = server(boot_cpu), *a = global(boot_cpu, calls_then_waits, NULL);
        const struct bare b = bare(1, nova_hypercall_id(NOVA_CALL, 0, c->pt), 0);
        c->fn = calls_then_waits;
        c->value[0] = d.pt;
        c->value[4] = semaphore(0);
        a->value[0] = b.pt;
        a->value[4] = semaphore(0);
        thread_start(a, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(c->value[1], 1);
        drop(b.pt);
        drop(b.ec);
        EXPECT_EQ(a->value[1], 2);
        EXPECT_EQ(a->value[2], NOVA_COM_ABT);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(call(d.pt), NOVA_SUCCESS); /* answers c first */
        EXPECT_EQ(hc_sm_ctrl(a->value[4], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(a->value[1], 3);
        EXPECT_EQ(c->value[1], 1);
        EXPECT_EQ(hc_sm_ctrl(c->value[4], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(call(c->pt), NOVA_SUCCESS);
        EXPECT_EQ(c->value[1], 3);
}

static void ends_its_caller(struct thread *t)
{
        hc_revoke(obj(t->value[0], ALL), NOVA_REVOKE_SR);
        hc_revoke(obj(t->value[2], ALL), NOVA_REVOKE_SR);
        t->value[1]++;
        hc_sm_ctrl(t->value[3], NOVA_SM_DN_OP);
        t->value[1]++;
}

/* a calls b, and b calls c. The server c runs on a's SC when it ends b. */
CASE(nested, a_server_that_ends_its_caller_loses_the_callers_sc, "5.2.1-11 3.6-11 3.2-20 D-04.3")
{
        struct thread *c = server(boot_cpu);
        const struct bare b = bare(0, nova_hypercall_id(NOVA_CALL, 0, c->pt), 0);
        c->fn = ends_its_caller;
        c->value[0] = b.pt;
        c->value[2] = b.ec;
        c->value[3] = semaphore(1);
        struct thread *a = caller(b.pt, PRIO_HIGH);
        EXPECT_EQ(a->value[1], 2);
        EXPECT_EQ(a->value[2], NOVA_COM_ABT);
        EXPECT_EQ(c->value[1], 0);
        EXPECT_EQ(call(c->pt), NOVA_SUCCESS); /* c first replies to no caller, then to this call */
        EXPECT_EQ(c->value[1], 2);
}

CASE(nested, a_caller_with_two_scs_has_both_after_the_reply, "5.2.2-02 3.2-09 D-04.3")
{
        const nova_sel_t sm = semaphore(0), other = sel_alloc(0);
        const struct bare b = bare(0, sm_id(sm, NOVA_SM_DN_OP), 0);
        struct thread *a = global(boot_cpu, calls_then_waits, NULL);
        a->value[0] = b.pt;
        a->value[4] = semaphore(0);
        thread_start(a, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(hc_create_sc(other, ROOT_PD, a->ec, nova_qpd(QUANTUM, PRIO_HIGH)), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS); /* b runs on the other SC */
        EXPECT_EQ(a->value[1], 2);
        drop(other);
        EXPECT_EQ(hc_sm_ctrl(a->value[4], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(a->value[1], 3);
}
