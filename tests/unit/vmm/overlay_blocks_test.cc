/* SPDX-License-Identifier: BSD-2-Clause */
/* Overlay pages cut blocks of RAM into small pages. A guest that moves a page through all of its
 * RAM must not leave all blocks cut, because the kernel needs memory for each piece. */
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <vector>

#include "nova/abi/crd.h"

extern "C" {
#include "overlay.h"
}

namespace
{

constexpr uint64_t block_pages = 512, blocks = 5, page_bytes = 0x1000;
constexpr uint64_t end = blocks * block_pages;
constexpr unsigned cuts_max = 128;

std::vector<uint8_t> ram(end *page_bytes), frames(NOVA_OVERLAYS *page_bytes);

/* Pages of RAM that the guest does not have, or has as small pages; and the blocks that were taken
 * back. */
std::set<uint64_t> pieces;
std::multiset<uint64_t> joined;

struct overlay_blocks : testing::Test {
        nova_guest_memory memory = {};

        void SetUp() override
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                pieces.clear();
                joined.clear();
        }

        void map(uint64_t page, unsigned frame = 0)
        {
                ASSERT_EQ(nova_overlay_map(&memory, page, &frames[frame * page_bytes], NOVA_MEM_R),
                          0);
        }
};

TEST_F(overlay_blocks, a_page_that_moves_through_ram_leaves_whole_blocks)
{
        for (uint64_t page = 0; page < end; page++) {
                map(page);
                ASSERT_LE(pieces.size(), block_pages + cuts_max) << page;
        }
        for (uint64_t block = 0; block + 2 < blocks; block++) {
                EXPECT_GE(joined.count(block), 1u) << block;
                EXPECT_FALSE(novavmm_overlay_is_cut(&memory, block * block_pages)) << block;
        }
        EXPECT_TRUE(novavmm_overlay_is_cut(&memory, end - 1));
}

TEST_F(overlay_blocks, a_block_with_an_overlay_page_stays_cut)
{
        map(3, 1);
        for (uint64_t i = 0; i < 4 * cuts_max; i++)
                map(i % 2 * block_pages + 7);
        EXPECT_EQ(joined.count(0), 0u);
        EXPECT_GE(joined.count(1), 1u);
        EXPECT_TRUE(novavmm_overlay_is_cut(&memory, 0));
        nova_overlay_unmap(&memory, &frames[page_bytes]);
        for (uint64_t i = 0; i < cuts_max; i++)
                map((1 + i % 2) * block_pages);
        EXPECT_EQ(joined.count(0), 1u);
}

/* Most guests set up each overlay page once. Then none of their RAM is taken back. */
TEST_F(overlay_blocks, a_few_overlay_pages_join_nothing)
{
        for (unsigned i = 0; i < NOVA_OVERLAYS; i++)
                map(i * 70, i);
        for (unsigned i = 0; i < NOVA_OVERLAYS; i++)
                nova_overlay_unmap(&memory, &frames[i * page_bytes]);
        EXPECT_TRUE(joined.empty());
}

TEST_F(overlay_blocks, ram_that_others_use_is_not_taken_back)
{
        memory.keeps_cuts = true;
        for (uint64_t page = 0; page < end; page++)
                map(page);
        EXPECT_TRUE(joined.empty());
}

TEST_F(overlay_blocks, the_number_of_cut_blocks_of_such_ram_is_limited)
{
        const nova_overlay *overlay;

        memory.keeps_cuts = true;
        memory.bytes = (NOVA_OVERLAY_BLOCKS + 8) * block_pages * page_bytes;
        for (uint64_t block = 0; block < NOVA_OVERLAY_BLOCKS; block++)
                map(block * block_pages + block);
        EXPECT_EQ(nova_overlay_map(&memory, NOVA_OVERLAY_BLOCKS * block_pages, frames.data(),
                                   NOVA_MEM_R),
                  ENOSPC);
        overlay = nova_overlay_find(&memory,
                                    (NOVA_OVERLAY_BLOCKS - 1) * (block_pages + 1) * page_bytes);
        ASSERT_TRUE(overlay);
        EXPECT_EQ(overlay->frame, frames.data());
        EXPECT_FALSE(novavmm_overlay_is_cut(&memory, NOVA_OVERLAY_BLOCKS * block_pages));
        map(3 * block_pages + 7); /* in a cut block */
}

TEST_F(overlay_blocks, the_rest_of_ram_after_the_last_block_stays_cut)
{
        memory.bytes = (block_pages + 8) * page_bytes;
        for (uint64_t i = 0; i < 2 * cuts_max; i++)
                map(block_pages + i % 8);
        map(0);
        for (uint64_t i = 0; i < 2 * cuts_max; i++)
                map(i % 8);
        EXPECT_TRUE(joined.empty());
        EXPECT_TRUE(novavmm_overlay_is_cut(&memory, block_pages));
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *page, unsigned order)
{
        if (page < ram.data() || page >= ram.data() + ram.size())
                return;

        const auto number = static_cast<uint64_t>(page - ram.data()) / page_bytes;

        if (!order) {
                pieces.insert(number);
                return;
        }
        ASSERT_EQ(order, 9u);
        ASSERT_EQ(number % block_pages, 0u);
        joined.insert(number / block_pages);
        pieces.erase(pieces.lower_bound(number), pieces.lower_bound(number + block_pages));
}
