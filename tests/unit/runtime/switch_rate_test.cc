/* SPDX-License-Identifier: BSD-2-Clause */
/* The rates of a switch's clients, and the arguments that name them. */
extern "C" {
#include "options.h"
}

#include <gtest/gtest.h>

namespace
{

constexpr uint64_t second = 1000000000, start = 5 * second;

/* Returns the number of frames that a client sends in a time if it tries all the time. */
unsigned sent_in(rate &r, uint64_t from, uint64_t to, uint32_t bytes)
{
        unsigned sent = 0;

        for (uint64_t now = from; now < to; now += 10000)
                while (rate_allows(&r, now)) {
                        rate_charge(&r, now, bytes);
                        sent++;
                }
        return sent;
}

} // namespace

TEST(switch_rate, a_client_sends_its_bytes_per_second_and_not_more)
{
        rate r = {1538000, 0}; /* 1000 frames of 1514 bytes and the bytes that a cable adds */

        EXPECT_EQ(sent_in(r, start, start + second, 1514), 1000U + 20) << "and what it saved";
        EXPECT_NEAR(sent_in(r, start + second, start + 2 * second, 1514), 1000, 1);
}

TEST(switch_rate, small_frames_count_as_on_a_cable)
{
        rate r = {84000, 0};

        EXPECT_NEAR(sent_in(r, start, start + second, 14), 1021, 1);
        EXPECT_NEAR(sent_in(r, start + second, start + 2 * second, 0), 1000, 1) << "malformed";
}

TEST(switch_rate, an_idle_client_saves_20_ms)
{
        rate r = {1538000, 0};

        sent_in(r, start, start + second, 1514);
        EXPECT_NEAR(sent_in(r, start + 10 * second, start + 10 * second + 1, 1514), 21, 1);
}

TEST(switch_rate, the_least_and_the_largest_rate_do_not_overflow)
{
        rate least = {1, 0}, largest = {1ull << 40, 0};

        EXPECT_EQ(sent_in(least, start, start + second, 1514), 1U);
        EXPECT_GT(least.ready_ns, start + 1000 * second);
        EXPECT_LT(least.ready_ns, start + 2000 * second);
        rate_charge(&largest, start, 1514);
        EXPECT_TRUE(rate_allows(&largest, start));
}

TEST(switch_rate, is_a_number_with_or_without_a_letter)
{
        EXPECT_EQ(rate_read("1"), 1U);
        EXPECT_EQ(rate_read("1500"), 1500U);
        EXPECT_EQ(rate_read("4K"), 4096U);
        EXPECT_EQ(rate_read("3M"), 3U << 20);
        EXPECT_EQ(rate_read("1024G"), 1ull << 40);
        for (const char *text : {"", "0", "0K", "K", "-1", "+1", " 1", "1k", "1KB", "1 K", "1025G",
                                 "1099511627777", "99999999999999999999"})
                EXPECT_EQ(rate_read(text), 0U) << text;
}

TEST(switch_options, name_clients_by_8_characters)
{
        EXPECT_TRUE(options_read("open=guests-of-linux"));
        EXPECT_TRUE(options_read("rate=guest:4M"));
        EXPECT_TRUE(options_read("rate=guests-of-linux:1K"));
        EXPECT_TRUE(options_is_open("guests-o"));
        EXPECT_FALSE(options_is_open("guest"));
        ASSERT_TRUE(options_find_rate("guest"));
        EXPECT_EQ(options_find_rate("guest")->per_second, 4U << 20);
        ASSERT_TRUE(options_find_rate("guests-o"));
        EXPECT_EQ(options_find_rate("guests-o")->per_second, 1024U);
        EXPECT_FALSE(options_find_rate("gues"));
        EXPECT_FALSE(options_find_rate("other"));
        for (const char *word : {"rate=guest", "rate=:1", "rate=guest:", "rate=guest:0",
                                 "open=", "opens=a", "rates=a:1", ""})
                EXPECT_FALSE(options_read(word)) << word;
        for (unsigned i = 2; i < RATES_MAX; i++)
                EXPECT_TRUE(options_read("rate=x:1"));
        EXPECT_FALSE(options_read("rate=x:1"));
        for (unsigned i = 1; i < OPEN_MAX; i++)
                EXPECT_TRUE(options_read("open=x"));
        EXPECT_FALSE(options_read("open=x"));
}
