/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that needs a frame when it has none left. */
#include <vector>

#include <gtest/gtest.h>

extern "C" {
#include "room.h"
}

namespace
{

constexpr size_t frames = 1024, page = 4096, block = 512;

class room_test : public testing::Test
{
      protected:
        void SetUp() override
        {
                SetUp(0);
        }

        void SetUp(size_t kept)
        {
                memory.assign((frames + block) * page, 0);
                ASSERT_TRUE(room_begin(memory.data(), frames, kept));
        }

        void TearDown() override
        {
                room_end();
        }

        std::vector<uint8_t> memory;
};

TEST_F(room_test, is_made_by_moving_one_page_out)
{
        EXPECT_EQ(room_need_page(), nullptr);
        EXPECT_EQ(room_asked, 1u);
        EXPECT_EQ(room_waits, 0u);
}

TEST_F(room_test, waits_for_an_exit_of_a_virtual_cpu_whose_reply_may_map_all_pages)
{
        room_maps = true;
        EXPECT_EQ(room_need_page(), nullptr);
        EXPECT_EQ(room_asked, 2u);
        EXPECT_EQ(room_waits, 1u);
}

TEST_F(room_test, is_not_there_if_the_vmm_moves_no_page_out)
{
        room_refuses = true;
        EXPECT_STREQ(room_need_page(),
                     "no secure memory is left for it, and its VMM moves no page out");
        EXPECT_EQ(room_asked, 64u);
}

TEST_F(room_test, is_made_in_another_slot_if_the_vmm_moves_no_page_of_one_out)
{
        room_end();
        SetUp(100);
        EXPECT_EQ(room_need_page(), nullptr);
        EXPECT_EQ(room_asked, 2u);
}

TEST_F(room_test, is_searched_in_each_slot)
{
        room_end();
        SetUp(100);
        room_refuses = true;
        EXPECT_STREQ(room_need_page(),
                     "no secure memory is left for it, and its VMM moves no page out");
        EXPECT_EQ(room_asked, 2 * 64u);
}

TEST_F(room_test, is_searched_in_parts_and_the_machine_pauses_between_two_of_them)
{
        room_begin_search_at(frames); /* the second half of the slot has no frames */
        EXPECT_EQ(room_need_page(), nullptr);
        EXPECT_EQ(room_asked, 1u);
        EXPECT_EQ(room_pauses, frames / 64u);
}

} // namespace
