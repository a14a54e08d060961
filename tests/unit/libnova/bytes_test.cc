/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, bytes and texts in messages arrive whole or not at all, and no access leaves the UTCB or a
 * buffer, whatever a sender has written. */
#include "nova/utcb.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "guarded_utcb.h"

namespace
{

constexpr size_t word_bytes = sizeof(nova_word_t);

class bytes : public guarded_utcb
{
      protected:
        std::string read(unsigned &at, size_t room)
        {
                std::vector<char> to(room + 8, '!');
                size_t length = 0;

                if (!nova_utcb_get_bytes(u, &at, to.data(), room, &length))
                        return "refused";
                for (size_t i = room; i < to.size(); i++)
                        EXPECT_EQ(to[i], '!');
                return std::string(to.data(), length);
        }
};

TEST_F(bytes, of_every_length_come_back_and_the_rest_of_the_last_word_is_0)
{
        for (size_t size = 0; size < 5 * word_bytes; size++) {
                const std::string sent(size, 'x');
                unsigned at = 0;

                std::memset(u->word, 0xff, sizeof(u->word));
                nova_utcb_clear(u);
                ASSERT_TRUE(nova_utcb_put_bytes(u, sent.data(), size));
                ASSERT_EQ(nova_utcb_word_count(u), nova_utcb_bytes_words(size));
                EXPECT_EQ(read(at, size), sent);
                EXPECT_EQ(at, nova_utcb_word_count(u));

                const char *data = reinterpret_cast<const char *>(&u->word[1]);
                for (size_t i = size; i < (at - 1) * word_bytes; i++)
                        EXPECT_EQ(data[i], 0);
                EXPECT_EQ(u->word[at], ~static_cast<nova_word_t>(0));
        }
}

TEST_F(bytes, that_fill_the_page_fit_and_one_more_does_not)
{
        const std::string most((NOVA_UTCB_WORDS - 1) * word_bytes, 'm');
        unsigned at = 0;

        EXPECT_FALSE(nova_utcb_put_bytes(u, (most + "1").data(), most.size() + 1));
        EXPECT_EQ(u->items, 0u);
        EXPECT_EQ(u->word[0], 0u);
        ASSERT_TRUE(nova_utcb_put_bytes(u, most.data(), most.size()));
        EXPECT_EQ(nova_utcb_room(u), 0u);
        EXPECT_FALSE(nova_utcb_put_bytes(u, nullptr, 0));
        EXPECT_FALSE(nova_utcb_put_bytes(u, nullptr, SIZE_MAX));
        EXPECT_EQ(read(at, most.size()), most);
}

TEST_F(bytes, do_not_run_into_typed_items)
{
        ASSERT_TRUE(nova_utcb_translate(u, 77));

        const std::string most((NOVA_UTCB_WORDS - 3) * word_bytes, 'm');

        EXPECT_FALSE(nova_utcb_put_bytes(u, (most + "1").data(), most.size() + 1));
        EXPECT_TRUE(nova_utcb_put_bytes(u, most.data(), most.size()));
        EXPECT_EQ(u->word[nova_utcb_item_index(0)], 77u);
}

TEST_F(bytes, that_do_not_fit_the_buffer_are_left_where_they_are)
{
        unsigned at = 0;

        ASSERT_TRUE(nova_utcb_put_bytes(u, "abcdef", 6));
        EXPECT_EQ(read(at, 5), "refused");
        EXPECT_EQ(at, 0u);
        EXPECT_EQ(read(at, 6), "abcdef");
        EXPECT_EQ(read(at, 6), "refused");
}

TEST_F(bytes, whose_number_exceeds_the_message_are_refused)
{
        const nova_word_t sizes[] = {2 * word_bytes + 1,
                                     NOVA_UTCB_WORDS * word_bytes,
                                     NOVA_PAGE_SIZE,
                                     ~static_cast<nova_word_t>(0),
                                     ~static_cast<nova_word_t>(0) - word_bytes,
                                     ~static_cast<nova_word_t>(0) / word_bytes};
        unsigned at = 0;

        u->items = nova_utcb_items(3, 0);
        for (nova_word_t size : sizes) {
                u->word[0] = size;
                EXPECT_EQ(read(at, 2 * NOVA_PAGE_SIZE), "refused") << size;
        }
        u->word[0] = 2 * word_bytes;
        EXPECT_EQ(read(at, NOVA_PAGE_SIZE).size(), 2 * word_bytes);
        EXPECT_EQ(at, 3u);
        for (unsigned wrong : {3u, 4u, NOVA_UTCB_WORDS + 0u, ~0u}) {
                at = wrong;
                EXPECT_EQ(read(at, NOVA_PAGE_SIZE), "refused");
                EXPECT_EQ(at, wrong);
        }
}

TEST_F(bytes, texts_come_back_with_their_end)
{
        char to[8] = "1234567";
        unsigned at = 0;

        ASSERT_TRUE(nova_utcb_put_string(u, "first"));
        ASSERT_TRUE(nova_utcb_put_string(u, ""));
        EXPECT_FALSE(nova_utcb_get_string(u, &at, to, 5));
        EXPECT_FALSE(nova_utcb_get_string(u, &at, to, 0));
        EXPECT_STREQ(to, "1234567");
        ASSERT_TRUE(nova_utcb_get_string(u, &at, to, 6));
        EXPECT_STREQ(to, "first");
        EXPECT_EQ(to[6], '7');
        ASSERT_TRUE(nova_utcb_get_string(u, &at, to, 1));
        EXPECT_STREQ(to, "");
        EXPECT_FALSE(nova_utcb_get_string(u, &at, to, sizeof(to)));
}

TEST_F(bytes, texts_with_a_0_inside_are_refused)
{
        char to[8] = "";
        unsigned at = 0;

        ASSERT_TRUE(nova_utcb_put_bytes(u, "a\0b", 3));
        EXPECT_FALSE(nova_utcb_get_string(u, &at, to, sizeof(to)));
        EXPECT_EQ(at, 0u);
}

TEST_F(bytes, texts_that_are_longer_than_a_page_are_refused)
{
        EXPECT_FALSE(nova_utcb_put_string(u, std::string(3 * NOVA_PAGE_SIZE, 't').c_str()));
        EXPECT_EQ(u->items, 0u);
}

TEST_F(bytes, words_of_an_array_all_fit_or_none)
{
        const std::vector<nova_word_t> words(NOVA_UTCB_WORDS, 5);
        unsigned at = 0;
        nova_word_t word = 0;

        ASSERT_TRUE(nova_utcb_put(u, 1));
        EXPECT_FALSE(nova_utcb_put_words(u, words.data(), words.size()));
        EXPECT_FALSE(nova_utcb_put_words(u, words.data(), SIZE_MAX));
        EXPECT_EQ(nova_utcb_word_count(u), 1u);
        EXPECT_TRUE(nova_utcb_put_words(u, words.data(), words.size() - 1));
        EXPECT_EQ(nova_utcb_room(u), 0u);
        ASSERT_TRUE(nova_utcb_next(u, &at, &word));
        EXPECT_EQ(word, 1u);
        while (nova_utcb_next(u, &at, &word))
                ASSERT_EQ(word, 5u);
        EXPECT_EQ(at, NOVA_UTCB_WORDS + 0u);
}

TEST_F(bytes, of_64_bits_come_back_on_every_width)
{
        uint64_t value = 0;
        unsigned at = 0;

        while (nova_utcb_put_u64(u, 0xfedcba9876543210 + at))
                at++;
        EXPECT_EQ(at, NOVA_UTCB_WORDS * word_bytes / 8);
        at = 0;
        for (unsigned i = 0; i < NOVA_UTCB_WORDS * word_bytes / 8; i++) {
                ASSERT_TRUE(nova_utcb_next_u64(u, &at, &value));
                EXPECT_EQ(value, 0xfedcba9876543210 + i);
        }
        EXPECT_FALSE(nova_utcb_next_u64(u, &at, &value));
        at = ~0u;
        EXPECT_FALSE(nova_utcb_next_u64(u, &at, &value));
}

TEST_F(bytes, hostile_messages_are_read_within_their_bounds)
{
        std::mt19937_64 random{4711};
        char *buffer = new char[NOVA_PAGE_SIZE];

        for (unsigned round = 0; round < 20000; round++) {
                unsigned at = static_cast<unsigned>(random() % 1100), before = at;
                nova_text text = {nullptr, 0};
                size_t length = 0;

                u->items = random() >> random() % 64;
                for (nova_word_t &word : u->word)
                        word = random() >> random() % 64;
                const size_t room = random() % NOVA_PAGE_SIZE;

                if (nova_utcb_next_bytes(u, &at, &text)) {
                        ASSERT_GE(text.begin, reinterpret_cast<char *>(u->word));
                        ASSERT_LE(text.begin + text.length, reinterpret_cast<char *>(u + 1));
                        ASSERT_LE(at, nova_utcb_word_count(u));
                }
                at = before;
                nova_utcb_get_bytes(u, &at, buffer, room, &length);
                ASSERT_LE(length, room);
                at = before;
                if (nova_utcb_get_string(u, &at, buffer, room)) {
                        ASSERT_LT(std::strlen(buffer), room);
                }
                nova_utcb_put_bytes(u, buffer, room);
                nova_utcb_put_string(u, "a text");
                nova_utcb_put_u64(u, room);
                ASSERT_LE(nova_utcb_word_count(u) + 2 * nova_utcb_item_count(u),
                          NOVA_UTCB_WORDS + 0u);
        }
        delete[] buffer;
}

} // namespace
