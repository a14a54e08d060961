/* SPDX-License-Identifier: BSD-2-Clause */
/* The order in which a hypercall checks for errors, and the bits that it ignores. */
#include "harness.h"

#define ALL                    NOVA_PERM_ALL
#define ID(number, flags, sel) nova_hypercall_id(NOVA_##number, flags, sel)

static void waits_inside(struct thread *t)
{
        t->value[1] = 1;
        hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP);
}

static void calls(struct thread *t)
{
        t->utcb->items = 0;
        t->value[1] = hc_call(t->value[0], 0);
}

CASE_ON(order, call_reports_BAD_CPU_before_a_busy_callee, "5.2.1-14 5.2.1-10", needs_2_cpus)
{
        struct thread *s = server(cpu_numbers[1]), *t = global(cpu_numbers[1], calls, NULL);
        s->fn = waits_inside;
        s->value[0] = semaphore(0);
        t->value[0] = s->pt;
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&s->value[1], 1));
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(s->pt, NOVA_CALL_DB), NOVA_BAD_CPU);
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_BAD_CPU);
        EXPECT_EQ(hc_sm_ctrl(s->value[0], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(t->value[1], NOVA_SUCCESS);
}

CASE_ON(order, call_reports_BAD_CPU_for_a_dead_callee_of_another_cpu, "5.2.1-14", needs_2_cpus)
{
        struct thread *s = server(cpu_numbers[1]), *t = global(cpu_numbers[1], calls, NULL);
        event_remove(s, NOVA_EXC_UD);
        s->fn = (thread_fn *)(word_t)raise_ud;
        t->value[0] = s->pt;
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(t->value[1], NOVA_COM_ABT);
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_BAD_CPU);
}

/* Tries each create with a selector that is taken. The selector keeps its capability. */
CASE(order, a_refused_create_keeps_the_capability_at_the_selector,
     "5.3.1-11 5.3.2-21 5.3.3-07 5.3.4-08 5.3.5-07")
{
        const nova_sel_t sm = semaphore(7);
        struct thread *t = server(boot_cpu), *g = global(boot_cpu, NULL, NULL);
        EXPECT_EQ(hc_create_pd(sm, ROOT_PD, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_ec(sm, ROOT_PD, utcb_alloc() | boot_cpu, 0, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sm, ROOT_PD, g->ec, nova_qpd(QUANTUM, PRIO_LOW)), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pt(sm, ROOT_PD, t->ec, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sm(sm, ROOT_PD, 0), NOVA_BAD_CAP);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sm), obj(sm, ALL));
        for (unsigned i = 0; i < 7; i++)
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(order, a_refused_create_sc_leaves_the_thread_alone, "5.3.3-07 2.2-03")
{
        struct thread *t = global(boot_cpu, thread_exit_fn, NULL);
        EXPECT_EQ(hc_create_sc(semaphore(0), ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                  NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, t->ec, nova_qpd(0, PRIO_HIGH)), NOVA_BAD_PAR);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, t->ec, nova_qpd(QUANTUM, 0)), NOVA_BAD_PAR);
        spin_us(20000);
        EXPECT_EQ(t->event_count, 0);
        EXPECT_EQ(t->started, 0);
}

/* Flag bits 4 and 5 mean nothing for these hypercalls; bits 6 and 7 are left for extensions. */
CASE(order, flags_that_a_call_does_not_have_do_not_matter, "7.5-03 8.5-03")
{
        for (word_t flags = 0x10; flags <= 0x30; flags += 0x10) {
                const nova_sel_t sm = sel_alloc(0), pd = sel_alloc(0);
                struct args a = {ID(CREATE_SM, flags, sm), ROOT_PD, 1, 0, 0};
                EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                a = (struct args){ID(CREATE_PD, flags, pd), ROOT_PD, 0, 0, 0};
                EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
                a = (struct args){ID(LOOKUP, flags, 0), obj(pd, 0), 0, 0, 0};
                EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
                EXPECT_EQ(a.a2, obj(pd, ALL));
                a = (struct args){ID(SC_CTRL, flags, NOVA_SEL_ROOT_SC), 0, 0, 0, 0};
                EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
                a = (struct args){ID(EC_CTRL, flags, server(boot_cpu)->ec), 0, 0, 0, 0};
                EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        }
}

/* The kernel checks permissions before it does anything else to the object. */
CASE(order, a_refused_down_takes_nothing_and_a_refused_up_gives_nothing, "5.4.3-12 5.4.3-13")
{
        const nova_sel_t sm = semaphore(1), up = sel_alloc(0), down = sel_alloc(0);
        give_self(obj(sm, NOVA_SM_UP), up);
        give_self(obj(sm, NOVA_SM_DN), down);
        EXPECT_EQ(hc_sm_ctrl(up, NOVA_SM_DN_OP), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_ctrl(up, NOVA_SM_DN_OP | NOVA_SM_ZC), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_ctrl(down, NOVA_SM_UP_OP), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_ctrl(down, NOVA_SM_DN_OP), NOVA_SUCCESS);
        struct thread *t = global(boot_cpu, waits_inside, NULL);
        t->value[0] = sm;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[1], 1);
        EXPECT_EQ(t->done, 0);
        EXPECT_EQ(hc_sm_ctrl(up, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->done, 1);
}

CASE(order, a_call_to_a_revoked_portal_sends_nothing, "5.2.1-12 3.6-18")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t sm = semaphore(0), dst = sel_alloc(0);
        windows(t, 0, obj(dst, ALL));
        t->utcb->word[0] = 0x55;
        hc_revoke(obj(t->pt, ALL), NOVA_REVOKE_SR);
        self->utcb->word[0] = 0x66;
        self->utcb->word[nova_utcb_item_index(0)] = obj(sm, ALL);
        self->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        self->utcb->items = nova_utcb_items(1, 1);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_BAD_CAP);
        EXPECT_EQ(t->utcb->word[0], 0x55);
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), 0);
}
