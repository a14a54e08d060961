/* SPDX-License-Identifier: BSD-2-Clause */
/* create_pd, create_ec, create_sc, create_pt and create_sm: results, statuses, order of checks. */
#include "harness.h"

#define QPD nova_qpd(QUANTUM, PRIO_LOW)

/* Delegates a capability with only these permissions. */
static nova_sel_t reduced(nova_sel_t sel, unsigned perms)
{
        const nova_sel_t copy = sel_alloc(0);
        EXPECT_EQ(give_self(obj(sel, perms), copy), obj(copy, perms));
        return copy;
}

static word_t new_utcb(void)
{
        return utcb_alloc() | boot_cpu;
}

static nova_sel_t global_ec(void)
{
        const nova_sel_t ec = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(ec, ROOT_PD, new_utcb(), 0, sel_alloc(5), NOVA_EC_GLOBAL),
                  NOVA_SUCCESS);
        return ec;
}

static nova_sel_t local_ec(void)
{
        const nova_sel_t ec = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(ec, ROOT_PD, new_utcb(), 0, sel_alloc(5), 0), NOVA_SUCCESS);
        return ec;
}

static nova_sel_t new_pd(void)
{
        const nova_sel_t pd = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
        return pd;
}

/* Returns a selector without a PD. @p way chooses a null capability or another kind of object. */
static nova_sel_t not_a_pd(unsigned way)
{
        switch (way) {
        case 0:
                return sel_alloc(0);
        case 1:
                return global_ec();
        case 2:
                return NOVA_SEL_ROOT_SC;
        case 3:
                return server(boot_cpu)->pt;
        default:
                return semaphore(0);
        }
}

/* ---- create_pd ------------------------------------------------------------------------------- */

CASE(create, create_pd_makes_a_pd_that_can_own_objects,
     "5.3.1-01 5.3.1-03 5.3.1-10 2.1-04 5.1-03 5.1-15")
{
        const nova_sel_t pd = new_pd();
        EXPECT_EQ(look(NOVA_CRD_OBJ, pd), obj(pd, NOVA_PERM_ALL));
        EXPECT_EQ(hc_create_sm(sel_alloc(0), pd, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), pd, new_utcb(), 0, 0, 0), NOVA_SUCCESS);
}

CASE(create, create_pd_gives_the_permissions_of_the_owner_capability, "5.3.1-03")
{
        const nova_sel_t owner = reduced(ROOT_PD, NOVA_PD_PD | NOVA_PD_SM), pd = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(pd, owner, 0), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, pd), obj(pd, NOVA_PD_PD | NOVA_PD_SM));
}

CASE(create, create_pd_gives_BAD_CAP_when_the_selector_is_taken, "5.3.1-11")
{
        EXPECT_EQ(hc_create_pd(semaphore(0), ROOT_PD, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pd(ROOT_PD, ROOT_PD, 0), NOVA_BAD_CAP);
}

CASE(create, create_pd_gives_BAD_CAP_when_the_owner_is_not_a_pd, "5.3.1-12 4.1.1-01")
{
        for (unsigned way = 0; way < 5; way++)
                EXPECT_EQ(hc_create_pd(sel_alloc(0), not_a_pd(way), 0), NOVA_BAD_CAP);
}

CASE(create, create_pd_needs_the_pd_permission, "5.3.1-13 4.1.4.1-01 5.1-19")
{
        const nova_sel_t sel = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(sel, reduced(ROOT_PD, NOVA_PERM_ALL & ~NOVA_PD_PD), 0),
                  NOVA_BAD_CAP);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sel), 0);
        EXPECT_EQ(hc_create_pd(sel, reduced(ROOT_PD, NOVA_PD_PD), 0), NOVA_SUCCESS);
}

CASE(create, a_new_pd_holds_nothing_but_its_initial_range, "5.3.1-08 5.3.1-09")
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL), 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_IO, 0x3f8), 0);
        EXPECT_EQ(remote_in(t, 0x3fd), 1);
        EXPECT_EQ(remote_look(t, NOVA_CRD_MEM, 0x90000), 0);
}

CASE(create, create_pd_with_a_null_range_delegates_nothing, "5.3.1-05 4.3.1-01")
{
        const nova_sel_t pd = sel_alloc(0), sm = semaphore(0);
        struct thread *t = thread_blank(boot_cpu);
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, obj(sm, NOVA_PERM_ALL) & ~(word_t)3), NOVA_SUCCESS);
        const nova_sel_t ec = sel_alloc(0), entry = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(ec, pd, new_utcb(), t->sp, 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_pt(entry, ROOT_PD, ec, 0, (word_t)portal_entry), NOVA_SUCCESS);
        self->utcb->items = 0;
        /* the thread has neither memory nor event portals: its first instruction ends it */
        EXPECT_EQ(hc_call(entry, 0), NOVA_COM_ABT);
}

CASE(create, create_pd_delegates_its_range_to_selector_0_and_up, "5.3.1-04 D-06 C-11")
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, NOVA_EXC_PF), obj(NOVA_EXC_PF, NOVA_PERM_ALL));
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, 2), 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, 1 << CHILD_ORDER), 0);
}

CASE(create, create_pd_applies_the_mask_of_its_range, "5.3.1-06")
{
        struct thread *t = child_server(child_masked(boot_cpu, 0x9));
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, NOVA_EXC_PF), obj(NOVA_EXC_PF, 0x9));
}

CASE(create, initial_capabilities_are_derived_from_the_creators, "5.3.1-07")
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        EXPECT(remote_look(t, NOVA_CRD_OBJ, 3 * EVENTS + NOVA_EXC_UD) != 0);
        hc_revoke(obj(c->portals + 3 * EVENTS + NOVA_EXC_UD, NOVA_PERM_ALL), 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, 3 * EVENTS + NOVA_EXC_UD), 0);
        EXPECT(look(NOVA_CRD_OBJ, c->portals + 3 * EVENTS + NOVA_EXC_UD) != 0);
}

CASE(create, a_refused_create_pd_leaves_no_trace, "5.3.1-11 5.3.1-12")
{
        const nova_sel_t sel = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(sel, sel, 0), NOVA_BAD_CAP);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sel), 0);
        EXPECT_EQ(hc_create_pd(sel, ROOT_PD, 0), NOVA_SUCCESS);
}

/* ---- create_ec ------------------------------------------------------------------------------- */

CASE(create, create_ec_makes_an_ec_with_all_permissions, "5.3.2-01 5.3.2-04 5.3.2-20 2.2-01 5.1-04")
{
        const nova_sel_t ec = local_ec();
        EXPECT_EQ(look(NOVA_CRD_OBJ, ec), obj(ec, NOVA_PERM_ALL));
        EXPECT_EQ(hc_ec_ctrl(ec), NOVA_SUCCESS);
}

CASE(create, create_ec_maps_a_zeroed_utcb, "5.3.2-06 4.6-01 2.2-07 C-13")
{
        const word_t utcb = utcb_alloc();
        EXPECT_EQ(probe_read((void *)utcb), 1);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, utcb | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < NOVA_PAGE_SIZE / sizeof(word_t); i++)
                EXPECT_EQ(((volatile word_t *)utcb)[i], 0);
        EXPECT_EQ(probe_write((void *)utcb, 1), 0);
}

CASE(create, two_utcbs_are_different_frames, "2.2-07 4.6-01")
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu);
        a->utcb->tls = 1;
        b->utcb->tls = 2;
        EXPECT_EQ(a->utcb->tls, 1);
}

CASE(create, create_ec_gives_BAD_CPU_for_a_number_beyond_the_descriptors, "5.3.2-24 5.1-22")
{
        const word_t utcb = utcb_alloc();
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, utcb | 64, 0, 0, 0), NOVA_BAD_CPU);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, utcb | 0xfff, 0, 0, 0), NOVA_BAD_CPU);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, utcb | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
}

CASE(create, create_ec_gives_BAD_CPU_for_every_disabled_cpu, "5.3.2-25 6.2-23")
{
        const word_t utcb = utcb_alloc();
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++) {
                if (!(hip->cpu[i].flags & NOVA_CPU_ENABLED))
                        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, utcb | i, 0, 0, 0),
                                  NOVA_BAD_CPU);
        }
}

CASE_ON(create, create_ec_gives_BAD_FTR_for_a_vcpu_without_virtualization, "5.3.2-26 5.1-21",
        needs_no_virtualization)
{
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, boot_cpu, 0, 0, 0), NOVA_BAD_FTR);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, boot_cpu, 0, 0, NOVA_EC_GLOBAL),
                  NOVA_BAD_FTR);
}

CASE_ON(create, create_ec_makes_a_vcpu_where_there_is_virtualization, "5.3.2-07 D-03 D-03.2 2.2-04",
        needs_virtualization)
{
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, boot_cpu, 0, 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, boot_cpu, 0, 0, NOVA_EC_GLOBAL),
                  NOVA_SUCCESS);
}

CASE(create, create_ec_gives_BAD_CAP_when_the_owner_is_not_a_pd, "5.3.2-22 4.1.1-01")
{
        for (unsigned way = 0; way < 5; way++)
                EXPECT_EQ(hc_create_ec(sel_alloc(0), not_a_pd(way), new_utcb(), 0, 0, 0),
                          NOVA_BAD_CAP);
}

CASE(create, create_ec_needs_the_ec_permission, "5.3.2-23 4.1.4.1-02")
{
        const nova_sel_t all_but = reduced(ROOT_PD, NOVA_PERM_ALL & ~NOVA_PD_EC);
        const word_t utcb = new_utcb();
        EXPECT_EQ(hc_create_ec(sel_alloc(0), all_but, utcb, 0, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), reduced(ROOT_PD, NOVA_PD_EC), utcb, 0, 0, 0),
                  NOVA_SUCCESS);
}

CASE(create, create_ec_gives_BAD_CAP_when_the_selector_is_taken, "5.3.2-21")
{
        EXPECT_EQ(hc_create_ec(semaphore(0), ROOT_PD, new_utcb(), 0, 0, 0), NOVA_BAD_CAP);
}

CASE(create, create_ec_gives_BAD_PAR_for_a_utcb_beyond_user_memory, "5.3.2-27 5.1-20")
{
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, NOVA_USER_END | boot_cpu, 0, 0, 0),
                  NOVA_BAD_PAR);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, ~(word_t)0xfff | boot_cpu, 0, 0, 0),
                  NOVA_BAD_PAR);
        const word_t middle = (word_t)1 << (NOVA_WORD_BITS - 1) | (word_t)1 << (NOVA_WORD_BITS - 2);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, middle | boot_cpu, 0, 0, 0), NOVA_BAD_PAR);
}

CASE(create, create_ec_gives_BAD_PAR_when_the_utcb_page_is_in_use, "5.3.2-28")
{
        static char page[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
        struct thread *t = server(boot_cpu);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, (word_t)page | boot_cpu, 0, 0, 0),
                  NOVA_BAD_PAR);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, (word_t)t->utcb | boot_cpu, 0, 0, 0),
                  NOVA_BAD_PAR);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, NOVA_ROOT_UTCB | boot_cpu, 0, 0, 0),
                  NOVA_BAD_PAR);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, NOVA_ROOT_HIP | boot_cpu, 0, 0, 0),
                  NOVA_BAD_PAR);
}

CASE(create, a_refused_create_ec_leaves_the_utcb_page_free, "5.3.2-21")
{
        const word_t utcb = new_utcb();
        EXPECT_EQ(hc_create_ec(semaphore(0), ROOT_PD, utcb, 0, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), ROOT_PD, utcb, 0, 0, 0), NOVA_SUCCESS);
}

CASE(create, create_ec_reports_BAD_CPU_before_BAD_FTR_and_BAD_CAP, "D-31.3")
{
        const nova_sel_t null = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(null, null, utcb_alloc() | 64, 0, 0, 0), NOVA_BAD_CPU);
        EXPECT_EQ(hc_create_ec(null, ROOT_PD, 64, 0, 0, 0), NOVA_BAD_CPU);
}

CASE_ON(create, create_ec_reports_BAD_FTR_before_BAD_CAP, "5.3.2-26", needs_no_virtualization)
{
        const nova_sel_t null = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(null, null, boot_cpu, 0, 0, 0), NOVA_BAD_FTR);
}

CASE(create, create_ec_reports_a_bad_owner_before_BAD_PAR_and_that_before_a_taken_selector,
     "5.3.2-22 5.3.2-27")
{
        const nova_sel_t null = sel_alloc(0), taken = semaphore(0);
        EXPECT_EQ(hc_create_ec(null, null, NOVA_USER_END | boot_cpu, 0, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_ec(taken, ROOT_PD, NOVA_USER_END | boot_cpu, 0, 0, 0), NOVA_BAD_PAR);
}

CASE(create, an_ec_lives_in_the_pd_named_at_its_creation, "5.3.2-05 2.2-02 2.4-01 A-11")
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, c->pd), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, t->ec), obj(t->ec, NOVA_PERM_ALL));
        EXPECT_EQ(probe_read(t->utcb), 1);
}

CASE(create, a_flag_other_than_G_makes_no_global_thread, "5.3.2-11 5.3.2-09")
{
        const nova_sel_t ec = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(ec, ROOT_PD, new_utcb(), 0, 0, 0x20), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, ec, QPD), NOVA_BAD_CAP);
}

/* ---- create_sc ------------------------------------------------------------------------------- */

CASE(create, create_sc_makes_an_sc_with_all_permissions, "5.3.3-01 5.3.3-04 5.3.3-06 2.3-01 5.1-05")
{
        const nova_sel_t sc = sel_alloc(0);
        uint64_t time;
        EXPECT_EQ(hc_create_sc(sc, ROOT_PD, global_ec(), QPD), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sc), obj(sc, NOVA_PERM_ALL));
        EXPECT_EQ(hc_sc_ctrl(sc, &time), NOVA_SUCCESS);
}

CASE(create, create_sc_gives_BAD_CAP_when_the_selector_is_taken, "5.3.3-07")
{
        EXPECT_EQ(hc_create_sc(semaphore(0), ROOT_PD, global_ec(), QPD), NOVA_BAD_CAP);
}

CASE(create, create_sc_gives_BAD_CAP_when_the_owner_is_not_a_pd, "5.3.3-08 4.1.1-01")
{
        const nova_sel_t ec = global_ec();
        for (unsigned way = 0; way < 5; way++)
                EXPECT_EQ(hc_create_sc(sel_alloc(0), not_a_pd(way), ec, QPD), NOVA_BAD_CAP);
}

CASE(create, create_sc_gives_BAD_CAP_for_anything_but_an_ec, "5.3.3-09")
{
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, sel_alloc(0), QPD), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, semaphore(0), QPD), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, ROOT_PD, QPD), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, NOVA_SEL_ROOT_SC, QPD), NOVA_BAD_CAP);
}

CASE(create, create_sc_needs_the_sc_permission_of_the_owner, "5.3.3-10 4.1.4.1-03")
{
        const nova_sel_t ec = global_ec();
        const nova_sel_t all_but = reduced(ROOT_PD, NOVA_PERM_ALL & ~NOVA_PD_SC);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), all_but, ec, QPD), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), reduced(ROOT_PD, NOVA_PD_SC), ec, QPD), NOVA_SUCCESS);
}

CASE(create, create_sc_needs_the_sc_permission_of_the_ec, "5.3.3-11 4.1.4.2-02 4.1.4.2-04")
{
        const nova_sel_t ec = global_ec();
        const nova_sel_t all_but = reduced(ec, NOVA_PERM_ALL & ~NOVA_EC_SC);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, all_but, QPD), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, reduced(ec, 0x12), QPD), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, reduced(ec, NOVA_EC_SC), QPD), NOVA_SUCCESS);
}

CASE(create, create_sc_gives_BAD_CAP_for_a_local_thread, "5.3.3-12 5.3.2-12 5.3.2-09")
{
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, local_ec(), QPD), NOVA_BAD_CAP);
}

CASE(create, create_sc_gives_BAD_PAR_for_priority_0, "5.3.3-13 5.1-20")
{
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, global_ec(), nova_qpd(QUANTUM, 0)),
                  NOVA_BAD_PAR);
}

CASE(create, create_sc_gives_BAD_PAR_for_quantum_0, "5.3.3-14")
{
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, global_ec(), nova_qpd(0, PRIO_LOW)),
                  NOVA_BAD_PAR);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, global_ec(), 0xf00 | PRIO_LOW), NOVA_BAD_PAR);
}

CASE(create, create_sc_reports_BAD_CAP_of_the_ec_before_BAD_PAR_and_that_before_a_taken_selector,
     "5.3.3-09 5.3.3-13 5.3.3-07")
{
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, local_ec(), 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sc(semaphore(0), ROOT_PD, global_ec(), 0), NOVA_BAD_PAR);
}

CASE(create, create_sc_accepts_every_priority_from_1_to_255, "D-18")
{
        const nova_sel_t events = sel_alloc(5);
        for (unsigned prio = 1; prio < 256; prio++) {
                const nova_sel_t ec = sel_alloc(0), sc = sel_alloc(0);
                EXPECT_EQ(hc_create_ec(ec, ROOT_PD, new_utcb(), 0, events, NOVA_EC_GLOBAL),
                          NOVA_SUCCESS);
                EXPECT_EQ(hc_create_sc(sc, ROOT_PD, ec, nova_qpd(QUANTUM, prio)), NOVA_SUCCESS);
        }
}

CASE(create, create_sc_accepts_a_second_sc_for_one_ec, "D-17")
{
        const nova_sel_t ec = global_ec();
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, ec, QPD), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, ec, QPD), NOVA_SUCCESS);
}

/* ---- create_pt ------------------------------------------------------------------------------- */

CASE(create, create_pt_makes_a_portal_with_all_permissions,
     "5.3.4-01 5.3.4-03 5.3.4-07 2.4-02 5.1-06")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t pt = portal(t);
        EXPECT_EQ(look(NOVA_CRD_OBJ, pt), obj(pt, NOVA_PERM_ALL));
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->portal, pt);
}

CASE(create, create_pt_gives_BAD_CAP_when_the_selector_is_taken, "5.3.4-08")
{
        EXPECT_EQ(hc_create_pt(semaphore(0), ROOT_PD, local_ec(), 0, 0), NOVA_BAD_CAP);
}

CASE(create, create_pt_gives_BAD_CAP_when_the_owner_is_not_a_pd, "5.3.4-09 4.1.1-01")
{
        const nova_sel_t ec = local_ec();
        for (unsigned way = 0; way < 5; way++)
                EXPECT_EQ(hc_create_pt(sel_alloc(0), not_a_pd(way), ec, 0, 0), NOVA_BAD_CAP);
}

CASE(create, create_pt_gives_BAD_CAP_for_anything_but_an_ec, "5.3.4-10")
{
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, sel_alloc(0), 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, semaphore(0), 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, ROOT_PD, 0, 0), NOVA_BAD_CAP);
}

CASE(create, create_pt_needs_the_pt_permission_of_the_owner, "5.3.4-11 4.1.4.1-04")
{
        const nova_sel_t ec = local_ec();
        const nova_sel_t all_but = reduced(ROOT_PD, NOVA_PERM_ALL & ~NOVA_PD_PT);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), all_but, ec, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), reduced(ROOT_PD, NOVA_PD_PT), ec, 0, 0), NOVA_SUCCESS);
}

CASE(create, create_pt_needs_the_pt_permission_of_the_ec, "5.3.4-12 4.1.4.2-03 4.1.4.2-04")
{
        const nova_sel_t ec = local_ec();
        const nova_sel_t all_but = reduced(ec, NOVA_PERM_ALL & ~NOVA_EC_PT);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, all_but, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, reduced(ec, 0x12), 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, reduced(ec, NOVA_EC_PT), 0, 0), NOVA_SUCCESS);
}

CASE(create, create_pt_gives_BAD_CAP_for_a_global_thread, "5.3.4-13 5.3.2-10")
{
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, global_ec(), 0, 0), NOVA_BAD_CAP);
}

CASE(create, a_refused_create_pt_leaves_the_selector_null, "5.3.4-10")
{
        const nova_sel_t sel = sel_alloc(0);
        EXPECT_EQ(hc_create_pt(sel, ROOT_PD, sel, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sel), 0);
}

/* ---- create_sm ------------------------------------------------------------------------------- */

CASE(create, create_sm_makes_a_semaphore_with_all_permissions,
     "5.3.5-01 5.3.5-03 5.3.5-06 2.5-03 5.1-07")
{
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sm), obj(sm, NOVA_PERM_ALL));
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
}

CASE(create, create_sm_gives_BAD_CAP_when_the_selector_is_taken, "5.3.5-07")
{
        const nova_sel_t sm = semaphore(3);
        EXPECT_EQ(hc_create_sm(sm, ROOT_PD, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(ROOT_PD, ROOT_PD, 0), NOVA_BAD_CAP);
}

CASE(create, create_sm_gives_BAD_CAP_when_the_owner_is_not_a_pd, "5.3.5-08 4.1.1-01")
{
        for (unsigned way = 0; way < 5; way++)
                EXPECT_EQ(hc_create_sm(sel_alloc(0), not_a_pd(way), 0), NOVA_BAD_CAP);
}

CASE(create, create_sm_needs_the_sm_permission, "5.3.5-09 4.1.4.1-05")
{
        const nova_sel_t all_but = reduced(ROOT_PD, NOVA_PERM_ALL & ~NOVA_PD_SM);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), all_but, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), reduced(ROOT_PD, NOVA_PD_SM), 0), NOVA_SUCCESS);
}

CASE(create, all_five_kinds_lie_side_by_side_in_the_object_space, "2.1-09 4.1.4-01 4.2-01")
{
        const nova_sel_t sel = sel_alloc(3);
        EXPECT_EQ(hc_create_pd(sel, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_ec(sel + 1, ROOT_PD, new_utcb(), 0, sel_alloc(5), NOVA_EC_GLOBAL),
                  NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sc(sel + 2, ROOT_PD, sel + 1, QPD), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_pt(sel + 3, ROOT_PD, local_ec(), 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(sel + 4, ROOT_PD, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 5; i++) {
                EXPECT_EQ(look(NOVA_CRD_OBJ, sel + i), obj(sel + i, NOVA_PERM_ALL));
                EXPECT_EQ(look(NOVA_CRD_MEM, sel + i), 0);
        }
        EXPECT_EQ(look(NOVA_CRD_OBJ, sel + 5), 0);
}

CASE(create, an_object_far_up_in_the_object_space_is_usable, "6.2-12 4.2-04 C-12")
{
        const nova_sel_t far = sizeof(word_t) == 8 ? ((nova_sel_t)1 << NOVA_SEL_ORDER) - 3
                                                   : ((nova_sel_t)1 << 20) - 3;
        EXPECT_EQ(hc_create_sm(far, ROOT_PD, 1), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(far, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, far + 1), 0);
        EXPECT_EQ(hc_revoke(obj(far, NOVA_PERM_ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, far), 0);
}

CASE_ON(create, a_selector_beyond_SEL_wraps_around, "6.2-13", needs_x86_64)
{
        const nova_sel_t sm = semaphore(1), above = sm + ((nova_sel_t)1 << NOVA_SEL_ORDER);
        EXPECT_EQ(hc_sm_ctrl(above, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(above, ROOT_PD, 0), NOVA_BAD_CAP);
}

CASE(create, an_owner_argument_beyond_SEL_wraps_around, "6.2-13")
{
        const nova_sel_t above = ROOT_PD + ((nova_sel_t)1 << NOVA_SEL_ORDER);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), above, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), above + 1, 0), NOVA_BAD_CAP);
}
