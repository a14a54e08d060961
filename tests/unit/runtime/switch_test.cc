/* SPDX-License-Identifier: BSD-2-Clause */
/* The decisions of a switch about frames. */
extern "C" {
#include "table.h"
}

#include <array>
#include <gtest/gtest.h>

namespace
{

using address = std::array<uint8_t, NOVA_NET_ADDRESS>;

constexpr unsigned card = 0, other_card = 1, one = 2, two = 3, several = 4;
constexpr address all = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

address number(uint8_t last)
{
        return {2, 0, 0, 0, 0, last};
}

struct switch_table : testing::Test {
        table t = {};
        bool forged = false;

        void SetUp() override
        {
                for (const unsigned index : {card, other_card, one, two, several}) {
                        struct table_port port = {{0}, true, index != one && index != two};

                        for (unsigned i = 0; i < NOVA_NET_ADDRESS; i++)
                                port.address[i] = number((uint8_t)index)[i];
                        table_add(&t, index, &port);
                }
        }

        uint32_t route(unsigned from, const address &to, const address &source)
        {
                std::array<uint8_t, 14> frame = {};

                for (unsigned i = 0; i < NOVA_NET_ADDRESS; i++) {
                        frame[i] = to[i];
                        frame[NOVA_NET_ADDRESS + i] = source[i];
                }
                return table_route(&t, from, frame.data(), &forged);
        }
};

} // namespace

TEST_F(switch_table, frames_between_clients_reach_no_other_port)
{
        EXPECT_EQ(route(one, number(two), number(one)), 1U << two);
        EXPECT_FALSE(forged);
        EXPECT_EQ(route(one, number(one), number(one)), 0U) << "to itself";
        EXPECT_FALSE(forged);
}

TEST_F(switch_table, frames_to_all_reach_all_but_the_sender)
{
        EXPECT_EQ(route(one, all, number(one)), 0x1fU & ~(1U << one));
        EXPECT_EQ(route(card, all, number(99)), 0x1fU & ~(1U << card));
}

TEST_F(switch_table, a_client_has_one_source)
{
        EXPECT_EQ(route(one, number(two), number(two)), 0U);
        EXPECT_TRUE(forged);
        EXPECT_EQ(route(one, number(two), number(99)), 0U);
        EXPECT_TRUE(forged);
}

TEST_F(switch_table, nobody_behind_a_card_has_the_address_of_a_client)
{
        EXPECT_EQ(route(card, number(two), number(one)), 0U);
        EXPECT_TRUE(forged);
        EXPECT_EQ(route(card, number(two), all), 0U) << "no machine has this source";
        EXPECT_TRUE(forged);
        EXPECT_EQ(route(several, number(two), number(one)), 0U);
        EXPECT_TRUE(forged);
}

TEST_F(switch_table, addresses_of_open_ports_are_learned_and_forgotten)
{
        const uint32_t open = 1U << card | 1U << other_card | 1U << several;

        EXPECT_EQ(route(one, number(99), number(one)), open) << "not known yet";
        EXPECT_EQ(route(several, number(one), number(99)), 1U << one);
        EXPECT_EQ(route(one, number(99), number(one)), 1U << several);
        EXPECT_EQ(route(card, number(one), number(99)), 1U << one) << "it has moved";
        EXPECT_EQ(route(one, number(99), number(one)), 1U << card);
        table_remove(&t, card);
        EXPECT_EQ(route(one, number(99), number(one)), open & ~(1U << card));
}

TEST_F(switch_table, a_client_that_has_gone_gets_no_frames)
{
        table_remove(&t, one);
        EXPECT_EQ(route(card, number(one), number(99)), 1U << other_card | 1U << several);
        EXPECT_EQ(route(two, all, number(two)), 1U << card | 1U << other_card | 1U << several);
        EXPECT_EQ(route(card, number(two), number(one)), 1U << two) << "its address is free";
        EXPECT_FALSE(forged);
        table_remove(&t, two);
        table_remove(&t, several);
        EXPECT_EQ(t.end, other_card + 1);
}

TEST_F(switch_table, an_address_with_the_place_of_a_learned_one_is_not_known)
{
        const uint32_t open = 1U << card | 1U << other_card | 1U << several;

        route(card, all, {2, 0, 0, 1, 0, 7});
        EXPECT_EQ(route(one, {2, 0, 0, 1, 0, 7}, number(one)), 1U << card);
        EXPECT_EQ(route(one, {2, 0, 0, 0, 31, 7}, number(one)), open);
}

TEST_F(switch_table, many_sources_replace_others_but_no_client)
{
        for (unsigned i = 0; i < 0x10000; i++)
                route(card, all, {4, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i});
        EXPECT_EQ(route(card, number(two), number(98)), 1U << two);
        EXPECT_EQ(route(one, number(two), number(one)), 1U << two);
}
