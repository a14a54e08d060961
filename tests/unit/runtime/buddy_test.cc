/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the buddy allocator with a model that knows each page's owner. */
#include "memory/buddy.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <vector>

namespace
{

constexpr size_t page_size = NOVA_PAGE_SIZE;

/* Memory for zones; the first page of each is at a chosen place in an aligned arena. */
class buddy : public testing::Test
{
      protected:
        static constexpr size_t arena_pages = 2048;
        unsigned char *arena = nullptr;
        std::vector<std::vector<uint8_t>> records;
        ::buddy b = {};

        void SetUp() override
        {
                arena = static_cast<unsigned char *>(
                        std::aligned_alloc(arena_pages * page_size, arena_pages * page_size));
                records.reserve(BUDDY_ZONES);
        }

        /* Clears memory as the allocator's user does. */
        void clear(uintptr_t addr, unsigned order)
        {
                const buddy_zone *z = novart_buddy_zone_of(&b, addr);
                size_t page = (addr - z->base) / page_size, count;
                const size_t end = page + (size_t{1} << order);

                while ((page = novart_buddy_next_used(z, page, end, &count)) < end) {
                        std::fill_n(reinterpret_cast<unsigned char *>(z->base) + page * page_size,
                                    count * page_size, uint8_t{0});
                        page += count;
                }
        }

        void TearDown() override
        {
                std::free(arena);
        }

        uintptr_t at(size_t page) const
        {
                return reinterpret_cast<uintptr_t>(arena) + page * page_size;
        }

        buddy_zone *zone(size_t first, size_t pages, size_t ready, bool zero = false)
        {
                EXPECT_TRUE(novart_buddy_add_zone(&b, at(first), pages));
                buddy_zone *z = &b.zone[b.zones - 1];

                records.emplace_back(pages, 0xff);
                z->record = records.back().data();
                novart_buddy_extend(z, ready, zero);
                novart_buddy_give(&b, z, 0, ready);
                return z;
        }
};

/* Returns the number of pages of a block that must be cleared. */
size_t used_pages(const buddy_zone *zone, uintptr_t addr, unsigned order)
{
        size_t page = (addr - zone->base) / page_size, used = 0, count;
        const size_t end = page + (size_t{1} << order);

        while ((page = novart_buddy_next_used(zone, page, end, &count)) < end) {
                EXPECT_GT(count, 0u);
                EXPECT_LE(page + count, end);
                used += count;
                page += count;
        }
        EXPECT_EQ(count, 0u);
        return used;
}

bool is_zero(uintptr_t addr, unsigned order)
{
        const auto *bytes = reinterpret_cast<const unsigned char *>(addr);

        return std::all_of(bytes, bytes + (page_size << order), [](auto b) { return !b; });
}

TEST_F(buddy, blocks_are_aligned_by_address)
{
        zone(3, 1000, 1000);
        EXPECT_EQ(b.free, 1000u);
        for (unsigned order = 0; order < 9; order++) {
                const uintptr_t addr = novart_buddy_take(&b, order);

                ASSERT_NE(addr, 0u);
                EXPECT_EQ(addr % (page_size << order), 0u);
        }
        EXPECT_EQ(b.free, 1000u - 511);
}

TEST_F(buddy, all_joins_again)
{
        zone(0, 512, 512);
        std::vector<uintptr_t> pages;

        while (const uintptr_t addr = novart_buddy_take(&b, 0))
                pages.push_back(addr);
        EXPECT_EQ(pages.size(), 512u);
        EXPECT_EQ(b.free, 0u);
        for (const uintptr_t addr : pages)
                EXPECT_TRUE(novart_buddy_free(&b, addr, 0));
        EXPECT_EQ(novart_buddy_take(&b, 9), at(0));
}

TEST_F(buddy, notices_the_release_of_memory_that_was_not_allocated)
{
        zone(0, 64, 64);
        const uintptr_t addr = novart_buddy_take(&b, 2);

        EXPECT_FALSE(novart_buddy_free(&b, addr, 1));
        EXPECT_FALSE(novart_buddy_free(&b, addr + page_size, 0));
        EXPECT_FALSE(novart_buddy_free(&b, addr + 1, 2));
        EXPECT_FALSE(novart_buddy_free(&b, at(64), 0));
        EXPECT_FALSE(novart_buddy_free(&b, 0, 0));
        EXPECT_FALSE(novart_buddy_free(&b, addr, 77));
        EXPECT_TRUE(novart_buddy_free(&b, addr, 2));
        EXPECT_FALSE(novart_buddy_free(&b, addr, 2));
        EXPECT_EQ(b.free, 64u);
}

TEST_F(buddy, orders_above_the_largest_are_refused)
{
        zone(0, 64, 64);
        EXPECT_EQ(novart_buddy_take(&b, BUDDY_ORDERS), 0u);
        EXPECT_EQ(novart_buddy_take(&b, 200), 0u);
        EXPECT_EQ(novart_buddy_take(&b, 7), 0u);
}

TEST_F(buddy, grows_where_it_is_not_ready_yet)
{
        buddy_zone *z = zone(0, 1024, 256);

        EXPECT_EQ(novart_buddy_take(&b, 9), 0u);
        novart_buddy_extend(z, 768, false);
        novart_buddy_give(&b, z, 256, 768);
        EXPECT_EQ(novart_buddy_take(&b, 10), at(0));
}

TEST_F(buddy, a_split_block_is_freed_page_by_page)
{
        zone(0, 64, 64);
        const uintptr_t addr = novart_buddy_take(&b, 3);

        novart_buddy_split(&b, addr, 3);
        EXPECT_FALSE(novart_buddy_free(&b, addr, 3));
        for (size_t i = 0; i < 8; i++)
                EXPECT_TRUE(novart_buddy_free(&b, addr + i * page_size, 0));
        EXPECT_EQ(novart_buddy_take(&b, 6), at(0));
}

TEST_F(buddy, neighbouring_zones_do_not_join)
{
        zone(0, 16, 16);
        zone(16, 16, 16);
        EXPECT_EQ(novart_buddy_take(&b, 5), 0u);
        EXPECT_NE(novart_buddy_take(&b, 4), 0u);
        EXPECT_NE(novart_buddy_take(&b, 4), 0u);
}

TEST_F(buddy, keeps_the_largest_of_too_many_zones)
{
        for (size_t i = 0; i < BUDDY_ZONES; i++)
                EXPECT_TRUE(novart_buddy_add_zone(&b, at(i * 10), i + 1));
        EXPECT_FALSE(novart_buddy_add_zone(&b, at(500), 1));
        EXPECT_TRUE(novart_buddy_add_zone(&b, at(600), 100));
        EXPECT_EQ(b.zone[0].pages, 100u);
}

TEST_F(buddy, pages_that_came_zero_are_not_cleared)
{
        std::fill_n(arena, arena_pages * page_size, uint8_t{0});
        buddy_zone *z = zone(0, 512, 512, true);

        for (const unsigned order : {0u, 3u, 0u, 5u, 8u, 1u}) {
                const uintptr_t addr = novart_buddy_take(&b, order);

                ASSERT_NE(addr, 0u);
                EXPECT_EQ(used_pages(z, addr, order), 0u);
                EXPECT_TRUE(is_zero(addr, order));
        }
}

TEST_F(buddy, a_page_that_was_freed_is_cleared_and_its_neighbours_are_not)
{
        std::fill_n(arena, arena_pages * page_size, uint8_t{0});
        buddy_zone *z = zone(0, 64, 64, true);
        const uintptr_t addr = novart_buddy_take(&b, 0);

        EXPECT_TRUE(novart_buddy_free(&b, addr, 0));
        EXPECT_EQ(novart_buddy_take(&b, 6), at(0));
        EXPECT_EQ(used_pages(z, at(0), 6), 1u);
        EXPECT_TRUE(is_zero(at(1), 0));
        novart_buddy_split(&b, at(0), 6);
        EXPECT_EQ(used_pages(z, at(0), 6), 1u);
}

TEST_F(buddy, pages_of_unknown_content_are_cleared)
{
        buddy_zone *z = zone(0, 64, 64);

        EXPECT_EQ(used_pages(z, novart_buddy_take(&b, 4), 4), 16u);
}

/* Zones of odd sizes, orders 0 to 6: no page is allocated twice, allocated memory is zero, and an
 * allocation fails only without a free block. */
TEST_F(buddy, storm_agrees_with_a_model)
{
        std::mt19937 random(7);
        std::vector<bool> usable(arena_pages), taken(arena_pages);
        std::map<uintptr_t, unsigned> held;
        const std::pair<size_t, size_t> zones[] = {{5, 300}, {306, 77}, {512, 512}, {1025, 3}};

        std::fill_n(arena, arena_pages * page_size, uint8_t{0});
        for (const auto &[first, count] : zones) {
                zone(first, count, count, true);
                std::fill_n(usable.begin() + static_cast<long>(first), count, true);
        }
        for (int step = 0; step < 30000; step++) {
                if (random() % 100 < 52) {
                        const unsigned order = random() % 7;
                        const uintptr_t addr = novart_buddy_take(&b, order);

                        if (addr) {
                                const size_t page = (addr - at(0)) / page_size;

                                ASSERT_EQ(page % (1u << order), 0u);
                                clear(addr, order);
                                ASSERT_TRUE(is_zero(addr, order));
                                std::fill_n(reinterpret_cast<unsigned char *>(addr),
                                            page_size << order, uint8_t{0x5a});
                                for (size_t i = page; i < page + (1u << order); i++) {
                                        ASSERT_TRUE(usable[i] && !taken[i]);
                                        taken[i] = true;
                                }
                                held[addr] = order;
                                continue;
                        }
                        for (const auto &[first, count] : zones)
                                for (size_t p = 0; p + (1u << order) <= arena_pages;
                                     p += 1u << order) {
                                        bool free =
                                                p >= first && p + (1u << order) <= first + count;

                                        for (size_t i = p; free && i < p + (1u << order); i++)
                                                free = !taken[i];
                                        ASSERT_FALSE(free) << "order " << order << " page " << p;
                                }
                } else if (!held.empty()) {
                        auto it = held.lower_bound(at(random() % arena_pages));

                        if (it == held.end())
                                it = held.begin();
                        ASSERT_TRUE(novart_buddy_free(&b, it->first, it->second));
                        std::fill_n(taken.begin() +
                                            static_cast<long>((it->first - at(0)) / page_size),
                                    1u << it->second, false);
                        held.erase(it);
                }
        }
        for (const auto &[addr, order] : held)
                ASSERT_TRUE(novart_buddy_free(&b, addr, order));
        EXPECT_EQ(b.free, 300u + 77 + 512 + 3);
        EXPECT_NE(novart_buddy_take(&b, 9), 0u);
}

} // namespace
