/* SPDX-License-Identifier: BSD-2-Clause */
/* The PD that is named as the owner of a new object pays for it. Accounts show this. */
#include "harness.h"

#define ALL   NOVA_PERM_ALL
#define QUOTA 0x40000

static word_t used(nova_sel_t pd)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return a.a2;
}

/* Creates an object for which owner pays. Returns the status. */
typedef word_t create_fn(nova_sel_t sel, nova_sel_t owner);

/* Creates the object once with the root PD and once with another one as owner. In the second case
 * the other PD pays, and the root PD pays less than in the first. */
static void expect_owner_pays(create_fn *create)
{
        const nova_sel_t payer = sel_alloc(0), sel = sel_alloc(2);
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, payer), ROOT_PD, 0,
                         QUOTA, 0};
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        EXPECT_EQ(create(sel, ROOT_PD), NOVA_SUCCESS); /* tables that are allocated once */
        EXPECT_EQ(create(sel + 1, payer), NOVA_SUCCESS);
        rest_until_freed();

        word_t root = used(ROOT_PD), other = used(payer);
        EXPECT_EQ(create(sel + 2, ROOT_PD), NOVA_SUCCESS);
        const word_t own = used(ROOT_PD) - root;
        EXPECT_EQ(used(payer), other);

        root = used(ROOT_PD);
        EXPECT_EQ(create(sel + 3, payer), NOVA_SUCCESS);
        EXPECT(used(payer) > other);
        EXPECT(used(ROOT_PD) - root < own);
}

static word_t creates_pd(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_pd(sel, owner, 0);
}

static word_t creates_ec(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_ec(sel, owner, utcb_alloc() | boot_cpu, 0, 0, 0);
}

static nova_sel_t bound_ec;

static word_t creates_sc(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_sc(sel, owner, bound_ec, nova_qpd(QUANTUM, PRIO_LOW));
}

static word_t creates_pt(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_pt(sel, owner, bound_ec, 0, 0);
}

static word_t creates_sm(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_sm(sel, owner, 0);
}

CASE_ON(payer, a_new_pd_is_paid_by_its_owner, "5.3.1-02 D-05", needs_quota)
{
        expect_owner_pays(creates_pd);
}

CASE_ON(payer, a_new_ec_is_paid_by_its_owner, "5.3.2-02 D-05", needs_quota)
{
        expect_owner_pays(creates_ec);
}

CASE_ON(payer, a_new_sc_is_paid_by_its_owner, "5.3.3-02 D-05", needs_quota)
{
        bound_ec = global(boot_cpu, thread_exit_fn, NULL)->ec;
        expect_owner_pays(creates_sc);
}

CASE_ON(payer, a_new_portal_is_paid_by_its_owner, "5.3.4-02 D-05", needs_quota)
{
        bound_ec = server(boot_cpu)->ec;
        expect_owner_pays(creates_pt);
}

CASE_ON(payer, a_new_semaphore_is_paid_by_its_owner, "5.3.5-02 D-05", needs_quota)
{
        expect_owner_pays(creates_sm);
}
