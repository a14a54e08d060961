/* SPDX-License-Identifier: BSD-2-Clause */
/* Corner values of messages, ranges, selectors and addresses: first, last, none and all. */
#include "harness.h"

#define ALL   NOVA_PERM_ALL
#define WORDS NOVA_UTCB_WORDS
#define ITEMS NOVA_UTCB_TYPED_MAX

static word_t got[WORDS], got_items;

static void takes_all(struct thread *t)
{
        got_items = t->rx_items;
        for (unsigned i = 0; i < WORDS; i++)
                got[i] = t->utcb->word[i];
}

static struct thread *receiver(nova_crd_t window)
{
        struct thread *t = server(boot_cpu);
        t->fn = takes_all;
        windows(t, 0, window);
        return t;
}

static void put_item(unsigned i, nova_crd_t crd, word_t upper)
{
        self->utcb->word[nova_utcb_item_index(i)] = crd;
        self->utcb->word[nova_utcb_item_index(i) + 1] = upper;
}

static bool is_there(nova_sel_t sel)
{
        return look(NOVA_CRD_OBJ, sel) != 0;
}

static nova_sel_t semaphores(unsigned order)
{
        const nova_sel_t base = sel_alloc(order);
        for (nova_sel_t i = 0; i < (nova_sel_t)1 << order; i++)
                EXPECT_EQ(hc_create_sm(base + i, ROOT_PD, 0), NOVA_SUCCESS);
        return base;
}

/* ---- Messages ---------------------------------------------------------------------------------
 */

CASE(corner, as_many_items_as_fit_are_all_delegated, "4.6.2.2-01 4.6.2.2-02 3.5-01 D-19")
{
        const nova_sel_t src = sel_alloc(9), dst = sel_alloc(9);
        for (unsigned i = 0; i < ITEMS; i++) {
                EXPECT_EQ(hc_create_sm(src + i, ROOT_PD, 0), NOVA_SUCCESS);
                put_item(i, obj(src + i, ALL), item_upper(NOVA_ITEM_DELEGATE, dst + i));
        }
        struct thread *t = receiver(nova_crd(NOVA_CRD_OBJ, dst, 9, ALL));
        self->utcb->items = nova_utcb_items(0, ITEMS);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(got_items, nova_utcb_items(0, ITEMS));
        for (unsigned i = 0; i < ITEMS; i++) {
                EXPECT_EQ(got[nova_utcb_item_index(i)], obj(dst + i, ALL));
                EXPECT(is_there(dst + i));
        }
}

CASE(corner, words_and_items_may_fill_the_buffer_to_the_last_word, "4.6.2-01 4.6.2-02 D-19.2")
{
        const nova_sel_t sm = semaphore(0), dst = sel_alloc(0);
        struct thread *t = receiver(obj(dst, ALL));
        for (unsigned i = 0; i < WORDS - 2; i++)
                self->utcb->word[i] = 0xab00 + i;
        put_item(0, obj(sm, ALL), item_upper(NOVA_ITEM_DELEGATE, 0));
        self->utcb->items = nova_utcb_items(WORDS - 2, 1);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(got_items, nova_utcb_items(WORDS - 2, 1));
        EXPECT_EQ(got[0], 0xab00);
        EXPECT_EQ(got[WORDS - 3], 0xab00 + WORDS - 3);
        EXPECT_EQ(got[WORDS - 2], obj(dst, ALL));
        EXPECT_EQ(got[WORDS - 1], NOVA_ITEM_DELEGATE);
}

CASE(corner, an_empty_message_leaves_the_receivers_words, "4.6.2.1-05 4.6.2.2-02")
{
        struct thread *t = receiver(nova_crd(NOVA_CRD_OBJ, 0, 31, ALL));
        for (unsigned i = 0; i < WORDS; i++) {
                t->utcb->word[i] = 0xcd00 + i;
                self->utcb->word[i] = ~(word_t)0;
        }
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(got_items, 0);
        for (unsigned i = 0; i < WORDS; i++)
                EXPECT_EQ(got[i], 0xcd00 + i);
}

CASE(corner, reserved_bits_of_an_item_do_not_matter, "4.6.2.2-03 4.6.2.2-04")
{
        const nova_sel_t sm = semaphore(0), dst = sel_alloc(0);
        struct thread *t = receiver(obj(dst, ALL));
        put_item(0, obj(sm, ALL), item_upper(NOVA_ITEM_DELEGATE | 0x1fe, 0));
        self->utcb->items = nova_utcb_items(0, 1);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(got[nova_utcb_item_index(0)], obj(dst, ALL));
        EXPECT(is_there(dst));
}

CASE(corner, null_items_between_others_are_handled_in_their_place, "4.6.2.2-04 3.5-07 A-20")
{
        const nova_sel_t src = semaphores(2), dst = sel_alloc(2);
        struct thread *t = receiver(nova_crd(NOVA_CRD_OBJ, dst, 2, ALL));
        for (unsigned i = 0; i < 4; i++)
                put_item(i, i & 1 ? 0 : obj(src + i, ALL), item_upper(NOVA_ITEM_DELEGATE, dst + i));
        self->utcb->items = nova_utcb_items(0, 4);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 4; i++) {
                EXPECT_EQ(is_there(dst + i), !(i & 1));
                EXPECT_EQ(got[nova_utcb_item_index(i)] != 0, !(i & 1));
        }
}

CASE(corner, hotspots_that_overlap_fill_a_place_once, "3.5-13 D-21")
{
        const nova_sel_t src = semaphores(3), dst = sel_alloc(4);
        struct thread *t = receiver(nova_crd(NOVA_CRD_OBJ, dst, 4, ALL));
        /* The first item fills four selectors of the window. The pair of the second item lies
         * inside them, and the pair of the third item lies after them. */
        put_item(0, nova_crd(NOVA_CRD_OBJ, src, 2, ALL), item_upper(NOVA_ITEM_DELEGATE, 4));
        put_item(1, nova_crd(NOVA_CRD_OBJ, src + 4, 1, NOVA_SM_UP),
                 item_upper(NOVA_ITEM_DELEGATE, 6));
        put_item(2, nova_crd(NOVA_CRD_OBJ, src + 6, 1, NOVA_SM_UP),
                 item_upper(NOVA_ITEM_DELEGATE, 8));
        self->utcb->items = nova_utcb_items(0, 3);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        for (nova_sel_t i = 0; i < 16; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst + i), i >= 4 && i < 8    ? obj(dst + i, ALL)
                                                       : i >= 8 && i < 10 ? obj(dst + i, NOVA_SM_UP)
                                                                          : 0);
}

CASE(corner, only_the_middle_bits_of_a_hotspot_count, "3.5-13 3.5-14")
{
        const nova_sel_t src = semaphores(1), dst = sel_alloc(3);
        struct thread *t = receiver(nova_crd(NOVA_CRD_OBJ, dst, 3, ALL));
        /* Bit 0 of the hotspot is below the order of the item; bits 3 and up are above the order of
         * the window. */
        send(t, nova_crd(NOVA_CRD_OBJ, src, 1, ALL),
             item_upper(NOVA_ITEM_DELEGATE, (~(word_t)0 >> 12 & ~(word_t)7) | 5));
        for (nova_sel_t i = 0; i < 8; i++)
                EXPECT_EQ(is_there(dst + i), i == 4 || i == 5);
}

CASE(corner, every_order_of_a_window_takes_one_selector, "3.5-13 4.3-03")
{
        const nova_sel_t sm = semaphore(0), dst = sel_far(0);
        for (unsigned order = 0; order < 32; order++) {
                struct thread *t = receiver(nova_crd(NOVA_CRD_OBJ, dst, order, ALL));
                EXPECT_EQ(send(t, obj(sm, ALL), item_upper(NOVA_ITEM_DELEGATE, dst)),
                          obj(dst, ALL));
                EXPECT(is_there(dst));
                hc_revoke(obj(dst, ALL), NOVA_REVOKE_SR);
                EXPECT(!is_there(dst));
        }
}

CASE(corner, every_order_of_a_revocation_reaches_its_selector, "5.3.6-03 4.3-03")
{
        const nova_sel_t sel = sel_far(12);
        for (unsigned order = 0; order <= 12; order++) {
                EXPECT_EQ(hc_create_sm(sel + 1234, ROOT_PD, 0), NOVA_SUCCESS);
                hc_revoke(nova_crd(NOVA_CRD_OBJ, (sel + 1234) ^ (1u << order), order, ALL),
                          NOVA_REVOKE_SR);
                EXPECT(is_there(sel + 1234));
                hc_revoke(nova_crd(NOVA_CRD_OBJ, sel + 1234, order, ALL), NOVA_REVOKE_SR);
                EXPECT(!is_there(sel + 1234));
        }
}

/* ---- Ends of the spaces -----------------------------------------------------------------------
 */

#if __SIZEOF_POINTER__ == 8
#define LAST_SEL (((word_t)1 << NOVA_SEL_ORDER) - 1)
#else
#define LAST_SEL 0xfffff /* the last selector that a CRD can name */
#endif

CASE(corner, the_last_selector_is_like_any_other, "6.2-13 5.3.5-01 4.2-01")
{
        EXPECT_EQ(hc_create_sm(LAST_SEL, ROOT_PD, 1), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, LAST_SEL), obj(LAST_SEL, ALL));
        EXPECT_EQ(hc_sm_ctrl(LAST_SEL, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(LAST_SEL, ROOT_PD, 1), NOVA_BAD_CAP);
        const nova_sel_t copy = sel_alloc(0);
        EXPECT_EQ(give_self(obj(LAST_SEL, ALL), copy), obj(copy, ALL));
        EXPECT_EQ(hc_revoke(obj(LAST_SEL, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_OBJ, LAST_SEL), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, copy), 0);
}

CASE(corner, selector_0_is_like_any_other, "4.2-01 5.3.5-01")
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        const nova_sel_t sm = semaphore(1);
        hc_revoke(obj(c->portals, ALL), 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, 0), 0);
        EXPECT_EQ(give(t, obj(sm, ALL), 0), obj(0, ALL));
        EXPECT_EQ(remote_sm(t, 0, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(corner, the_last_page_of_user_memory_is_like_any_other, "2.1-07 4.1.2-01")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t last = (NOVA_USER_END >> NOVA_PAGE_BITS) - 1;
        volatile word_t *p = (volatile word_t *)memory(0);
        p[NOVA_PAGE_SIZE / sizeof(word_t) - 1] = 0;
        remote_in(t, 0x3fd);
        EXPECT_EQ(give(t, mem(page_of((void *)(word_t)p), 0, NOVA_MEM_RWX), last),
                  mem(last, 0, NOVA_MEM_RWX));
        EXPECT_EQ(remote_write(t, NOVA_USER_END - sizeof(word_t), 77), 0);
        EXPECT_EQ(p[NOVA_PAGE_SIZE / sizeof(word_t) - 1], 77);
        EXPECT_EQ(remote_read(t, NOVA_USER_END), 1);
}

CASE(corner, the_first_page_of_memory_is_like_any_other, "2.1-07 4.1.2-01")
{
        struct thread *t = child_server(child_new(boot_cpu));
        volatile word_t *p = (volatile word_t *)memory(0);
        *p = 0;
        remote_in(t, 0x3fd);
        EXPECT_EQ(give(t, mem(page_of((void *)(word_t)p), 0, NOVA_MEM_RWX), 0),
                  mem(0, 0, NOVA_MEM_RWX));
        EXPECT_EQ(remote_write(t, 0, 78), 0);
        EXPECT_EQ(*p, 78);
}

/* Creates two ECs of a child with UTCBs on adjacent pages. No other EC can have its UTCB on a page
 * that is already taken. */
static void takes_utcbs(word_t utcb, word_t beside)
{
        struct child *c = child_new(boot_cpu);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), c->pd, utcb | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), c->pd, utcb | boot_cpu, 0, 0, 0), NOVA_BAD_PAR);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), c->pd, beside | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
}

CASE(corner, a_utcb_may_lie_on_the_last_page_and_on_the_second, "5.3.2-06 5.3.2-27 5.3.2-28")
{
        takes_utcbs(NOVA_USER_END - NOVA_PAGE_SIZE, NOVA_USER_END - 2 * NOVA_PAGE_SIZE);
        takes_utcbs(NOVA_PAGE_SIZE, 2 * NOVA_PAGE_SIZE);
}

CASE(corner, a_utcb_may_not_lie_on_the_first_page_beyond, "5.3.2-27")
{
        const nova_sel_t ec = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(ec, ROOT_PD, NOVA_USER_END | boot_cpu, 0, 0, 0), NOVA_BAD_PAR);
        EXPECT_EQ(look(NOVA_CRD_OBJ, ec), 0);
}

CASE(corner, lookup_beyond_the_ports_finds_nothing, "5.3.7-05 4.1.3-01")
{
        request(io(0xfff8, 3), 0xfff8);
        EXPECT(look(NOVA_CRD_IO, 0xffff) != 0);
        EXPECT_EQ(look(NOVA_CRD_IO, 0x10000), 0);
        EXPECT_EQ(look(NOVA_CRD_IO, 0xfffff), 0);
        EXPECT_EQ(hc_revoke(io(0xfff8, 3), NOVA_REVOKE_SR), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_IO, 0xffff), 0);
}

CASE(corner, the_whole_object_space_can_be_given_to_a_new_pd, "5.3.1-04 5.3.1-07")
{
        static struct child c;
        struct thread *t = thread_blank(boot_cpu);
        c = (struct child){.pd = sel_alloc(0), .cpu = boot_cpu};
        t->child = &c;
        t->events = sel_alloc(5);
        t->ec = sel_alloc(0);
        event_portal(t, NOVA_EXC_PF, NOVA_MTD_EXCEPTION);
        case_seconds(60);
        EXPECT_EQ(hc_create_pd(c.pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, 0, 31, ALL)), NOVA_SUCCESS);
        t->utcb = (struct nova_utcb *)utcb_alloc();
        EXPECT_EQ(hc_create_ec(t->ec, c.pd, (word_t)t->utcb | boot_cpu, t->sp, t->events, 0),
                  NOVA_SUCCESS);
        t->pt = portal(t);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, ROOT_PD), obj(ROOT_PD, ALL));
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, NOVA_SEL_ROOT_SC), obj(NOVA_SEL_ROOT_SC, ALL));
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, t->ec), 0);
}

CASE(corner, a_single_capability_with_an_odd_selector_can_be_given_to_a_new_pd,
     "5.3.1-04 C-11 6.2-13")
{
        static struct child c;
        struct thread *t = thread_blank(boot_cpu);
        c = (struct child){.pd = sel_alloc(0), .cpu = boot_cpu};
        t->child = &c;
        t->events = sel_alloc(6) + 1;
        t->ec = sel_alloc(0);
        event_portal(t, NOVA_EXC_PF, NOVA_MTD_EXCEPTION);
        EXPECT_EQ(hc_create_pd(c.pd, ROOT_PD, obj(t->events + NOVA_EXC_PF, ALL)), NOVA_SUCCESS);
        t->utcb = (struct nova_utcb *)utcb_alloc();
        /* The page-fault portal is at selector 0, so the event base wraps around to a value below
         * it. */
        EXPECT_EQ(hc_create_ec(t->ec, c.pd, (word_t)t->utcb | boot_cpu, t->sp,
                               (nova_sel_t)0 - NOVA_EXC_PF, 0),
                  NOVA_SUCCESS);
        t->pt = portal(t);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, 0), obj(0, ALL));
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, 1), 0);
}

CASE(corner, an_event_base_wraps_modulo_SEL, "6.2-13 5.3.2-19 3.3-01 A-19")
{
        struct thread *t = thread_blank(boot_cpu);
        t->events = sel_alloc(5);
        t->ec = sel_alloc(0);
        event_portal(t, NOVA_EXC_PF, NOVA_MTD_EXCEPTION);
        t->utcb = (struct nova_utcb *)utcb_alloc();
        EXPECT_EQ(hc_create_ec(t->ec, ROOT_PD, (word_t)t->utcb | boot_cpu, t->sp,
                               t->events + (3u << NOVA_SEL_ORDER), 0),
                  NOVA_SUCCESS);
        t->pt = portal(t);
        EXPECT_EQ(remote_read(t, 0x1000), 1);
        EXPECT_EQ(t->event, NOVA_EXC_PF);
}

CASE(corner, unknown_bits_of_a_portals_descriptor_come_back_and_move_nothing,
     "4.4-02 7.4-57 8.4-42")
{
        struct thread *t = server(boot_cpu);
        const nova_mtd_t mtd = NOVA_MTD_EXCEPTION | (nova_mtd_t)0xffe00000;
        event_portal(t, NOVA_EXC_PF, mtd);
        EXPECT_EQ(remote_read(t, 0x1000), 1);
        EXPECT_EQ(t->state.mtd, mtd);
        EXPECT_EQ(t->state.qual[1], 0x1000);
}

/* ---- Effects of the answer to an event ------------------------------------------------------- */

static bool answers_with_item(struct thread *t, unsigned n, struct nova_utcb *u)
{
        (void)n;
        u->state.mtd = NOVA_MTD_EIP;
        u->state.ip = (word_t)probe_failed;
        u->word[nova_utcb_item_index(0)] = t->value[1];
        u->word[nova_utcb_item_index(0) + 1] = t->value[2];
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 1);
        return true;
}

CASE(corner, the_answer_to_an_event_leaves_the_threads_utcb_alone, "D-27 3.3-10")
{
        struct thread *t = server(boot_cpu);
        const nova_crd_t crd = mem(page_of(memory(0)), 0, NOVA_MEM_RWX);
        const word_t page = page_alloc(0);
        windows(t, nova_crd(NOVA_CRD_MEM, 0, 31, ALL), nova_crd(NOVA_CRD_OBJ, 0, 31, ALL));
        t->on_event = answers_with_item;
        for (unsigned kind = NOVA_ITEM_TRANSLATE; kind <= NOVA_ITEM_DELEGATE; kind++) {
                t->value[1] = crd;
                t->value[2] = item_upper(kind, page);
                for (unsigned i = 0; i < 4; i++)
                        t->utcb->word[WORDS - 4 + i] = 0x1000 + i;
                EXPECT_EQ(remote_read(t, page << NOVA_PAGE_BITS), 1);
                for (unsigned i = 0; i < 4; i++)
                        EXPECT_EQ(t->utcb->word[WORDS - 4 + i], 0x1000 + i);
        }
        EXPECT_EQ(probe_read((void *)(page << NOVA_PAGE_BITS)), 0);
}

static void handler_dies(struct thread *t)
{
        event_remove(t, NOVA_EXC_UD);
        raise_ud();
}

static void raises_and_goes_on(struct thread *t)
{
        t->value[0] = 1;
        raise_bp();
        t->value[0] = 2;
}

CASE(corner, a_thread_whose_handler_dies_is_shut_down_with_it, "3.3-09 3.3-06 2.2-06 A-17")
{
        struct thread *handler = server(boot_cpu), *t = global(boot_cpu, raises_and_goes_on, NULL);
        event_remove(t, NOVA_EXC_BP);
        EXPECT_EQ(hc_create_pt(t->events + NOVA_EXC_BP, ROOT_PD, handler->ec, 0,
                               (word_t)portal_entry),
                  NOVA_SUCCESS);
        handler->fn = handler_dies;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[0], 1);
        spin_us(20000);
        EXPECT_EQ(t->value[0], 1);
        EXPECT_EQ(t->done, 0);
}

/* ---- Rendezvous -------------------------------------------------------------------------------
 */

static void calls_with_item(struct thread *t)
{
        t->utcb->word[nova_utcb_item_index(0)] = t->value[1];
        t->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        t->utcb->items = nova_utcb_items(0, 1);
        t->value[2] = hc_call(t->value[0], NOVA_CALL_DD);
}

CASE(corner, a_nondonating_call_with_items_does_not_start_its_callee, "D-01 5.2.1-08 3.2-13")
{
        const nova_sel_t sm = semaphore(0), dst = sel_alloc(0);
        struct thread *s = receiver(obj(dst, ALL));
        struct thread *t = global(boot_cpu, calls_with_item, NULL);
        t->value[0] = s->pt;
        t->value[1] = obj(sm, ALL);
        t->value[2] = 99;
        thread_start(t, PRIO_HIGH, QUANTUM);
        spin_us(20000);
        EXPECT_EQ(t->value[2], 99);
        EXPECT_EQ(s->calls, 0);
        EXPECT(is_there(dst));
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->value[2], NOVA_SUCCESS);
}

static void calls_then_waits(struct thread *t)
{
        t->utcb->items = 0;
        t->value[2] = hc_call(t->value[0], 0);
        t->utcb->word[0] = 0x77;
        t->value[3] = hc_sm_ctrl(t->value[1], NOVA_SM_DN_OP);
        t->value[4] = 1;
}

CASE(corner, a_callee_that_replied_has_nothing_to_do_with_its_caller, "5.2.2-04 4.1.5-01")
{
        struct thread *s = server(boot_cpu), *t = global(boot_cpu, calls_then_waits, NULL);
        t->value[0] = s->pt;
        t->value[1] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[2], NOVA_SUCCESS);
        EXPECT_EQ(t->value[4], 0);
        /* The next reply goes to the other caller only. */
        self->utcb->items = nova_utcb_items(1, 0);
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->value[4], 0);
        EXPECT_EQ(t->utcb->word[0], 0x77);
        /* The callee's end does not wake the first caller, either. */
        hc_revoke(obj(s->pt, ALL), NOVA_REVOKE_SR);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, s->events, 5, ALL), NOVA_REVOKE_SR);
        hc_revoke(obj(s->ec, ALL), NOVA_REVOKE_SR);
        EXPECT_EQ(t->value[4], 0);
        EXPECT_EQ(hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->value[3], NOVA_SUCCESS);
        EXPECT_EQ(t->value[4], 1);
}

static void spins_for_ever(struct thread *t)
{
        while (!t->value[0])
                __asm__ volatile("pause");
}

CASE_ON(corner, RECALL_does_not_wait_for_the_end_of_a_quantum, "5.4.1-05", needs_2_cpus)
{
        struct thread *t = global(cpu_numbers[1], spins_for_ever, NULL);
        thread_start(t, PRIO_CASE, 1000000);
        EXPECT(wait_for(&t->started, 1));
        spin_us(5000);
        const word_t before = t->event_count;
        const uint64_t begin = tsc();
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        EXPECT(wait_for(&t->event_count, before + 1));
        EXPECT(tsc() - begin < tsc_per_ms() * 500);
        t->value[0] = 1;
        EXPECT(wait_for(&t->done, 1));
}

CASE(corner, the_time_of_the_running_slice_counts_at_once, "5.4.2-01 5.4.2-02")
{
        for (unsigned i = 0; i < 10; i++) {
                uint64_t before, after;
                EXPECT_EQ(hc_sc_ctrl(self->sc, &before), NOVA_SUCCESS);
                spin_us(2000);
                EXPECT_EQ(hc_sc_ctrl(self->sc, &after), NOVA_SUCCESS);
                EXPECT(after - before >= 1900);
        }
}

static volatile word_t runs_now, changes;

static void counts_changes(struct thread *t)
{
        const uint64_t end = tsc() + tsc_per_ms() * 400;
        while (tsc() < end) {
                if (runs_now == t->value[0])
                        continue;
                runs_now = t->value[0];
                changes++;
        }
        hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP);
}

CASE(corner, a_whole_quantum_passes_between_two_turns, "3.1-11 3.1-13 2.3-05 3.1-10")
{
        const nova_sel_t sm = semaphore(0);
        runs_now = changes = 0;
        for (unsigned i = 1; i <= 2; i++) {
                struct thread *t = global(boot_cpu, counts_changes, NULL);
                t->value[0] = i;
                t->value[1] = sm;
                thread_start(t, PRIO_LOW, 20000);
        }
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT(changes >= 4 && changes <= 40);
}
