/* SPDX-License-Identifier: BSD-2-Clause */
/* Delegate items: windows, hotspots, masks, order, holes and occupied places. */
#include "harness.h"

#define ALL NOVA_PERM_ALL

static nova_crd_t objs(nova_sel_t base, unsigned order, unsigned perms)
{
        return nova_crd(NOVA_CRD_OBJ, base, order, perms);
}

/* Creates 2^order semaphores with the counters 0, 1 and so on. Returns the first selector. */
static nova_sel_t semaphores(unsigned order)
{
        const nova_sel_t base = sel_alloc(order);
        for (nova_sel_t i = 0; i < (nova_sel_t)1 << order; i++)
                EXPECT_EQ(hc_create_sm(base + i, ROOT_PD, i), NOVA_SUCCESS);
        return base;
}

static nova_crd_t send_self(nova_crd_t crd, nova_crd_t window, nova_sel_t hot)
{
        static struct thread *t;
        t = server(boot_cpu);
        windows(t, 0, window);
        return send(t, crd, item_upper(NOVA_ITEM_DELEGATE, hot));
}

static bool is_there(nova_sel_t sel)
{
        return look(NOVA_CRD_OBJ, sel) != 0;
}

CASE(delegate, an_object_arrives_in_the_window_and_the_sender_keeps_it,
     "3.5-02 4.3-01 3.5-05 3.5-08 3.5-11 4.6.2.2-06 4.6.2.2-21 4.6.2.2-03 4.6.1-13 4.6.1-06 "
     "4.6.1-07 C-13")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        EXPECT_EQ(send_self(obj(sm, ALL), obj(dst, ALL), 0), obj(dst, ALL));
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, ALL));
        EXPECT_EQ(look(NOVA_CRD_OBJ, sm), obj(sm, ALL));
        EXPECT_EQ(hc_sm_ctrl(dst, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(delegate, equal_orders_ignore_the_hotspot, "3.5-12 4.3-03 4.3.4-01")
{
        const nova_sel_t src = semaphores(4), dst = sel_alloc(4);
        EXPECT_EQ(send_self(objs(src, 4, ALL), objs(dst, 4, ALL), 0x12345), objs(dst, 4, ALL));
        for (unsigned i = 0; i < 16; i++)
                EXPECT(is_there(dst + i));
        EXPECT_EQ(hc_sm_ctrl(dst + 1, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(delegate, a_smaller_range_goes_where_the_hotspot_says, "3.5-13 4.6.2.2-07 4.6.2.2-08 3.5-06")
{
        const nova_sel_t src = semaphores(2), dst = sel_alloc(6);
        const nova_sel_t hot = 0x12345000 + 0x2d, at = dst + (0x2d & ~3u);
        EXPECT_EQ(send_self(objs(src, 2, ALL), objs(dst, 6, ALL), hot), objs(at, 2, ALL));
        for (nova_sel_t i = 0; i < 64; i++)
                EXPECT_EQ(is_there(dst + i), dst + i >= at && dst + i < at + 4);
}

CASE(delegate, a_larger_range_gives_the_part_that_the_hotspot_says, "3.5-14")
{
        const nova_sel_t src = semaphores(6), dst = sel_alloc(3);
        EXPECT_EQ(send_self(objs(src, 6, ALL), objs(dst, 3, ALL), 0x5c5), objs(dst, 3, ALL));
        for (unsigned i = 0; i < 8; i++)
                EXPECT(is_there(dst + i));
        /* hotspot bits 5..3 choose the selectors src + 0 .. src + 7: counter 0 first */
        EXPECT_EQ(hc_sm_ctrl(dst + 1, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(dst + 1, NOVA_SM_UP_OP), NOVA_SUCCESS);
}

CASE(delegate, the_examples_of_the_specification_hold, "3.5-13 3.5-14")
{
        const nova_sel_t a = sel_far(12), b = sel_far(12);
        EXPECT_EQ(hc_create_sm(a + 0x1c2, ROOT_PD, 1), NOVA_SUCCESS);
        EXPECT_EQ(send_self(objs(a, 10, ALL), objs(b + 0x80, 3, ALL), 0x5c5),
                  objs(b + 0x80, 3, ALL));
        EXPECT(is_there(b + 0x82));
        EXPECT(!is_there(b + 0x81));
        EXPECT_EQ(send_self(objs(a + 0x1c0, 4, ALL), objs(b + 0x200, 8, ALL), 0x12345),
                  objs(b + 0x240, 4, ALL));
        EXPECT(is_there(b + 0x242));
        hc_revoke(objs(a, 12, ALL), NOVA_REVOKE_SR);
}

CASE(delegate, the_hotspot_chooses_among_the_16_places_of_a_large_window, "3.5-15")
{
        const nova_sel_t sm = semaphores(0);
        const nova_sel_t window = sel_far(8);
        for (nova_sel_t hot = 0; hot < 256; hot += 16) {
                send_self(objs(sm & ~(nova_sel_t)15, 4, ALL), objs(window, 8, ALL), hot);
                EXPECT(is_there(window + hot + (sm & 15)));
        }
        hc_revoke(objs(window, 8, ALL), NOVA_REVOKE_SR);
}

CASE(delegate, a_misaligned_base_is_aligned_down, "4.3-07")
{
        const nova_sel_t src = semaphores(3), dst = sel_alloc(3);
        EXPECT_EQ(send_self(objs(src + 5, 3, ALL), objs(dst + 3, 3, ALL), 0), objs(dst, 3, ALL));
        for (unsigned i = 0; i < 8; i++)
                EXPECT(is_there(dst + i));
}

CASE(delegate, a_range_covers_exactly_its_selectors, "4.3-06 4.3-03 3.5-06")
{
        const nova_sel_t src = semaphores(4), dst = sel_alloc(4);
        send_self(objs(src + 4, 2, ALL), objs(dst + 4, 2, ALL), 0);
        for (unsigned i = 0; i < 16; i++)
                EXPECT_EQ(is_there(dst + i), i >= 4 && i < 8);
}

CASE(delegate, holes_are_skipped, "3.5-07")
{
        const nova_sel_t src = sel_alloc(3), dst = sel_alloc(3);
        EXPECT_EQ(hc_create_sm(src + 1, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(src + 6, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT_EQ(send_self(objs(src, 3, ALL), objs(dst, 3, ALL), 0), objs(dst, 3, ALL));
        for (unsigned i = 0; i < 8; i++)
                EXPECT_EQ(is_there(dst + i), i == 1 || i == 6);
}

CASE(delegate, a_range_that_holds_nothing_still_gives_the_computed_descriptor, "D-20")
{
        const nova_sel_t src = sel_alloc(2), dst = sel_alloc(2);
        EXPECT_EQ(send_self(objs(src, 2, ALL), objs(dst, 2, ALL), 0), objs(dst, 2, ALL));
        EXPECT(!is_there(dst));
}

CASE(delegate, permissions_are_those_that_source_item_and_window_share,
     "4.3-08 4.3-09 4.3-10 4.3-11 4.3-02 4.1-04")
{
        const nova_sel_t sm = semaphores(0);
        struct thread *t = server(boot_cpu);
        for (unsigned n = 0; n < 64; n++) {
                const unsigned a = (n * 11 + 1) & 31, b = (n * 7 + 3) & 31, c = (n * 5 + 2) & 31;
                const nova_sel_t first = sel_alloc(0), second = sel_alloc(0);
                if (!(a & b & c))
                        continue;
                give_self(obj(sm, a), first);
                windows(t, 0, obj(second, c));
                EXPECT_EQ(send(t, obj(first, b), NOVA_ITEM_DELEGATE), obj(second, b & c));
                EXPECT_EQ(look(NOVA_CRD_OBJ, second), obj(second, a & b & c));
        }
}

CASE(delegate, no_common_permission_gives_the_null_descriptor, "4.3-09 4.3-10")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        EXPECT_EQ(send_self(obj(sm, NOVA_SM_UP), obj(dst, NOVA_SM_DN), 0), 0);
        EXPECT_EQ(send_self(obj(sm, 0), obj(dst, ALL), 0), 0);
        EXPECT_EQ(send_self(obj(sm, ALL), obj(dst, 0), 0), 0);
        EXPECT(!is_there(dst));
}

CASE(delegate, another_type_than_the_windows_gives_the_null_descriptor, "4.6.2.2-17 4.6.1-14")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        EXPECT_EQ(send_self(obj(sm, ALL), mem(page_alloc(0), 0, ALL), 0), 0);
        EXPECT_EQ(send_self(obj(sm, ALL), io(0x10, 0), 0), 0);
        EXPECT_EQ(send_self(mem(0x400, 0, ALL), obj(dst, ALL), 0), 0);
        EXPECT_EQ(send_self(io(0x3f8, 0), obj(dst, ALL), 0), 0);
        EXPECT(!is_there(dst));
}

CASE(delegate, a_null_window_turns_delegation_off, "4.6.1-15 4.3.1-01 4.3.1-02")
{
        const nova_sel_t sm = semaphores(0);
        EXPECT_EQ(send_self(obj(sm, ALL), 0, 0), 0);
        EXPECT_EQ(send_self(obj(sm, ALL), obj(sel_alloc(0), ALL) & ~(word_t)3, 0), 0);
}

CASE(delegate, a_null_item_moves_nothing, "4.3.1-01 4.3.1-02")
{
        const nova_sel_t dst = sel_alloc(0), sm = semaphores(0);
        EXPECT_EQ(send_self(0, obj(dst, ALL), 0), 0);
        EXPECT_EQ(send_self(obj(sm, ALL) & ~(word_t)3, obj(dst, ALL), 0), 0);
        EXPECT(!is_there(dst));
}

CASE(delegate, the_windows_of_the_sender_do_not_count, "4.6.1-16")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        struct thread *t = server(boot_cpu);
        windows(t, 0, 0);
        self->utcb->delegate_window = obj(dst, ALL);
        EXPECT_EQ(send(t, obj(sm, ALL), NOVA_ITEM_DELEGATE), 0);
        self->utcb->delegate_window = 0;
        EXPECT(!is_there(dst));
}

CASE(delegate, an_occupied_place_keeps_its_capability, "D-21 C-15")
{
        const nova_sel_t a = semaphores(0), pd = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
        send_self(obj(a, ALL), obj(pd, ALL), 0);
        EXPECT_EQ(hc_sm_ctrl(pd, NOVA_SM_UP_OP), NOVA_BAD_CAP);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), pd, 0), NOVA_SUCCESS);
}

CASE(delegate, an_occupied_place_gets_no_more_permissions, "D-21.2")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        give_self(obj(sm, NOVA_SM_UP), dst);
        give_self(obj(sm, ALL), dst);
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, NOVA_SM_UP));
}

CASE(delegate, free_places_beside_an_occupied_one_are_filled, "D-21 3.5-06")
{
        const nova_sel_t src = semaphores(2), dst = sel_alloc(2);
        EXPECT_EQ(hc_create_sm(dst + 1, ROOT_PD, 50), NOVA_SUCCESS);
        send_self(objs(src, 2, NOVA_SM_DN), objs(dst, 2, ALL), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, NOVA_SM_DN));
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst + 1), obj(dst + 1, ALL));
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst + 2), obj(dst + 2, NOVA_SM_DN));
}

CASE(delegate, several_items_are_handled_in_order,
     "4.6.2.2-19 4.6.2.2-01 4.6.2.2-02 4.6.2.2-04 4.6.1-02 A-14 A-20")
{
        const nova_sel_t src = semaphores(2), dst = sel_alloc(2);
        struct thread *t = server(boot_cpu);
        windows(t, 0, objs(dst, 2, ALL));
        for (unsigned i = 0; i < 4; i++) {
                self->utcb->word[nova_utcb_item_index(i)] = obj(src + i, 1u << i);
                self->utcb->word[nova_utcb_item_index(i) + 1] =
                        item_upper(NOVA_ITEM_DELEGATE, 3 - i);
        }
        self->utcb->items = nova_utcb_items(0, 4);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 4; i++) {
                EXPECT_EQ(t->rx_item[2 * i], obj(dst + 3 - i, 1u << i));
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst + 3 - i), obj(dst + 3 - i, 1u << i));
        }
}

CASE(delegate, a_later_item_does_not_replace_an_earlier_one, "4.6.2.2-19 D-21")
{
        const nova_sel_t src = semaphores(1), dst = sel_alloc(0);
        struct thread *t = server(boot_cpu);
        windows(t, 0, obj(dst, ALL));
        for (unsigned i = 0; i < 2; i++) {
                self->utcb->word[nova_utcb_item_index(i)] = obj(src + i, 1u << i);
                self->utcb->word[nova_utcb_item_index(i) + 1] = NOVA_ITEM_DELEGATE;
        }
        self->utcb->items = nova_utcb_items(0, 2);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, 1));
}

static void replies_item(struct thread *t)
{
        t->utcb->word[nova_utcb_item_index(0)] = t->value[0];
        t->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        t->utcb->items = nova_utcb_items(0, 1);
}

CASE(delegate, a_reply_delegates_into_the_callers_window, "5.2.2-01 4.6.2.2-04 3.5-04 3.5-03")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        struct thread *t = server(boot_cpu);
        t->fn = replies_item;
        t->value[0] = obj(sm, NOVA_SM_UP);
        self->utcb->delegate_window = obj(dst, ALL);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        self->utcb->delegate_window = 0;
        EXPECT_EQ(self->utcb->items, nova_utcb_items(0, 1));
        EXPECT_EQ(self->utcb->word[nova_utcb_item_index(0)], obj(dst, NOVA_SM_UP));
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, NOVA_SM_UP));
}

CASE(delegate, the_receivers_item_keeps_the_flags_but_not_the_hotspot, "4.6.2.2-18 4.6.2.2-04")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        struct thread *t = server(boot_cpu);
        windows(t, 0, obj(dst, ALL));
        send(t, obj(sm, ALL), item_upper(NOVA_ITEM_DELEGATE, 0x777));
        EXPECT_EQ(t->rx_item[0], obj(dst, ALL));
        EXPECT_EQ(t->rx_item[1] & NOVA_ITEM_FLAGS_MASK, NOVA_ITEM_DELEGATE);
        EXPECT_EQ(t->rx_item[1] >> NOVA_ITEM_HOTSPOT_SHIFT, 0);
}

CASE(delegate, flags_G_and_D_do_not_matter_for_objects_and_ports, "4.6.2.2-27")
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        struct thread *t = server(boot_cpu);
        windows(t, 0, obj(dst, ALL));
        EXPECT_EQ(send(t, obj(sm, ALL), NOVA_ITEM_DELEGATE | NOVA_ITEM_D | NOVA_ITEM_G),
                  obj(dst, ALL));
        EXPECT(is_there(dst));
}

CASE(delegate, every_kind_of_object_is_usable_at_the_receiver, "4.1-02 3.5-01 3.5-11")
{
        struct thread *s = server(boot_cpu), *t = child_server(child_new(boot_cpu));
        const nova_sel_t at = CHILD_FREE_SEL;
        give(t, obj(ROOT_PD, ALL), at);
        give(t, obj(s->ec, ALL), at + 1);
        give(t, obj(NOVA_SEL_ROOT_SC, ALL), at + 2);
        give(t, obj(s->pt, ALL), at + 3);
        give(t, obj(semaphore(1), ALL), at + 4);
        struct args pd = {nova_hypercall_id(NOVA_CREATE_SM, 0, at + 5), at, 0, 0, 0};
        struct args ec = {nova_hypercall_id(NOVA_EC_CTRL, 0, at + 1), 0, 0, 0, 0};
        struct args sc = {nova_hypercall_id(NOVA_SC_CTRL, 0, at + 2), 0, 0, 0, 0};
        struct args pt = {nova_hypercall_id(NOVA_CALL, 0, at + 3), 0, 0, 0, 0};
        EXPECT_EQ(remote_hypercall(t, &pd), NOVA_SUCCESS);
        EXPECT_EQ(remote_hypercall(t, &ec), NOVA_SUCCESS);
        EXPECT_EQ(remote_hypercall(t, &sc), NOVA_SUCCESS);
        EXPECT_EQ(remote_hypercall(t, &pt), NOVA_SUCCESS);
        EXPECT_EQ(remote_sm(t, at + 4, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(remote_sm(t, at + 5, NOVA_SM_UP_OP), NOVA_SUCCESS);
}

CASE_ON(delegate, windows_and_ranges_wrap_modulo_SEL, "6.2-13", needs_x86_64)
{
        const nova_sel_t sm = semaphores(0), dst = sel_alloc(0);
        const nova_sel_t wrap = (nova_sel_t)1 << NOVA_SEL_ORDER;
        send_self(obj(sm + wrap, ALL), obj(dst + wrap, ALL), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, ALL));
}

CASE(delegate, ranges_of_order_31_are_clipped_to_the_space, "4.3-03 6.2-13")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t sm = semaphores(0);
        windows(t, 0, objs(0, 31, ALL));
        send(t, obj(sm, ALL), item_upper(NOVA_ITEM_DELEGATE, CHILD_FREE_SEL));
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL), obj(CHILD_FREE_SEL, ALL));
}

CASE(delegate, every_bit_of_an_object_selector_counts, "4.3-04 4.3-05 4.2-01")
{
        const nova_sel_t sm = semaphore(0);
        const unsigned bits = NOVA_WORD_BITS == 64 ? NOVA_SEL_ORDER : 20;
        for (unsigned bit = 13; bit < bits; bit++) {
                const nova_sel_t dst = (nova_sel_t)1 << bit | 0xabc;
                EXPECT_EQ(give_self(obj(sm, ALL), dst), obj(dst, ALL));
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, ALL));
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst ^ 1), 0);
        }
}

CASE(delegate, every_bit_of_a_page_number_counts, "4.3-04 4.3-05 4.2-02")
{
        const word_t src = page_of(memory(0));
        const unsigned bits = NOVA_WORD_BITS == 64 ? 35 : 19;
        for (unsigned bit = 15; bit < bits; bit++) {
                const word_t dst = (word_t)1 << bit | 0x2345;
                EXPECT_EQ(give_self(mem(src, 0, NOVA_MEM_RWX), dst), mem(dst, 0, NOVA_MEM_RWX));
                *(volatile word_t *)(dst << NOVA_PAGE_BITS) = bit;
                EXPECT_EQ(*(volatile word_t *)(src << NOVA_PAGE_BITS), bit);
        }
        hc_revoke(mem(src, 0, ALL), 0);
}

/* Each page needs tables of its own: it shares only the root table with the others. */
CASE_ON(delegate, pages_that_share_no_table_arrive_in_one_message, "3.5-06 3.5-07", needs_x86_64)
{
        enum { PAGES = 16, ORDER = 27, WINDOW = 31 };
        const word_t src = page_of(memory(0)), from = (word_t)1 << WINDOW, to = (word_t)3 << WINDOW;
        struct thread *t = server(boot_cpu);
        for (word_t i = 0; i < PAGES; i++) {
                const word_t page = from + (i << ORDER) + 0x123;
                EXPECT_EQ(give_self(mem(src, 0, NOVA_MEM_RWX), page), mem(page, 0, NOVA_MEM_RWX));
        }
        windows(t, 0, mem(to, WINDOW, ALL));
        EXPECT_EQ(send(t, mem(from, WINDOW, ALL), NOVA_ITEM_DELEGATE | NOVA_ITEM_G),
                  mem(to, WINDOW, ALL));
        for (word_t i = 0; i < PAGES; i++) {
                const word_t page = to + (i << ORDER) + 0x123;
                EXPECT_EQ(look(NOVA_CRD_MEM, page), mem(page, 0, NOVA_MEM_RWX));
                *(volatile word_t *)(page << NOVA_PAGE_BITS) = i;
                EXPECT_EQ(*(volatile word_t *)(src << NOVA_PAGE_BITS), i);
        }
        hc_revoke(mem(src, 0, ALL), 0);
}
