// SPDX-License-Identifier: BSD-2-Clause
// The memory map: free ranges, and maps with too many entries.
#include <gtest/gtest.h>

#include "machine.h"

namespace
{

constexpr uint64_t MIB = 1 << 20, PAGE = 0x1000, FOUR_GIB = uint64_t{1} << 32;
constexpr uint32_t AVAILABLE = 1, RESERVED = 2, NVS = 4;

TEST(memory_map, finds_the_highest_free_range_below_the_limit)
{
        Machine m;
        memory_map_add(MIB, 127 * MIB, AVAILABLE);
        memory_map_add(FOUR_GIB, FOUR_GIB, AVAILABLE);
        EXPECT_EQ(memory_map_find(4 * MIB, 2 * MIB, MIB, FOUR_GIB), 124 * MIB);
}

TEST(memory_map, looks_below_memory_that_is_taken)
{
        Machine m;
        memory_map_add(MIB, 127 * MIB, AVAILABLE);
        memory_map_add(126 * MIB, 2 * MIB, RESERVED);
        memory_map_add_module(120 * MIB + 5, 121 * MIB, 0);
        memory_map_take(116 * MIB, MIB, false);
        EXPECT_EQ(memory_map_find(4 * MIB, 2 * MIB, MIB, FOUR_GIB), 122 * MIB);
        EXPECT_EQ(memory_map_find(6 * MIB, 2 * MIB, MIB, FOUR_GIB), 110 * MIB);
}

TEST(memory_map, keeps_away_from_command_lines_of_modules)
{
        Machine m;
        memory_map_add(MIB, 9 * MIB, AVAILABLE);
        memory_map_add_module(2 * MIB, 3 * MIB, 9 * MIB);
        EXPECT_EQ(memory_map_find(MIB, MIB, MIB, FOUR_GIB), 8 * MIB);
}

TEST(memory_map, finds_nothing_where_nothing_fits)
{
        Machine m;
        EXPECT_EQ(memory_map_find(MIB, MIB, MIB, FOUR_GIB), 0u);
        memory_map_add(MIB, MIB - 1, AVAILABLE);
        EXPECT_EQ(memory_map_find(MIB, MIB, 0, FOUR_GIB), 0u);
        memory_map_add(FOUR_GIB - MIB / 2, 8 * MIB, AVAILABLE);
        EXPECT_EQ(memory_map_find(MIB, MIB, 0, FOUR_GIB), 0u);
}

TEST(memory_map, gives_the_pool_a_share_of_memory_within_limits)
{
        for (const auto &[memory, pool] :
             {std::pair{64 * MIB, 4 * MIB}, {1024 * MIB, 64 * MIB}, {20 * FOUR_GIB, 256 * MIB}}) {
                Machine m;
                memory_map_add(MIB, 2048 * MIB, AVAILABLE);
                if (memory < 2048 * MIB)
                        memory_map.entry[0].size = memory;
                else
                        memory_map_add(FOUR_GIB, memory, AVAILABLE);
                EXPECT_EQ(memory_map_choose_pool(0).size, pool);
        }
}

TEST(memory_map, trusts_reserved_more_than_available)
{
        Machine m;
        memory_map_add(MIB, 9 * MIB, AVAILABLE);
        memory_map_add(0, FOUR_GIB, NVS);
        EXPECT_EQ(memory_map_find(MIB, MIB, 0, FOUR_GIB), 0u);
}

TEST(memory_map, cuts_entries_at_the_end_of_all_addresses)
{
        Machine m;
        memory_map_add(UINT64_MAX - 0xfff, UINT64_MAX, AVAILABLE);
        memory_map_add(0, UINT64_MAX, AVAILABLE);
        memory_map_add(5, 0, AVAILABLE);
        ASSERT_EQ(memory_map.entries, 2u);
        EXPECT_EQ(memory_map.entry[0].size, 0x1000u);
        EXPECT_EQ(memory_map_find(MIB, MIB, MIB, FOUR_GIB), FOUR_GIB - MIB);
        EXPECT_TRUE(memory_map_is_ram(UINT64_MAX, 1));
}

TEST(memory_map, merges_reserved_entries_when_it_is_full)
{
        Machine m;
        memory_map_add(MIB, 127 * MIB, AVAILABLE);
        for (unsigned i = 1; i < MEMORY_ENTRIES + 10; i++)
                memory_map_add(FOUR_GIB + i * 2 * MIB, MIB, RESERVED);
        EXPECT_EQ(memory_map.entries, unsigned{MEMORY_ENTRIES});
        EXPECT_EQ(memory_map.merged, 10u);
        EXPECT_EQ(memory_map.dropped, 0u);
        EXPECT_EQ(memory_map_available(), 127 * MIB);
}

TEST(memory_map, never_merges_across_memory_of_another_kind)
{
        Machine m;
        for (unsigned i = 0; i < MEMORY_ENTRIES / 2; i++) {
                memory_map_add(i * 4 * MIB, MIB, AVAILABLE);
                memory_map_add(i * 4 * MIB + 2 * MIB, MIB, RESERVED);
        }
        memory_map_add(MEMORY_ENTRIES / 2 * 4 * MIB, 8 * MIB, AVAILABLE);
        memory_map_add(MEMORY_ENTRIES / 2 * 4 * MIB + 10 * MIB, MIB, RESERVED);
        EXPECT_EQ(memory_map.merged, 0u);
        EXPECT_EQ(memory_map.dropped, 2u);
}

TEST(memory_map, gives_up_the_smallest_available_entry_first)
{
        Machine m;
        memory_map_add(MIB, MIB, AVAILABLE);
        for (unsigned i = 1; i < MEMORY_ENTRIES; i++)
                memory_map_add(i * 8 * MIB, 4 * MIB, AVAILABLE);
        memory_map_add(FOUR_GIB, 64 * MIB, AVAILABLE);
        EXPECT_EQ(memory_map.dropped, 1u);
        EXPECT_FALSE(memory_map_is_ram(MIB, MIB));
        EXPECT_TRUE(memory_map_is_ram(FOUR_GIB, MIB));
}

// Returns the ranges of RAM as pairs of frames.
std::vector<std::pair<uint64_t, uint64_t>> ram()
{
        std::vector<std::pair<uint64_t, uint64_t>> all;
        memory_map_list_ram();
        for (unsigned i = 0; i < ram_range_count; i++)
                all.emplace_back(ram_ranges[i].first, ram_ranges[i].last);
        return all;
}

using Ram = std::vector<std::pair<uint64_t, uint64_t>>;

TEST(memory_map, lists_whole_frames_of_ram_without_what_other_entries_overlap)
{
        Machine m;
        memory_map_add(FOUR_GIB, 2 * MIB, AVAILABLE);
        memory_map_add(0x9fc00, 0x400, RESERVED);
        memory_map_add(0, 0x9fc00, AVAILABLE);
        memory_map_add(MIB + 1, 4 * MIB, AVAILABLE);
        memory_map_add(2 * MIB + 0x800, 0x1000, RESERVED);
        memory_map_add(4 * MIB, 4 * MIB, AVAILABLE);
        memory_map_add(8 * MIB, MIB, AVAILABLE);
        memory_map_add(8 * MIB, 0x1000, NVS);
        memory_map_add(10 * MIB + 1, 0x1ffe, AVAILABLE);
        EXPECT_EQ(ram(), (Ram{{0, 0x9e},
                              {0x101, 0x1ff},
                              {0x202, 0x7ff},
                              {0x801, 0x8ff},
                              {0x100000, 0x1001ff}}));
}

TEST(memory_map, lists_no_ram_where_all_is_reserved_and_ram_up_to_the_last_frame)
{
        {
                Machine m;
                memory_map_add(MIB, MIB, AVAILABLE);
                memory_map_add(0, UINT64_MAX, RESERVED);
                EXPECT_EQ(ram(), Ram{});
        }
        Machine m;
        memory_map_add(0, UINT64_MAX, AVAILABLE);
        memory_map_add(UINT64_MAX - 0xfff, UINT64_MAX, AVAILABLE);
        EXPECT_EQ(ram(), (Ram{{0, UINT64_MAX >> 12}}));
        uint64_t end = 0;
        EXPECT_TRUE(ram_contains(5, &end));
        EXPECT_EQ(end, (UINT64_MAX >> 12) + 1);
}

TEST(memory_map, reserves_for_the_kernel_and_lists_it)
{
        Machine m;
        memory_map_add(MIB, MIB, AVAILABLE);
        memory_map_add(3 * MIB, MIB, AVAILABLE);
        const paddr_t first = boot_reserve(MIB), second = boot_reserve(MIB);
        EXPECT_EQ(first, 3 * MIB);
        EXPECT_EQ(second, MIB);
        ASSERT_EQ(boot_kernel_range_count, 2u);
        EXPECT_EQ(boot_kernel_ranges[1].start, second);
        EXPECT_EQ(boot_reserve(MIB), 0u);
}

TEST(memory_map, lists_kernel_ram_that_touches_as_one_range)
{
        Machine m;
        memory_map_add(MIB, 4 * MIB, AVAILABLE);
        for (unsigned i = 0; i < 2 * BOOT_RANGES; i++)
                boot_reserve(PAGE);
        ASSERT_EQ(boot_kernel_range_count, 1u);
        EXPECT_EQ(boot_kernel_ranges[0].start, 5 * MIB - 2 * BOOT_RANGES * PAGE);
        EXPECT_EQ(boot_kernel_ranges[0].size, 2 * BOOT_RANGES * PAGE);

        memory_map_take(5 * MIB, PAGE, false);
        EXPECT_EQ(boot_kernel_ranges[0].size, (2 * BOOT_RANGES + 1) * PAGE);
        memory_map_take(5 * MIB + PAGE, PAGE, true);
        memory_map_take(5 * MIB + 2 * PAGE, PAGE, false);
        ASSERT_EQ(boot_kernel_range_count, 3u);
        EXPECT_TRUE(memory_map_is_device(1));
        EXPECT_FALSE(memory_map_is_device(2));
}

} // namespace
