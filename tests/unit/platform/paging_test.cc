// SPDX-License-Identifier: BSD-2-Clause
// The kernel's first address space: there are enough tables for a pool of any size at any place.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <random>

#include "machine.h"
#include "paging.h"

extern "C" {
#include "arch/x86/boot_paging.h"
}

namespace
{

constexpr uint64_t KIB = 1 << 10, MIB = 1 << 20, GIB = 1 << 30, LARGE = 2 * MIB;
constexpr uint64_t FOUR_GIB = 4 * GIB, IMAGE = LARGE, IMAGE_SIZE = 200 * KIB;
constexpr uint32_t AVAILABLE = 1, RESERVED = 2;

// Host memory in place of all physical memory below 4 GiB.
class Frames
{
      public:
        Frames()
        {
                void *place = reinterpret_cast<void *>(PAGING_POOL_OFFSET);
                if (mmap(place, FOUR_GIB, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
                         0) != place)
                        abort();
        }
        ~Frames()
        {
                munmap(reinterpret_cast<void *>(PAGING_POOL_OFFSET), FOUR_GIB);
        }
        Frames(const Frames &) = delete;
        Frames &operator=(const Frames &) = delete;
};

// A machine with an image and a roottask in its memory.
struct Layout : Machine {
        Layout()
        {
                memory_map_take(IMAGE, IMAGE_SIZE, false);
        }
        // Adds memory where QEMU places it: up to `low`, except the firmware's tables, and the rest
        // above 4 GiB.
        void add_memory(uint64_t all, uint64_t low)
        {
                const uint64_t below = all < low ? all : low;

                memory_map_add(0, 0x9fc00, AVAILABLE);
                memory_map_add(MIB, below - MIB - 128 * KIB, AVAILABLE);
                memory_map_add(below - 128 * KIB, 128 * KIB, RESERVED);
                memory_map_add(0xfffc0000, 256 * KIB, RESERVED);
                if (all > below)
                        memory_map_add(FOUR_GIB, all - below, AVAILABLE);
        }
};

bool shows_pool(const struct boot_range &pool)
{
        for (uint64_t at = 0; at < pool.size; at += LARGE)
                if (paging_lookup(PAGING_POOL_OFFSET + pool.start + at) != pool.start + at)
                        return false;
        return true;
}

// Starts the kernel's memory as boot.c does, after the loader's information has filled both
// windows.
void start(uint64_t wanted)
{
        paging_begin();
        for (unsigned slot = 0; slot < 2; slot++)
                ASSERT_NE(paging_boot_map(slot, 0x5000, 4 * MIB), nullptr);
        const struct boot_range pool = memory_map_choose_pool(wanted);
        ASSERT_NE(pool.size, 0u);
        ASSERT_EQ((pool.start | pool.size) % LARGE, 0u);
        ASSERT_LE(pool.start + pool.size, FOUR_GIB);
        memory_map_take(pool.start, pool.size, false);
        boot_paging_map_pool(pool.start, pool.size);
        ASSERT_FALSE(paging_has_failed());
        ASSERT_TRUE(shows_pool(pool));
        ASSERT_TRUE(paging_finish(pool.start, pool.size));
        ASSERT_TRUE(shows_pool(pool));
        ASSERT_NE(paging_boot_map(1, pool.start, 4 * MIB), nullptr);
        madvise(reinterpret_cast<void *>(PAGING_POOL_OFFSET + pool.start), pool.size,
                MADV_DONTNEED);
}

void start_with(uint64_t mib, uint64_t low)
{
        SCOPED_TRACE(std::to_string(mib) + " MiB, below 4 GiB at most " +
                     std::to_string(low / MIB));
        Layout layout;
        layout.add_memory(mib * MIB, low);
        start(0);
}

// End of the memory below 4 GiB on QEMU's machines: q35 with little and much memory, and pc.
constexpr uint64_t ENDS[] = {0xb0000000, 0x80000000, 0xe0000000, 0xc0000000};

TEST(paging, holds_the_pool_of_each_size_of_memory)
{
        Frames frames;
        for (const uint64_t end : ENDS)
                for (uint64_t mib = 8; mib <= 4200 && !testing::Test::HasFatalFailure(); mib += 2)
                        start_with(mib, end);
}

TEST(paging, holds_the_pool_of_machines_with_much_memory)
{
        Frames frames;
        for (const uint64_t end : ENDS)
                for (uint64_t gib = 5; gib <= 64 && !testing::Test::HasFatalFailure(); gib++)
                        for (const uint64_t mib : {gib * 1024 - 36, gib * 1024, gib * 1024 + 36})
                                start_with(mib, end);
}

void start_across(uint64_t border, uint64_t pages, uint64_t above)
{
        SCOPED_TRACE(std::to_string(pages) + " large pages, of which " + std::to_string(above) +
                     " above border " + std::to_string(border / GIB));
        Layout layout;
        memory_map_add(MIB, border + above * LARGE - MIB, AVAILABLE);
        start(pages * LARGE);
}

// A pool whose size the command line sets. Its start crosses each border of a GiB.
TEST(paging, holds_a_pool_of_each_size_across_each_border)
{
        Frames frames;
        for (uint64_t border = GIB; border < FOUR_GIB; border += GIB)
                for (uint64_t pages = 1; pages <= GIB / LARGE; pages += pages / 2 + 1)
                        for (uint64_t above = 1; above <= pages; above += pages / 7 + 1)
                                start_across(border, pages, above);
}

// Memory in pieces with modules in them.
TEST(paging, holds_the_pool_of_any_layout)
{
        Frames frames;
        std::mt19937_64 random(20); // a fixed seed
        for (unsigned round = 0; round < 1000 && !testing::Test::HasFatalFailure(); round++) {
                SCOPED_TRACE("layout " + std::to_string(round));
                Layout layout;
                memory_map_add(MIB, 7 * MIB + random() % (8 * GIB), AVAILABLE);
                for (unsigned i = random() % 40; i; i--)
                        memory_map_add(8 * MIB + random() % (4 * GIB), random() % (64 * MIB),
                                       RESERVED);
                for (unsigned i = random() % 10; i; i--) {
                        const uint64_t place = 8 * MIB + random() % (3 * GIB);
                        memory_map_add_module(place, place + random() % (32 * MIB), 0);
                }
                start(random() % 2 ? random() % (2 * GIB) : 0);
        }
}

TEST(paging, finds_no_pool_where_no_large_page_is_free)
{
        Layout layout;
        memory_map_add(MIB, 5 * MIB, AVAILABLE);
        memory_map_add_module(4 * MIB, 4 * MIB + KIB, 0);
        EXPECT_EQ(memory_map_choose_pool(0).size, 0u);
        EXPECT_EQ(memory_map_choose_pool(GIB).size, 0u);
}

} // namespace
