/* SPDX-License-Identifier: BSD-2-Clause */
/* Message builders and readers: they keep to the data area whatever the items word says. */
#include "nova/utcb.h"

#include <gtest/gtest.h>

namespace
{

class utcb : public testing::Test
{
      protected:
        struct {
                nova_word_t before = 0x5a5a;
                nova_utcb utcb = {};
                nova_word_t after = 0xa5a5;
        } page;
        nova_utcb *u = &page.utcb;

        void TearDown() override
        {
                EXPECT_EQ(page.before, 0x5a5au);
                EXPECT_EQ(page.after, 0xa5a5u);
        }
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

} // namespace
