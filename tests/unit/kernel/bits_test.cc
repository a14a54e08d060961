// SPDX-License-Identifier: BSD-2-Clause
// Bits, alignments and lists.
#include <gtest/gtest.h>

extern "C" {
#include "divide.h"
#include "lib/bits.h"
#include "lib/list.h"
}

namespace
{

TEST(bits, finds_the_highest_and_the_lowest_bit)
{
        for (unsigned i = 0; i < 64; i++) {
                const word_t bit = word_t{1} << i;
                EXPECT_EQ(bit_highest(bit), i);
                EXPECT_EQ(bit_highest(bit | 1), i);
                EXPECT_EQ(bit_lowest_u64(bit), i);
                EXPECT_EQ(bit_lowest_u64(~uint64_t{0} << i), i);
                EXPECT_EQ(bit_lowest_u64(uint64_t{1} << i | uint64_t{1} << 63), i);
        }
}

TEST(bits, aligns_down)
{
        EXPECT_EQ(align_down(0x12345, 4), 0x12340u);
        EXPECT_EQ(align_down(0x12345, 0), 0x12345u);
        EXPECT_EQ(align_down(~word_t{0}, 31), 0xffffffff80000000u);
}

TEST(bits, divides_64_by_32_bits)
{
        const uint64_t values[] = {0,           1, 999, 0xffffffff, 0x100000000, 0x123456789abcdef,
                                   ~uint64_t{0}};
        const uint32_t divisors[] = {1, 2, 3, 1000, 0x80000000, 0xffffffff};
        for (uint64_t value : values)
                for (uint32_t divisor : divisors) {
                        uint32_t rest;
                        EXPECT_EQ(divide(value, divisor, &rest), value / divisor);
                        EXPECT_EQ(rest, value % divisor);
                        EXPECT_EQ(divide(value, divisor, nullptr), value / divisor);
                }
}

TEST(bits, scales_exactly)
{
        const uint64_t edges[] = {0,          0xffffffff,       0x100000000, 1ull << 53,
                                  1ull << 63, ~uint64_t{0} / 3, ~uint64_t{0}};
        for (uint32_t divisor : {1000u, 1001u, 999983u, 2399998u, 3000000u, 0x80000000u, ~0u})
                for (uint64_t edge : edges)
                        for (uint64_t value = edge - 2000; value != edge + 2000; value++) {
                                const auto exact = static_cast<unsigned __int128>(value) * 1000;
                                ASSERT_EQ(scale(value, 1000, divisor),
                                          static_cast<uint64_t>(exact / divisor));
                        }
}

TEST(list, keeps_the_order_of_appending)
{
        list head, entry[3];
        list_init(&head);
        EXPECT_TRUE(list_is_empty(&head));
        for (list &e : entry)
                list_append(&head, &e);
        EXPECT_EQ(head.next, &entry[0]);
        EXPECT_EQ(entry[0].next, &entry[1]);
        EXPECT_EQ(head.prev, &entry[2]);
        list_remove(&entry[1]);
        EXPECT_EQ(entry[0].next, &entry[2]);
        EXPECT_EQ(entry[2].prev, &entry[0]);
        EXPECT_TRUE(list_is_empty(&entry[1]));
        list_remove(&entry[1]); // a second removal is harmless
        list_remove(&entry[0]);
        list_remove(&entry[2]);
        EXPECT_TRUE(list_is_empty(&head));
}

} // namespace
