// SPDX-License-Identifier: BSD-2-Clause
// Entries of x86-32, which are written in halves.
#include <gtest/gtest.h>

#include <array>

extern "C" {
#include "arch/x86_32/paging_levels.h"
}

namespace
{

constexpr uint64_t FLAGS = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_NOEXECUTE;
constexpr uint64_t FOUR_GIB = uint64_t{1} << 32;

TEST(pte_x86_32, writes_all_bits_of_an_entry)
{
        uint64_t entry = ~uint64_t{0};
        for (const uint64_t value : {FLAGS | 0x123456789000, uint64_t{0}, FLAGS | 0xfffff000}) {
                pte_write(&entry, value);
                EXPECT_EQ(entry, value);
        }
}

// The batch ends before the boundary, ends or begins at it, or crosses it.
TEST(pte_x86_32, writes_a_batch_of_frames_around_each_boundary_of_4_gib)
{
        for (const uint64_t boundary : {FOUR_GIB, 5 * FOUR_GIB, 16 * FOUR_GIB})
                for (uint64_t before = 0; before <= PTE_BATCH + 2; before++) {
                        std::array<uint64_t, PTE_BATCH + 2> table{};
                        const uint64_t first = (boundary - before * PAGE_SIZE) | FLAGS;

                        pte_write_batch(&table[1], first);
                        for (unsigned i = 0; i < PTE_BATCH; i++)
                                EXPECT_EQ(table[i + 1], first + i * PAGE_SIZE)
                                        << before << " frames before " << boundary << ", entry "
                                        << i;
                        EXPECT_EQ(table.front(), 0u);
                        EXPECT_EQ(table.back(), 0u);
                }
}

} // namespace
