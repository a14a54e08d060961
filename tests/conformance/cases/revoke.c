/* SPDX-License-Identifier: BSD-2-Clause */
/* revoke: the capabilities that lose permissions, and which permissions they lose. */
#include "harness.h"

#define ALL NOVA_PERM_ALL
#define SR  NOVA_REVOKE_SR

static nova_crd_t objs(nova_sel_t base, unsigned order, unsigned perms)
{
        return nova_crd(NOVA_CRD_OBJ, base, order, perms);
}

static nova_sel_t copy_of(nova_sel_t sel, unsigned perms)
{
        const nova_sel_t copy = sel_alloc(0);
        EXPECT_EQ(give_self(obj(sel, perms), copy), obj(copy, perms));
        return copy;
}

static word_t perms_at(nova_sel_t sel)
{
        return nova_crd_perms(look(NOVA_CRD_OBJ, sel));
}

static word_t address_of(word_t page)
{
        return page << NOVA_PAGE_BITS;
}

CASE(revoke, without_SR_children_go_and_the_own_capability_stays,
     "5.3.6-01 5.3.6-02 3.6-01 3.6-07 5.1-08 5.3.6-07")
{
        const nova_sel_t sm = semaphore(0), copy = copy_of(sm, ALL);
        EXPECT_EQ(hc_revoke(obj(sm, ALL), 0), NOVA_SUCCESS);
        EXPECT_EQ(perms_at(sm), ALL);
        EXPECT_EQ(look(NOVA_CRD_OBJ, copy), 0);
        EXPECT_EQ(hc_sm_ctrl(copy, NOVA_SM_UP_OP), NOVA_BAD_CAP);
}

CASE(revoke, with_SR_the_own_capability_goes_too, "5.3.6-03 5.3.6-04 3.6-10")
{
        const nova_sel_t sm = semaphore(0), copy = copy_of(sm, ALL);
        EXPECT_EQ(hc_revoke(obj(sm, ALL), SR), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sm), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, copy), 0);
}

CASE(revoke, other_flags_do_not_mean_SR, "D-24 5.3.6-04")
{
        const nova_sel_t sm = semaphore(0), copy = copy_of(sm, ALL);
        EXPECT_EQ(hc_revoke(obj(sm, ALL), 0xe0), NOVA_SUCCESS);
        EXPECT_EQ(perms_at(sm), ALL);
        EXPECT_EQ(look(NOVA_CRD_OBJ, copy), 0);
}

CASE(revoke, only_the_named_permissions_go, "3.6-02 3.6-03 5.3.6-01")
{
        const nova_sel_t sm = semaphore(0), copy = copy_of(sm, ALL);
        EXPECT_EQ(hc_revoke(obj(sm, NOVA_SM_DN), 0), NOVA_SUCCESS);
        EXPECT_EQ(perms_at(copy), ALL & ~NOVA_SM_DN);
        EXPECT_EQ(hc_sm_ctrl(copy, NOVA_SM_DN_OP), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_ctrl(copy, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(revoke, with_SR_only_the_named_permissions_go, "5.3.6-03 3.6-03")
{
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(hc_revoke(obj(sm, NOVA_SM_DN), SR), NOVA_SUCCESS);
        EXPECT_EQ(perms_at(sm), ALL & ~NOVA_SM_DN);
        EXPECT_EQ(hc_revoke(obj(sm, ALL & ~NOVA_SM_DN), SR), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sm), 0);
}

CASE(revoke, an_empty_mask_takes_nothing, "3.6-02 5.3.6-05")
{
        const nova_sel_t sm = semaphore(0), copy = copy_of(sm, ALL);
        EXPECT_EQ(hc_revoke(obj(sm, 0), SR), NOVA_SUCCESS);
        EXPECT_EQ(perms_at(sm), ALL);
        EXPECT_EQ(perms_at(copy), ALL);
}

CASE(revoke, the_null_range_and_empty_ranges_succeed, "5.3.6-05 4.3.1-02 4.3.1-01")
{
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(hc_revoke(0, SR), NOVA_SUCCESS);
        EXPECT_EQ(hc_revoke(obj(sm, ALL) & ~(word_t)3, SR), NOVA_SUCCESS);
        EXPECT_EQ(hc_revoke(obj(sel_alloc(0), ALL), SR), NOVA_SUCCESS);
        EXPECT_EQ(hc_revoke(mem(page_alloc(4), 4, ALL), SR), NOVA_SUCCESS);
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_IO, 0x8000, 10, ALL), SR), NOVA_SUCCESS);
        EXPECT_EQ(perms_at(sm), ALL);
}

CASE(revoke, all_capabilities_of_the_range_go, "3.6-04 5.3.6-01")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t base = sel_alloc(4);
        for (unsigned i = 0; i < 16; i++)
                EXPECT_EQ(hc_create_sm(base + i, ROOT_PD, 0), NOVA_SUCCESS);
        give(t, objs(base, 4, ALL), CHILD_FREE_SEL);
        for (unsigned i = 0; i < 16; i++)
                EXPECT(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL + i) != 0);
        hc_revoke(objs(base, 4, ALL), 0);
        for (unsigned i = 0; i < 16; i++)
                EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL + i), 0);
}

CASE(revoke, capabilities_beside_the_range_stay, "3.6-05 D-23.2")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t base = sel_alloc(4);
        for (unsigned i = 0; i < 16; i++)
                EXPECT_EQ(hc_create_sm(base + i, ROOT_PD, 0), NOVA_SUCCESS);
        give(t, objs(base, 4, ALL), CHILD_FREE_SEL);
        hc_revoke(objs(base + 4, 2, ALL), 0);
        for (unsigned i = 0; i < 16; i++)
                EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL + i) == 0, i >= 4 && i < 8);
}

CASE(revoke, it_reaches_other_pds, "3.6-06 4.1-03")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t sm = semaphore(0);
        give(t, obj(sm, ALL), CHILD_FREE_SEL);
        EXPECT_EQ(remote_sm(t, CHILD_FREE_SEL, NOVA_SM_UP_OP), NOVA_SUCCESS);
        hc_revoke(obj(sm, ALL), 0);
        EXPECT_EQ(remote_sm(t, CHILD_FREE_SEL, NOVA_SM_UP_OP), NOVA_BAD_CAP);
}

CASE(revoke, it_reaches_any_depth, "3.6-08")
{
        const nova_sel_t sm = semaphore(0);
        nova_sel_t chain[20];
        chain[0] = copy_of(sm, ALL);
        for (unsigned i = 1; i < 20; i++)
                chain[i] = copy_of(chain[i - 1], ALL);
        hc_revoke(obj(chain[4], ALL), 0);
        for (unsigned i = 0; i < 20; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, chain[i]) != 0, i <= 4);
        hc_revoke(obj(sm, ALL), 0);
        for (unsigned i = 0; i < 20; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, chain[i]), 0);
}

CASE(revoke, it_reaches_grandchildren_in_other_pds, "3.6-08 3.6-06")
{
        struct thread *a = child_server(child_new(boot_cpu));
        struct thread *b = child_server(child_new(boot_cpu));
        const nova_sel_t sm = semaphore(0);
        give(a, obj(sm, ALL), CHILD_FREE_SEL);
        give(a, obj(b->pt, ALL), CHILD_FREE_SEL + 1);
        windows(b, 0, obj(CHILD_FREE_SEL, ALL));
        send_from(a, CHILD_FREE_SEL + 1, b, obj(CHILD_FREE_SEL, ALL), NOVA_ITEM_DELEGATE);
        EXPECT_EQ(remote_sm(b, CHILD_FREE_SEL, NOVA_SM_UP_OP), NOVA_SUCCESS);
        hc_revoke(obj(sm, ALL), 0);
        EXPECT_EQ(remote_sm(b, CHILD_FREE_SEL, NOVA_SM_UP_OP), NOVA_BAD_CAP);
        EXPECT_EQ(remote_sm(a, CHILD_FREE_SEL, NOVA_SM_UP_OP), NOVA_BAD_CAP);
}

CASE(revoke, parents_and_siblings_keep_theirs, "3.6-09 3.6-13")
{
        const nova_sel_t sm = semaphore(0), a = copy_of(sm, ALL), b = copy_of(sm, ALL);
        const nova_sel_t under_a = copy_of(a, ALL);
        hc_revoke(obj(a, ALL), SR);
        EXPECT_EQ(look(NOVA_CRD_OBJ, a), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, under_a), 0);
        EXPECT_EQ(perms_at(b), ALL);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(b, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(revoke, a_childs_revoke_leaves_the_parents_capability, "3.6-09")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t sm = semaphore(0);
        give(t, obj(sm, ALL), CHILD_FREE_SEL);
        struct args a = {nova_hypercall_id(NOVA_REVOKE, SR, 0), obj(CHILD_FREE_SEL, ALL), 0, 0, 0};
        EXPECT_EQ(remote_hypercall(t, &a), NOVA_SUCCESS);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL), 0);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
}

CASE(revoke, a_freed_selector_can_be_used_again, "3.6-10")
{
        const nova_sel_t sm = semaphore(0);
        for (unsigned i = 0; i < 10; i++) {
                hc_revoke(obj(sm, ALL), SR);
                EXPECT_EQ(hc_create_sm(sm, ROOT_PD, i), NOVA_SUCCESS);
        }
        const nova_sel_t copy = copy_of(sm, ALL);
        hc_revoke(obj(sm, ALL), 0);
        EXPECT_EQ(give_self(obj(sm, ALL), copy), obj(copy, ALL));
        EXPECT_EQ(perms_at(copy), ALL);
}

CASE(revoke, every_kind_of_capability_can_be_revoked, "4.1-03 3.6-01")
{
        struct thread *s = server(boot_cpu), *g = global(boot_cpu, thread_exit_fn, NULL);
        const nova_sel_t pd = sel_alloc(0);
        uint64_t time;
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
        thread_start(g, PRIO_LOW, QUANTUM);
        const nova_sel_t all[] = {pd, s->pt, s->ec, g->sc, semaphore(0)};
        for (unsigned i = 0; i < 5; i++)
                EXPECT_EQ(hc_revoke(obj(all[i], ALL), SR), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), all[0], 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_call(all[1], 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_ec_ctrl(all[2]), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sc_ctrl(all[3], &time), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_ctrl(all[4], NOVA_SM_UP_OP), NOVA_BAD_CAP);
}

CASE(revoke, a_misaligned_range_is_aligned_down, "4.3-07")
{
        const nova_sel_t base = sel_alloc(2);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(hc_create_sm(base + i, ROOT_PD, 0), NOVA_SUCCESS);
        hc_revoke(objs(base + 3, 1, ALL), SR);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, base + i) == 0, i >= 2);
}

CASE_ON(revoke, a_range_beyond_SEL_wraps_around, "6.2-13", needs_x86_64)
{
        const nova_sel_t sm = semaphore(0), copy = copy_of(sm, ALL);
        EXPECT_EQ(hc_revoke(obj(sm + ((nova_sel_t)1 << NOVA_SEL_ORDER), ALL), 0), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, copy), 0);
        EXPECT_EQ(hc_revoke(obj(sm + ((nova_sel_t)3 << NOVA_SEL_ORDER), ALL), SR), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sm), 0);
}

CASE(revoke, a_large_tree_goes_completely, "5.3.6-06 3.6-04")
{
        case_seconds(60);
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t base = sel_far(9);
        for (unsigned i = 0; i < 512; i++)
                EXPECT_EQ(hc_create_sm(base + i, ROOT_PD, 0), NOVA_SUCCESS);
        for (unsigned n = 0; n < 8; n++) {
                windows(t, 0, objs(0x10000 + 512 * n, 9, ALL));
                send(t, objs(base, 9, ALL), NOVA_ITEM_DELEGATE);
        }
        hc_revoke(objs(base, 9, ALL), 0);
        for (unsigned i = 0; i < 4096; i += 37)
                EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, 0x10000 + i), 0);
        EXPECT_EQ(perms_at(base + 511), ALL);
        hc_revoke(objs(base, 9, ALL), SR);
        EXPECT_EQ(look(NOVA_CRD_OBJ, base + 511), 0);
}

/* ---- Memory and ports ------------------------------------------------------------------------ */

CASE(revoke, revoked_memory_faults_at_once, "3.6-14 5.3.6-01 4.1-03")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        give(t, mem(src, 0, NOVA_MEM_RWX), dst);
        EXPECT_EQ(remote_write(t, address_of(dst), 1), 0);
        hc_revoke(mem(src, 0, ALL), 0);
        EXPECT_EQ(remote_read(t, address_of(dst)), 1);
        EXPECT_EQ(t->event, NOVA_EXC_PF);
        EXPECT_EQ(probe_read((void *)address_of(src)), 0);
}

CASE(revoke, a_write_permission_alone_can_be_revoked, "3.6-16 3.6-03")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        give(t, mem(src, 0, NOVA_MEM_RWX), dst);
        EXPECT_EQ(remote_write(t, address_of(dst), 1), 0);
        hc_revoke(mem(src, 0, NOVA_MEM_W), 0);
        EXPECT_EQ(remote_read(t, address_of(dst)), 0);
        EXPECT_EQ(remote_write(t, address_of(dst), 2), 1);
        EXPECT_EQ(t->state.qual[0] & 3, 3);
        EXPECT_EQ(remote_look(t, NOVA_CRD_MEM, dst), mem(dst, 0, NOVA_MEM_R | NOVA_MEM_X));
}

CASE(revoke, with_SR_the_callers_own_memory_goes, "5.3.6-03 3.6-14")
{
        const word_t src = page_of(memory(0));
        EXPECT_EQ(probe_write((void *)address_of(src), 1), 0);
        hc_revoke(mem(src, 0, ALL), SR);
        EXPECT_EQ(probe_write((void *)address_of(src), 1), 1);
        EXPECT_EQ(look(NOVA_CRD_MEM, src), 0);
}

CASE(revoke, one_page_of_a_larger_range_goes_alone, "D-23 3.6-05")
{
        const word_t src = page_of(memory(3));
        for (unsigned i = 0; i < 8; i++)
                EXPECT_EQ(probe_write((void *)address_of(src + i), i), 0);
        hc_revoke(mem(src + 3, 0, ALL), SR);
        for (unsigned i = 0; i < 8; i++) {
                EXPECT_EQ(probe_read((void *)address_of(src + i)), i == 3);
                EXPECT_EQ(look(NOVA_CRD_MEM, src + i) == 0, i == 3);
        }
        EXPECT_EQ(*(volatile word_t *)address_of(src + 4), 4);
}

CASE(revoke, one_page_of_a_larger_range_goes_alone_at_the_receiver, "D-23 3.6-05")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t src = page_of(memory(3)), dst = page_alloc(3);
        give(t, mem(src, 3, NOVA_MEM_RWX), dst);
        hc_revoke(mem(src + 6, 0, ALL), 0);
        for (unsigned i = 0; i < 8; i++)
                EXPECT_EQ(remote_read(t, address_of(dst + i)), i == 6);
        EXPECT_EQ(probe_read((void *)address_of(src + 6)), 0);
}

CASE(revoke, a_part_of_a_large_page_goes_alone, "D-23")
{
        const word_t src = page_of(memory(10));
        hc_revoke(mem(src + 256, 2, ALL), SR);
        for (unsigned i = 0; i < 1024; i += 3)
                EXPECT_EQ(probe_read((void *)address_of(src + i)), i >= 256 && i < 260);
        EXPECT_EQ(probe_read((void *)address_of(src + 255)), 0);
        EXPECT_EQ(probe_read((void *)address_of(src + 257)), 1);
}

/* Each copy was delegated from the one before it, and is in the guest table, too. */
CASE(revoke, a_page_of_many_large_copies_goes_alone, "D-23 3.6-08")
{
        enum { COPIES = 24, LARGE = 512 };
        const word_t src = page_of(memory(9)), copies = page_alloc(14);
        struct thread *t = server(boot_cpu);
        for (word_t i = 0; i < COPIES; i++) {
                const word_t from = i ? copies + (i - 1) * LARGE : src, to = copies + i * LARGE;
                windows(t, 0, mem(0, NOVA_CRD_ORDER_MASK, ALL));
                EXPECT_EQ(send(t, mem(from, 9, NOVA_MEM_RWX),
                               item_upper(NOVA_ITEM_DELEGATE | NOVA_ITEM_G, to)),
                          mem(to, 9, NOVA_MEM_RWX));
        }
        hc_revoke(mem(src + 256, 0, ALL), 0);
        for (word_t page = copies; page < copies + COPIES * LARGE; page += LARGE) {
                EXPECT_EQ(look(NOVA_CRD_MEM, page + 256), 0);
                EXPECT_EQ(look(NOVA_CRD_MEM, page + 255), mem(page, 8, NOVA_MEM_RWX));
                EXPECT_EQ(look(NOVA_CRD_MEM, page + 257), mem(page + 257, 0, NOVA_MEM_RWX));
        }
        EXPECT_EQ(probe_read((void *)address_of(copies + 255)), 0);
        EXPECT_EQ(probe_read((void *)address_of(copies + 256)), 1);
        hc_revoke(mem(src, 9, ALL), 0);
}

CASE(revoke, a_part_that_was_revoked_can_be_delegated_again, "D-23 3.6-10")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t src = page_of(memory(2)), dst = page_alloc(2);
        give(t, mem(src, 2, NOVA_MEM_RWX), dst);
        hc_revoke(mem(src + 1, 0, ALL), 0);
        EXPECT_EQ(remote_read(t, address_of(dst + 1)), 1);
        give(t, mem(src + 1, 0, NOVA_MEM_R), dst + 1);
        EXPECT_EQ(remote_read(t, address_of(dst + 1)), 0);
        EXPECT_EQ(remote_write(t, address_of(dst + 1), 1), 1);
        EXPECT_EQ(remote_write(t, address_of(dst + 2), 1), 0);
}

CASE(revoke, revoked_ports_are_closed_at_once, "3.6-17 4.1-03")
{
        struct thread *t = child_server(child_new(boot_cpu));
        request(io(0x2f8, 3), 0x2f8);
        windows(t, 0, io(0x2f8, 3));
        send(t, io(0x2f8, 3), NOVA_ITEM_DELEGATE);
        EXPECT_EQ(remote_in(t, 0x2fd), 0);
        hc_revoke(io(0x2f8, 3), 0);
        EXPECT_EQ(remote_in(t, 0x2fd), 1);
        EXPECT_EQ(probe_in(0x2fd), 0);
        hc_revoke(io(0x2f8, 3), SR);
        EXPECT_EQ(probe_in(0x2fd), 1);
        EXPECT_EQ(self->event, NOVA_EXC_GP);
}

CASE(revoke, one_port_of_a_range_goes_alone, "D-23.2 3.6-05")
{
        request(io(0x2e8, 3), 0x2e8);
        hc_revoke(io(0x2ea, 0), SR);
        for (word_t i = 0; i < 8; i++)
                EXPECT_EQ(probe_in(0x2e8 + i), i == 2);
        hc_revoke(io(0x2e8, 3), SR);
}

CASE(revoke, memory_of_several_children_goes_in_one_call, "3.6-06 3.6-14")
{
        struct thread *t[3];
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        for (unsigned i = 0; i < 3; i++) {
                t[i] = child_server(child_new(boot_cpu));
                give(t[i], mem(src, 0, NOVA_MEM_RWX), dst);
                EXPECT_EQ(remote_read(t[i], address_of(dst)), 0);
        }
        hc_revoke(mem(src, 0, ALL), 0);
        for (unsigned i = 0; i < 3; i++)
                EXPECT_EQ(remote_read(t[i], address_of(dst)), 1);
}
