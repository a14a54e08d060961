/* SPDX-License-Identifier: BSD-2-Clause */
/* Message builders and readers stay inside the data area for any value of the items word. */
#include "nova/utcb.h"

#include <gtest/gtest.h>
#include <random>

#include "guarded_utcb.h"

namespace
{

class utcb : public guarded_utcb
{
};

TEST_F(utcb, words_arrive_in_order)
{
        EXPECT_TRUE(nova_utcb_put(u, 11));
        EXPECT_TRUE(nova_utcb_put(u, 22));

        nova_word_t word = 0;
        EXPECT_EQ(nova_utcb_word_count(u), 2u);
        EXPECT_TRUE(nova_utcb_get(u, 1, &word));
        EXPECT_EQ(word, 22u);
        EXPECT_FALSE(nova_utcb_get(u, 2, &word));
        EXPECT_EQ(word, 22u);
}

TEST_F(utcb, takes_as_many_words_as_the_page_has)
{
        for (unsigned i = 0; i < NOVA_UTCB_WORDS; i++)
                ASSERT_TRUE(nova_utcb_put(u, i));
        EXPECT_FALSE(nova_utcb_put(u, 0));
        EXPECT_EQ(u->items, nova_utcb_items(NOVA_UTCB_WORDS, 0));
        EXPECT_FALSE(nova_utcb_translate(u, 0));
        EXPECT_EQ(u->word[NOVA_UTCB_WORDS - 1], NOVA_UTCB_WORDS - 1);
}

TEST_F(utcb, takes_as_many_items_as_the_page_has)
{
        for (unsigned i = 0; i < NOVA_UTCB_TYPED_MAX; i++)
                ASSERT_TRUE(nova_utcb_translate(u, nova_crd(NOVA_CRD_OBJ, i, 0, 0)));
        EXPECT_FALSE(nova_utcb_translate(u, 0));
        EXPECT_FALSE(nova_utcb_put(u, 0));
        EXPECT_EQ(u->items, nova_utcb_items(0, NOVA_UTCB_TYPED_MAX));
}

TEST_F(utcb, an_item_needs_two_free_words)
{
        for (unsigned i = 0; i < NOVA_UTCB_WORDS - 1; i++)
                ASSERT_TRUE(nova_utcb_put(u, i));
        EXPECT_FALSE(nova_utcb_delegate(u, 1, 2, 0));
        EXPECT_EQ(nova_utcb_typed(u->items), 0u);
}

TEST_F(utcb, the_first_item_lies_at_the_end_of_the_page)
{
        ASSERT_TRUE(nova_utcb_delegate(u, 0x1234, 5, NOVA_ITEM_H));
        ASSERT_TRUE(nova_utcb_translate(u, 0x5678));

        const nova_word_t *end = reinterpret_cast<nova_word_t *>(u + 1);
        EXPECT_EQ(end[-2], 0x1234u);
        EXPECT_EQ(end[-1], 5u << 12 | NOVA_ITEM_H | NOVA_ITEM_DELEGATE);
        EXPECT_EQ(end[-4], 0x5678u);
        EXPECT_EQ(end[-3], 0u);

        nova_item item = {};
        ASSERT_TRUE(nova_utcb_get_item(u, 0, &item));
        EXPECT_TRUE(nova_item_is_delegate(item));
        ASSERT_TRUE(nova_utcb_get_item(u, 1, &item));
        EXPECT_FALSE(nova_item_is_delegate(item));
        EXPECT_FALSE(nova_utcb_get_item(u, 2, &item));
}

TEST_F(utcb, counts_that_exceed_the_page_are_cut_and_items_come_first)
{
        u->items = nova_utcb_items(0xffff, 0xffff);
        EXPECT_EQ(nova_utcb_item_count(u), NOVA_UTCB_TYPED_MAX);
        EXPECT_EQ(nova_utcb_word_count(u), 0u);
        EXPECT_FALSE(nova_utcb_put(u, 0));
        EXPECT_FALSE(nova_utcb_translate(u, 0));

        u->items = nova_utcb_items(0xffff, 3);
        EXPECT_EQ(nova_utcb_word_count(u), NOVA_UTCB_WORDS - 6);
        nova_word_t word;
        EXPECT_TRUE(nova_utcb_get(u, NOVA_UTCB_WORDS - 7, &word));
        EXPECT_FALSE(nova_utcb_get(u, NOVA_UTCB_WORDS - 6, &word));
}

TEST_F(utcb, clearing_keeps_the_windows)
{
        nova_utcb_set_windows(u, 1, 2);
        nova_utcb_put(u, 3);
        nova_utcb_clear(u);
        EXPECT_EQ(u->items, 0u);
        EXPECT_EQ(u->translate_window, 1u);
        EXPECT_EQ(u->delegate_window, 2u);
}

TEST_F(utcb, items_of_an_event_reply_leave_the_state_alone)
{
        nova_utcb_event_reply(u, NOVA_MTD_EIP);
        u->state.idtr.base = 77;
        while (nova_utcb_delegate(u, ~static_cast<nova_word_t>(0), 0, 0))
                continue;
        EXPECT_EQ(u->state.mtd, static_cast<nova_word_t>(NOVA_MTD_EIP));
        EXPECT_EQ(u->state.idtr.base, 77u);
        EXPECT_EQ(nova_utcb_item_count(u), (NOVA_UTCB_WORDS - NOVA_UTCB_STATE_WORDS) / 2);
}

TEST_F(utcb, a_range_becomes_as_many_items_as_fit_and_the_rest_stays)
{
        const nova_word_t pages = 1000000 + 5;
        nova_crd_range range = {NOVA_CRD_MEM, NOVA_MEM_R, 1, 1, pages};
        nova_sel_t next = 1;
        unsigned messages = 0;
        bool whole = false;

        for (; !whole; messages++) {
                nova_item item = {};

                ASSERT_LT(messages, 100u);
                nova_utcb_clear(u);
                while (nova_utcb_room(u) > 10) /* room for five items */
                        nova_utcb_put(u, 0);
                whole = nova_utcb_delegate_range(u, &range, NOVA_ITEM_H);
                for (unsigned i = 0; nova_utcb_get_item(u, i, &item); i++) {
                        ASSERT_EQ(nova_crd_base(item.crd), next);
                        ASSERT_EQ(item.flags, next << 12 | NOVA_ITEM_H | NOVA_ITEM_DELEGATE);
                        next += nova_crd_count(item.crd);
                }
                ASSERT_EQ(range.base, next);
        }
        EXPECT_EQ(next, 1 + pages);
        EXPECT_EQ(range.count, 0u);
        EXPECT_GT(messages, 3u);
}

TEST_F(utcb, a_range_that_just_fits_is_delegated_completely)
{
        nova_crd_range range = nova_crd_range_obj(3, 3, 2, NOVA_SM_UP);

        while (nova_utcb_room(u) > 4)
                nova_utcb_put(u, 0);
        EXPECT_TRUE(nova_utcb_delegate_range(u, &range, 0));
        EXPECT_EQ(nova_utcb_item_count(u), 2u);
        EXPECT_TRUE(nova_utcb_delegate_range(u, &range, 0));
        range.count = 1;
        EXPECT_FALSE(nova_utcb_delegate_range(u, &range, 0));
}

TEST_F(utcb, only_a_descriptor_of_the_wanted_kind_counts_as_received)
{
        const nova_crd_t crd = nova_crd_obj(40, 0, NOVA_SM_UP);
        nova_crd_t got = 1;

        nova_utcb_delegate(u, crd, 0, NOVA_ITEM_H);
        nova_utcb_translate(u, crd);
        nova_utcb_delegate(u, nova_crd_null(), 0, 0);
        nova_utcb_delegate(u, nova_crd_obj(40, 0, 0), 0, 0);
        EXPECT_FALSE(nova_utcb_received(u, 0, NOVA_ITEM_TRANSLATE, NOVA_CRD_OBJ, &got));
        EXPECT_FALSE(nova_utcb_received(u, 0, NOVA_ITEM_DELEGATE, NOVA_CRD_MEM, &got));
        EXPECT_FALSE(nova_utcb_received(u, 1, NOVA_ITEM_DELEGATE, NOVA_CRD_OBJ, &got));
        EXPECT_FALSE(nova_utcb_received(u, 2, NOVA_ITEM_DELEGATE, NOVA_CRD_OBJ, &got));
        EXPECT_FALSE(nova_utcb_received(u, 2, NOVA_ITEM_DELEGATE, NOVA_CRD_NULL, &got));
        EXPECT_FALSE(nova_utcb_received(u, 3, NOVA_ITEM_DELEGATE, NOVA_CRD_OBJ, &got));
        EXPECT_FALSE(nova_utcb_received(u, 4, NOVA_ITEM_DELEGATE, NOVA_CRD_OBJ, &got));
        EXPECT_FALSE(nova_utcb_received(u, ~0u, NOVA_ITEM_DELEGATE, NOVA_CRD_OBJ, &got));
        EXPECT_EQ(got, 1u);
        EXPECT_TRUE(nova_utcb_received(u, 0, NOVA_ITEM_DELEGATE, NOVA_CRD_OBJ, &got));
        EXPECT_EQ(got, crd);
        got = 1;
        EXPECT_TRUE(nova_utcb_received(u, 1, NOVA_ITEM_TRANSLATE, NOVA_CRD_OBJ, &got));
        EXPECT_EQ(got, crd);
}

TEST_F(utcb, random_items_words_lead_to_no_access_outside_the_page)
{
        std::mt19937_64 random{99};

        for (unsigned round = 0; round < 20000; round++) {
                nova_crd_range range = {NOVA_CRD_OBJ, 1, random() % 64, random() % 64,
                                        random() % 4096};
                nova_item item;
                nova_word_t word;

                u->items = random() >> random() % 64;
                const unsigned items = nova_utcb_item_count(u), words = nova_utcb_word_count(u);

                ASSERT_LE(words + 2 * items, NOVA_UTCB_WORDS + 0u);
                ASSERT_EQ(nova_utcb_get_item(u, items, &item), false);
                ASSERT_EQ(nova_utcb_get(u, words, &word), false);
                for (unsigned i = 0; i < items; i++)
                        ASSERT_TRUE(nova_utcb_get_item(u, i, &item));
                nova_utcb_delegate_range(u, &range, 0);
                while (nova_utcb_put(u, round))
                        continue;
                ASSERT_FALSE(nova_utcb_put_item(u, item));
        }
}

} // namespace
