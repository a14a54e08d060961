/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of the driver `virtio-net`: each one ends, whatever the client submits meanwhile. */
extern "C" {
#include "virtio_net_fake.h"
}

#include <gtest/gtest.h>

namespace
{
constexpr unsigned DEPTH = 32, TURN = 16, ENTRIES = 128;
} // namespace

TEST(virtio_net_turn, ends_although_the_client_submits_malformed_buffers_again_and_again)
{
        EXPECT_TRUE(fake_serve(FAKE_MALFORMED, FAKE_EMPTY)) << "more may be left";
        EXPECT_LE(fake_received, ENTRIES);
        EXPECT_TRUE(fake_serve(FAKE_MALFORMED, FAKE_GOOD));
        EXPECT_LE(fake_received, ENTRIES);
        EXPECT_EQ(fake_sent, TURN) << "frames have their turn";
        EXPECT_TRUE(fake_serve(FAKE_EMPTY, FAKE_MALFORMED));
        EXPECT_EQ(fake_sent, TURN);
}

TEST(virtio_net_turn, takes_all_buffers_for_which_the_device_has_room)
{
        EXPECT_FALSE(fake_serve(FAKE_GOOD, FAKE_EMPTY));
        EXPECT_EQ(fake_received, DEPTH);
        EXPECT_FALSE(fake_serve(FAKE_EMPTY, FAKE_EMPTY));
}
