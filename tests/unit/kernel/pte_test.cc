// SPDX-License-Identifier: BSD-2-Clause
// Entries of x86-32, which are written in halves.
#include <gtest/gtest.h>

#include <array>
#include <csignal>

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

TEST(pte_x86_32, replaces_all_bits_of_an_entry)
{
        uint64_t entry = 0;
        for (const uint64_t value : {FLAGS | 0x123456789000, FLAGS & ~PTE_NOEXECUTE, uint64_t{0},
                                     uint64_t{1}, FLAGS | 0xfffff000, uint64_t{0}}) {
                pte_replace(&entry, value);
                EXPECT_EQ(entry, value);
        }
}

// The values of an entry after each instruction that another CPU could see.
struct Look {
        static inline uint64_t *entry;
        static inline std::array<uint64_t, 16> seen;
        static inline unsigned count;

        static void note(int)
        {
                if (count < seen.size() && (!count || seen[count - 1] != *entry))
                        seen[count++] = *entry;
        }

        // Single-steps the function.
        template <class Function> Look(uint64_t *at, Function function)
        {
                constexpr unsigned long long TRAP_FLAG = 0x100;
                entry = at;
                count = 0;
                auto *const before = std::signal(SIGTRAP, note);
                note(0);
                __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
                function();
                __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~TRAP_FLAG);
                std::signal(SIGTRAP, before);
        }
};

// A large page above 4 GiB is split: the entry of the table has another address and is executable.
// Then a large page takes the place of the table.
TEST(pte_x86_32, shows_other_cpus_no_halves_of_two_entries)
{
        constexpr uint64_t page = FLAGS | PTE_LARGE | (5 * FOUR_GIB + 0x40000000);
        constexpr uint64_t table = PTE_PRESENT | PTE_WRITE | PTE_USER | 0x345000;
        alignas(8) uint64_t entry = page;
        for (const uint64_t value : {table, page}) {
                const uint64_t old = entry;
                Look look(&entry, [&] { pte_replace(&entry, value); });
                ASSERT_EQ(look.count, 2u);
                EXPECT_EQ(look.seen[0], old);
                EXPECT_EQ(look.seen[1], value);
        }
}

// The half with the present bit is written last, and cleared first.
TEST(pte_x86_32, shows_other_cpus_an_entry_that_is_complete_or_absent)
{
        alignas(8) uint64_t entry = 0;
        for (const uint64_t value : {FLAGS | 0x123456789000, uint64_t{0}}) {
                const uint64_t old = entry;
                Look look(&entry, [&] { pte_replace(&entry, value); });
                ASSERT_EQ(look.count, 3u);
                EXPECT_EQ(look.seen[0], old);
                EXPECT_EQ(look.seen[1], uint64_t{0x1234} << 32 | (FLAGS & ~uint64_t{0xffffffff}));
                EXPECT_EQ(look.seen[2], value);
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
