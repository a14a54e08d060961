/* SPDX-License-Identifier: BSD-2-Clause */
/* Results of reads of the driver `virtio-blk`. */
extern "C" {
#include "virtio_blk_fake.h"
}

#include <cerrno>
#include <climits>
#include <gtest/gtest.h>

namespace
{
constexpr int GOOD = 0, FAILED = 1, NEVER = -1;
constexpr char ONE[20] = "one";
} // namespace

TEST(virtio_blk, disks_with_other_serial_numbers_differ)
{
        const uint64_t one = fake_identity(ONE);

        EXPECT_NE(one, 0U);
        EXPECT_NE(one, fake_identity("two\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
        EXPECT_EQ(one, fake_identity(ONE));
        EXPECT_EQ(fake_identity(nullptr), 0U) << "the device has none";
        EXPECT_EQ(fake_identity("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0U);
}

TEST(virtio_blk, a_device_that_does_not_answer_has_no_serial_number)
{
        ASSERT_NE(fake_identity(ONE), 0U); /* the driver keeps its variables */
        EXPECT_EQ(fake_silent(UINT_MAX, ONE), 0U);
}

TEST(virtio_blk, a_device_that_answers_late_has_its_serial_number)
{
        const uint64_t one = fake_identity(ONE);

        ASSERT_EQ(fake_identity(nullptr), 0U); /* the driver keeps its variables */
        EXPECT_EQ(fake_silent(1, ONE), one);
}

TEST(virtio_blk, a_slow_device_has_its_serial_number)
{
        const uint64_t one = fake_identity(ONE);

        for (uint64_t ns = 100000000; ns < 2000000000; ns += 100000000) {
                ASSERT_EQ(fake_identity(nullptr), 0U); /* the driver keeps its variables */
                EXPECT_EQ(fake_slow(ns, ONE), one) << ns;
        }
}

TEST(virtio_blk, a_device_that_answers_no_request_is_not_offered)
{
        const uint64_t one = fake_identity(ONE);

        EXPECT_EQ(fake_stalled(UINT32_MAX, ONE), FAKE_FAILED);
        EXPECT_EQ(fake_stalled(0xd, ONE), FAKE_FAILED) << "it answers only the first read";
        EXPECT_EQ(fake_identity(ONE), one) << "the next driver";
}

TEST(virtio_blk, a_device_that_answers_again_has_its_serial_number)
{
        const uint64_t one = fake_identity(ONE);

        ASSERT_EQ(fake_identity(nullptr), 0U); /* the driver keeps its variables */
        EXPECT_EQ(fake_stalled(1, ONE), one);
}

TEST(virtio_blk_read, succeeds_whether_or_not_the_device_counts_the_status)
{
        EXPECT_EQ(fake_read(8, 8 * 512 + 1, GOOD), 0);
        EXPECT_EQ(fake_read(8, 8 * 512, GOOD), 0) << "only the data";
}

TEST(virtio_blk_read, fails_without_all_data_or_a_status)
{
        EXPECT_EQ(fake_read(8, 8 * 512 - 1, GOOD), EIO);
        EXPECT_EQ(fake_read(8, 0, GOOD), EIO);
        EXPECT_EQ(fake_read(8, 8 * 512 + 1, FAILED), EIO);
        EXPECT_EQ(fake_read(8, 8 * 512, NEVER), EIO);
}
