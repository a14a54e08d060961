/* SPDX-License-Identifier: BSD-2-Clause */
/* Untyped items, message sizes and the header of a message buffer. */
#include "harness.h"

#define WORDS NOVA_UTCB_WORDS

static word_t copy[WORDS];
static word_t copied_items;

static void takes_all(struct thread *t)
{
        copied_items = t->rx_items;
        for (unsigned i = 0; i < WORDS; i++)
                copy[i] = t->utcb->word[i];
}

static void replies_all(struct thread *t)
{
        for (unsigned i = 0; i < WORDS; i++)
                t->utcb->word[i] = 0x7000 + i;
        t->utcb->items = t->value[0];
}

static struct thread *receiver(word_t pattern)
{
        struct thread *t = server(boot_cpu);
        t->fn = takes_all;
        for (unsigned i = 0; i < WORDS; i++)
                t->utcb->word[i] = pattern;
        return t;
}

static void fill(word_t base)
{
        for (unsigned i = 0; i < WORDS; i++)
                self->utcb->word[i] = base + i;
}

/* Sends a message with u untyped words. Expects that n words arrive, and that the receiver keeps
 * its other words. */
static void transfer(unsigned u, unsigned n)
{
        struct thread *r = receiver(0x5555);
        fill(0x1000);
        self->utcb->items = nova_utcb_items(u, 0);
        EXPECT_EQ(hc_call(r->pt, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < n; i++)
                EXPECT_EQ(copy[i], 0x1000 + i);
        for (unsigned i = n; i < WORDS; i++)
                EXPECT_EQ(copy[i], 0x5555);
        EXPECT_EQ(copied_items, nova_utcb_items(n, 0));
}

CASE(transfer, no_word_is_copied_with_U_0, "4.6.2.1-05 5.2.1-05")
{
        transfer(0, 0);
}

CASE(transfer, U_words_are_copied_and_no_more,
     "4.6.2.1-01 4.6.2.1-02 4.6.2.1-03 4.6.2.1-04 4.6.1-01 4.6-03 4.6-04 4.6-05 3.2-11")
{
        transfer(1, 1);
        transfer(2, 2);
        transfer(17, 17);
}

CASE(transfer, the_whole_data_area_can_be_sent, "4.6.2-01 4.6.2-02")
{
        transfer(WORDS - 1, WORDS - 1);
        transfer(WORDS, WORDS);
}

CASE(transfer, U_is_clamped_to_the_data_area, "D-19.2 D-19.4")
{
        transfer(WORDS + 1, WORDS);
        transfer(0xffff, WORDS);
}

CASE(transfer, T_is_clamped_to_the_data_area, "D-19 D-19.4")
{
        struct thread *r = receiver(0x5555);
        for (unsigned i = 0; i < WORDS; i++)
                self->utcb->word[i] = 0;
        self->utcb->items = nova_utcb_items(0, 0xffff);
        EXPECT_EQ(hc_call(r->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(copied_items, nova_utcb_items(0, NOVA_UTCB_TYPED_MAX));
}

CASE(transfer, typed_items_come_before_untyped_ones_when_both_do_not_fit, "D-19.2 D-19.3 D-19.4")
{
        struct thread *r = receiver(0x5555);
        fill(0x1000);
        for (unsigned i = 0; i < 10; i++) {
                self->utcb->word[nova_utcb_item_index(i)] = 0;
                self->utcb->word[nova_utcb_item_index(i) + 1] = NOVA_ITEM_DELEGATE;
        }
        self->utcb->items = nova_utcb_items(WORDS, 10);
        EXPECT_EQ(hc_call(r->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(copied_items, nova_utcb_items(WORDS - 20, 10));
        for (unsigned i = 0; i < WORDS - 20; i++)
                EXPECT_EQ(copy[i], 0x1000 + i);
        for (unsigned i = 0; i < 10; i++)
                EXPECT_EQ(copy[nova_utcb_item_index(i)], 0);
}

CASE(transfer, untyped_words_are_not_interpreted, "4.6.2.1-06")
{
        struct thread *r = receiver(0x5555);
        const word_t odd[] = {obj(ROOT_PD, 0x1f), ~(word_t)0, NOVA_ITEM_DELEGATE, 0};
        for (unsigned i = 0; i < 4; i++)
                self->utcb->word[i] = odd[i];
        r->utcb->delegate_window = obj(sel_alloc(0), 0x1f);
        self->utcb->items = nova_utcb_items(4, 0);
        EXPECT_EQ(hc_call(r->pt, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(copy[i], odd[i]);
        EXPECT_EQ(look(NOVA_CRD_OBJ, nova_crd_base(r->utcb->delegate_window)), 0);
}

CASE(transfer, the_reply_copies_U_words_too, "4.6.2.1-07 5.2.2-01")
{
        struct thread *t = server(boot_cpu);
        static const unsigned counts[] = {0, 1, 3, 64, WORDS - 1, WORDS};
        for (unsigned i = 0; i < 6; i++) {
                t->fn = replies_all;
                t->value[0] = nova_utcb_items(counts[i], 0);
                fill(0x1000);
                self->utcb->items = 0;
                EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
                EXPECT_EQ(self->utcb->items, nova_utcb_items(counts[i], 0));
                for (unsigned n = 0; n < WORDS; n++)
                        EXPECT_EQ(self->utcb->word[n], (n < counts[i] ? 0x7000 : 0x1000) + n);
        }
}

CASE(transfer, the_reply_is_clamped_too, "D-19.2 D-19.4")
{
        struct thread *t = server(boot_cpu);
        t->fn = replies_all;
        t->value[0] = nova_utcb_items(0xffff, 0);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(self->utcb->items, nova_utcb_items(WORDS, 0));
}

CASE(transfer, the_receiver_learns_U_and_T, "4.6.1-01 4.6.1-02 4.6.1-03 4.6.2-03")
{
        struct thread *t = server(boot_cpu);
        fill(0x1000);
        for (unsigned i = 0; i < 2; i++) {
                self->utcb->word[nova_utcb_item_index(i)] = 0;
                self->utcb->word[nova_utcb_item_index(i) + 1] = 0;
        }
        self->utcb->items = nova_utcb_items(3, 2);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->rx_items, nova_utcb_items(3, 2));
        EXPECT_EQ(t->rx_word[2], 0x1002);
}

CASE(transfer, the_tls_word_is_never_written, "4.6.1-08 4.6.1-09 4.6.1-10")
{
        struct thread *t = receiver(0);
        const word_t mine = self->utcb->tls;
        t->utcb->tls = 0x7715;
        self->utcb->tls = 0x1234;
        for (unsigned u = 0; u <= WORDS; u += WORDS / 4) {
                fill(u);
                self->utcb->items = nova_utcb_items(u, 0);
                EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
                probe_read((void *)0x1000);
        }
        EXPECT_EQ(t->utcb->tls, 0x7715);
        EXPECT_EQ(self->utcb->tls, 0x1234);
        self->utcb->tls = mine;
}

CASE(transfer, the_kernel_does_not_change_the_windows, "4.6.1-16 A-14")
{
        struct thread *t = receiver(0);
        const nova_crd_t a = obj(sel_alloc(4), 5), b = mem(page_alloc(3), 3, 7);
        windows(t, a, b);
        self->utcb->items = nova_utcb_items(5, 0);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->utcb->translate_window, a);
        EXPECT_EQ(t->utcb->delegate_window, b);
}

CASE(transfer, a_message_between_pds_carries_the_words, "3.2-02 3.2-11")
{
        struct thread *t = child_server(child_new(boot_cpu));
        t->fn = replies_all;
        t->value[0] = nova_utcb_items(7, 0);
        fill(0x1000);
        self->utcb->items = nova_utcb_items(RX_ITEMS, 0);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < RX_ITEMS; i++)
                EXPECT_EQ(t->rx_word[i], 0x1000 + i);
        for (unsigned i = 0; i < 7; i++)
                EXPECT_EQ(self->utcb->word[i], 0x7000 + i);
        EXPECT_EQ(self->utcb->word[7], 0x1007);
}

CASE(transfer, the_senders_words_stay_as_they_were, "4.6.2.1-04")
{
        struct thread *t = receiver(0);
        fill(0x1000);
        self->utcb->items = nova_utcb_items(20, 0);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 20; i++)
                EXPECT_EQ(self->utcb->word[i], 0x1000 + i);
}
