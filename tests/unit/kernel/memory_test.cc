// SPDX-License-Identifier: BSD-2-Clause
// Frames, slabs and accounts: all memory can be allocated, none twice, and all of it is freed.
#include <gtest/gtest.h>

#include <set>
#include <vector>

extern "C" {
#include "fake.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "memory/slab.h"
}

namespace
{

constexpr unsigned FRAMES = 64;

TEST(frame, gives_each_frame_once_and_takes_all_back)
{
        fake_boot(FRAMES);
        const word_t free = frame_count_free();
        EXPECT_GT(free, FRAMES - 8u);
        for (unsigned round = 0; round < 3; round++) {
                std::set<void *> taken;
                while (void *frame = frame_alloc()) {
                        EXPECT_EQ(reinterpret_cast<word_t>(frame) % PAGE_SIZE, 0u);
                        EXPECT_TRUE(taken.insert(frame).second);
                        EXPECT_EQ(frame_by_index(frame_index(frame)), frame);
                        frame_info(frame)->next = frame_index(frame);
                }
                EXPECT_EQ(taken.size(), free);
                EXPECT_EQ(frame_count_free(), 0u);
                EXPECT_EQ(frame_alloc_zeroed(), nullptr);
                for (void *frame : taken) {
                        EXPECT_EQ(frame_info(frame)->next, frame_index(frame));
                        frame_free(frame);
                }
                EXPECT_EQ(frame_count_free(), free);
        }
}

TEST(frame, fills_with_zeros)
{
        fake_boot(FRAMES);
        for (unsigned round = 0; round < 2; round++) {
                char *frame = static_cast<char *>(frame_alloc_zeroed());
                for (unsigned i = 0; i < PAGE_SIZE; i++)
                        ASSERT_EQ(frame[i], 0);
                memset(frame, 0xff, PAGE_SIZE);
                frame_free(frame);
        }
}

TEST(frame, aligns_blocks_at_boot_and_loses_nothing_between_them)
{
        fake_boot(FRAMES);
        const word_t free = frame_count_free();
        void *block = frame_alloc_boot(3);
        ASSERT_NE(block, nullptr);
        EXPECT_EQ(reinterpret_cast<word_t>(block) % (8 * PAGE_SIZE), 0u);
        EXPECT_EQ(frame_alloc_boot(10), nullptr);
        EXPECT_EQ(frame_count_free(), free - 8);
        word_t taken = 0;
        while (frame_alloc())
                taken++;
        EXPECT_EQ(taken, free - 8);
}

class slab : public testing::TestWithParam<size_t>
{
};

TEST_P(slab, gives_each_object_once_until_frames_run_out)
{
        fake_boot(FRAMES);
        const word_t free = frame_count_free();
        slab_cache cache;
        slab_init(&cache, GetParam());
        for (unsigned round = 0; round < 3; round++) {
                std::vector<char *> taken;
                std::set<char *> places;
                while (char *object = static_cast<char *>(slab_alloc(&cache))) {
                        EXPECT_EQ(reinterpret_cast<word_t>(object) % (GetParam() % 64 ? 32 : 64),
                                  0u);
                        memset(object, static_cast<int>(taken.size()), GetParam());
                        EXPECT_TRUE(places.insert(object).second);
                        taken.push_back(object);
                }
                EXPECT_EQ(taken.size(), free * cache.slots);
                for (size_t i = 0; i < taken.size(); i++)
                        for (size_t j = 0; j < GetParam(); j++)
                                ASSERT_EQ(taken[i][j], static_cast<char>(i));
                for (size_t i = 0; i < taken.size(); i += 2)
                        slab_free(&cache, taken[i]);
                for (size_t i = 1; i < taken.size(); i += 2)
                        slab_free(&cache, taken[i]);
                EXPECT_EQ(frame_count_free(), free - 1); // one empty frame stays
        }
}

INSTANTIATE_TEST_SUITE_P(sizes, slab,
                         testing::Values(1, 64, 65, 200, 1000, 2016, 2017, SLAB_SIZE_MAX),
                         testing::PrintToStringParamName());

TEST(account, charges_up_to_its_limit_and_no_more)
{
        account one = {0, 1000, 0, nullptr, 0, false, 0};
        EXPECT_TRUE(account_charge(&one, 400));
        EXPECT_FALSE(account_charge(&one, 601));
        EXPECT_EQ(one.used, 400u);
        EXPECT_TRUE(account_charge(&one, 600));
        EXPECT_FALSE(account_charge(&one, 1));
        account_return(&one, 600);
        EXPECT_TRUE(account_charge(&one, 1));
        account_return(&one, 1);
        account_return(&one, 400);
        EXPECT_EQ(one.used, 0u);
}

} // namespace
