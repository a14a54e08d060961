/* SPDX-License-Identifier: BSD-2-Clause */
/* The service's side of the rings for frames. Clients write arbitrary values into the rings. */
extern "C" {
#include "net/entry.h"
}

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>

namespace
{

constexpr size_t pool = 0x4000;

int check(uint32_t offset, uint32_t bytes)
{
        const nova_net_entry entry = {offset, bytes, 0, 0};

        return net_entry_check(&entry, pool, NOVA_NET_FRAME_MIN, NOVA_NET_FRAME_MAX, 0);
}

} // namespace

TEST(net, frames_lie_in_the_pool)
{
        EXPECT_EQ(check(0, 60), 0);
        EXPECT_EQ(check(pool - 60, 60), 0);
        EXPECT_EQ(check(pool - 59, 60), EINVAL);
        EXPECT_EQ(check(pool + 1, 60), EINVAL);
        EXPECT_EQ(check(0xfffffff0, 60), EINVAL) << "offset plus size overflows";
        EXPECT_EQ(check(0, 0xffffffff), EINVAL);
}

TEST(net, frames_have_14_to_1514_bytes)
{
        EXPECT_EQ(check(0, 13), EMSGSIZE);
        EXPECT_EQ(check(0, 14), 0);
        EXPECT_EQ(check(0, 1514), 0);
        EXPECT_EQ(check(0, 1515), EMSGSIZE);
}

TEST(net, an_address_of_one_card_is_neither_zeros_nor_that_of_a_group)
{
        EXPECT_TRUE(net_address_is_valid((const uint8_t *)"\x52\x54\x00\x12\x34\x56"));
        EXPECT_TRUE(net_address_is_valid((const uint8_t *)"\x00\x00\x00\x00\x00\x01"));
        EXPECT_FALSE(net_address_is_valid((const uint8_t *)"\x00\x00\x00\x00\x00\x00"));
        EXPECT_FALSE(net_address_is_valid((const uint8_t *)"\x01\x00\x5e\x00\x00\x01"));
        EXPECT_FALSE(net_address_is_valid((const uint8_t *)"\xff\xff\xff\xff\xff\xff"));
}

TEST(net, a_ring_wraps_around_and_a_client_has_at_most_128_requests)
{
        const std::unique_ptr<nova_net_ring> shared = std::make_unique<nova_net_ring>();
        nova_net_entry entry;
        struct ring ring;

        memset(shared.get(), 0, sizeof(*shared));
        net_ring_init(&ring, shared.get());
        EXPECT_EQ(shared->head.magic, NOVA_NET_MAGIC);
        for (uint32_t i = 0; i < 3 * NOVA_NET_ENTRIES; i++) {
                const uint32_t at = i % NOVA_NET_ENTRIES;

                shared->entry[at] = {i, 60, i, 0};
                shared->head.submitted++;
                ASSERT_EQ(ring_take(&ring, &entry, sizeof(entry)), 0);
                EXPECT_EQ(entry.offset, i);
                ring_complete(&ring, entry.tag, 60);
                EXPECT_EQ(shared->completion[at].tag, i);
                EXPECT_EQ(shared->completion[at].result, 60U);
                shared->head.reaped++;
        }
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), EAGAIN);
        shared->head.submitted += NOVA_NET_ENTRIES + 1;
        EXPECT_EQ(ring_take(&ring, &entry, sizeof(entry)), EPROTO);
        EXPECT_EQ(shared->fill[0], 0) << "nothing is written after the ring";
}
