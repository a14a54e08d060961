/* SPDX-License-Identifier: BSD-2-Clause */
/* Translate items. */
#include "harness.h"

#define ALL NOVA_PERM_ALL

/* The sender: a child that holds the root's portal and the capability to be translated. */
static struct thread *child, *receiver;
static const nova_sel_t portal_sel = CHILD_FREE_SEL, item_sel = CHILD_FREE_SEL + 0x100;

static void set_up(void)
{
        child = child_server(child_new(boot_cpu));
        receiver = server(boot_cpu);
        give(child, obj(receiver->pt, ALL), portal_sel);
}

static nova_crd_t translate(nova_crd_t window, nova_crd_t crd)
{
        windows(receiver, window, 0);
        return send_from(child, portal_sel, receiver, crd, NOVA_ITEM_TRANSLATE);
}

static nova_crd_t objs(nova_sel_t base, unsigned order, unsigned perms)
{
        return nova_crd(NOVA_CRD_OBJ, base, order, perms);
}

CASE(translate, a_childs_selector_becomes_the_parents_from_which_it_came,
     "4.6.2.2-05 4.6.2.2-10 4.6.1-04 4.6.1-05")
{
        set_up();
        const nova_sel_t sm = semaphore(0);
        give(child, obj(sm, ALL), item_sel);
        EXPECT_EQ(translate(objs(0, 31, ALL), obj(item_sel, ALL)), obj(sm, ALL));
}

CASE(translate, the_result_carries_the_senders_permissions, "4.6.2.2-11")
{
        set_up();
        const nova_sel_t sm = semaphore(0);
        give(child, obj(sm, NOVA_SM_UP), item_sel);
        EXPECT_EQ(translate(objs(0, 31, ALL), obj(item_sel, ALL)), obj(sm, NOVA_SM_UP));
}

CASE(translate, no_capability_moves, "4.6.2.2-15")
{
        set_up();
        const nova_sel_t sm = semaphore(0), other = sel_alloc(0);
        give(child, obj(sm, ALL), item_sel);
        windows(receiver, objs(0, 31, ALL), obj(other, ALL));
        send_from(child, portal_sel, receiver, obj(item_sel, ALL), NOVA_ITEM_TRANSLATE);
        EXPECT_EQ(look(NOVA_CRD_OBJ, other), 0);
}

CASE(translate, a_null_window_turns_it_off, "4.6.1-12 4.3.1-01")
{
        set_up();
        const nova_sel_t sm = semaphore(0);
        give(child, obj(sm, ALL), item_sel);
        EXPECT_EQ(translate(0, obj(item_sel, ALL)), 0);
        EXPECT_EQ(translate(objs(0, 31, ALL) & ~(word_t)3, obj(item_sel, ALL)), 0);
}

CASE(translate, another_type_than_the_windows_gives_null, "4.6.2.2-09 4.6.1-11")
{
        set_up();
        const nova_sel_t sm = semaphore(0);
        give(child, obj(sm, ALL), item_sel);
        EXPECT_EQ(translate(mem(0, 31, ALL), obj(item_sel, ALL)), 0);
        EXPECT_EQ(translate(io(0, 16), obj(item_sel, ALL)), 0);
}

CASE(translate, outside_the_window_gives_null, "4.6.1-11 4.6.2.2-16")
{
        set_up();
        const nova_sel_t sm = sel_alloc(1);
        EXPECT_EQ(hc_create_sm(sm, ROOT_PD, 0), NOVA_SUCCESS);
        give(child, obj(sm, ALL), item_sel);
        EXPECT_EQ(translate(obj(sm + 1, ALL), obj(item_sel, ALL)), 0);
        EXPECT_EQ(translate(obj(sm, ALL), obj(item_sel, ALL)), obj(sm, ALL));
}

CASE(translate, a_capability_that_is_not_derived_gives_null, "4.6.2.2-12")
{
        set_up();
        struct args a = {nova_hypercall_id(NOVA_CREATE_SM, 0, item_sel), CHILD_FREE_SEL + 2, 0, 0,
                         0};
        give(child, obj(ROOT_PD, ALL), CHILD_FREE_SEL + 2);
        EXPECT_EQ(remote_hypercall(child, &a), NOVA_SUCCESS);
        EXPECT_EQ(translate(objs(0, 31, ALL), obj(item_sel, ALL)), 0);
}

CASE(translate, a_null_selector_gives_null, "4.6.2.2-12")
{
        set_up();
        EXPECT_EQ(translate(objs(0, 31, ALL), obj(item_sel, ALL)), 0);
        EXPECT_EQ(translate(objs(0, 31, ALL), 0), 0);
}

CASE(translate, it_works_for_memory, "4.6.2.2-14")
{
        set_up();
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        give(child, mem(src, 0, NOVA_MEM_R | NOVA_MEM_W), dst);
        EXPECT_EQ(translate(mem(0, 31, ALL), mem(dst, 0, ALL)),
                  mem(src, 0, NOVA_MEM_R | NOVA_MEM_W));
}

CASE(translate, it_works_for_ports, "4.6.2.2-14")
{
        set_up();
        windows(child, 0, io(0x3f8, 3));
        send(child, io(0x3f8, 3), NOVA_ITEM_DELEGATE);
        EXPECT_EQ(translate(io(0, 16), io(0x3fd, 0)), io(0x3fd, 0));
}

CASE(translate, a_page_inside_a_larger_range_is_found, "4.6.2.2-10")
{
        set_up();
        const word_t src = page_of(memory(3)), dst = page_alloc(3);
        give(child, mem(src, 3, NOVA_MEM_RWX), dst);
        const nova_crd_t whole = translate(mem(0, 31, ALL), mem(dst, 3, ALL));
        EXPECT_EQ(nova_crd_base(whole) & ~(word_t)7, src);
        const nova_crd_t one = translate(mem(0, 31, ALL), mem(dst + 5, 0, ALL));
        EXPECT_EQ(one, mem(src + 5, 0, NOVA_MEM_RWX));
}

CASE(translate, the_result_is_clipped_to_the_window, "4.6.2.2-16 4.6.1-11")
{
        set_up();
        const word_t src = page_of(memory(3)), dst = page_alloc(3);
        give(child, mem(src, 3, NOVA_MEM_RWX), dst);
        const nova_crd_t crd = translate(mem(src, 0, ALL), mem(dst, 3, ALL));
        EXPECT_EQ(crd, mem(src, 0, NOVA_MEM_RWX));
}

CASE(translate, it_works_through_an_intermediate_pd, "4.6.2.2-13 3.6-08")
{
        set_up();
        const nova_sel_t sm = semaphore(0);
        struct thread *grand = child_server(child_new(boot_cpu));
        give(child, obj(sm, ALL), item_sel);
        give(child, obj(grand->pt, ALL), CHILD_FREE_SEL + 3);
        give(grand, obj(receiver->pt, ALL), portal_sel);
        windows(grand, 0, obj(item_sel + 7, ALL));
        EXPECT_EQ(send_from(child, CHILD_FREE_SEL + 3, grand, obj(item_sel, NOVA_SM_UP),
                            NOVA_ITEM_DELEGATE),
                  obj(item_sel + 7, NOVA_SM_UP));
        windows(receiver, objs(0, 31, ALL), 0);
        EXPECT_EQ(
                send_from(grand, portal_sel, receiver, obj(item_sel + 7, ALL), NOVA_ITEM_TRANSLATE),
                obj(sm, NOVA_SM_UP));
}

CASE(translate, it_stands_beside_delegation_in_one_message, "4.6.2.2-19")
{
        set_up();
        const nova_sel_t sm = semaphore(0), dst = sel_alloc(0);
        give(child, obj(sm, ALL), item_sel);
        windows(receiver, objs(0, 31, ALL), obj(dst, ALL));
        EXPECT_EQ(send_from(child, portal_sel, receiver, obj(item_sel, ALL), NOVA_ITEM_TRANSLATE),
                  obj(sm, ALL));
        EXPECT_EQ(send_from(child, portal_sel, receiver, obj(item_sel, NOVA_SM_DN),
                            NOVA_ITEM_DELEGATE),
                  obj(dst, NOVA_SM_DN));
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, NOVA_SM_DN));
}

CASE(translate, inside_one_pd_a_copy_translates_to_its_original, "4.6.2.2-10")
{
        const nova_sel_t sm = semaphore(0), copy = sel_alloc(0);
        struct thread *t = server(boot_cpu);
        give_self(obj(sm, NOVA_SM_UP), copy);
        windows(t, objs(0, 31, ALL), 0);
        EXPECT_EQ(send(t, obj(copy, ALL), NOVA_ITEM_TRANSLATE), obj(sm, NOVA_SM_UP));
}

CASE_ON(translate, a_window_base_and_a_selector_are_taken_modulo_SEL, "4.6.2.2-16 4.3.1-02",
        needs_x86_64)
{
        set_up();
        const nova_sel_t sm = semaphore(0), beyond = (nova_sel_t)1 << NOVA_SEL_ORDER;
        give(child, obj(sm, ALL), item_sel);
        EXPECT_EQ(translate(obj(sm, ALL), obj(item_sel, ALL)), obj(sm, ALL));
        EXPECT_EQ(translate(obj(sm | beyond, ALL), obj(item_sel, ALL)), obj(sm, ALL));
        EXPECT_EQ(translate(obj(sm | beyond << 3, ALL), obj(item_sel | beyond << 1, ALL)),
                  obj(sm, ALL));
        EXPECT_EQ(translate(obj((sm ^ 1) | beyond, ALL), obj(item_sel, ALL)), 0);
}
