/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the sorted map of regions with a model of all pages. */
#include "memory/region_map.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace
{

constexpr uintptr_t page_size = NOVA_PAGE_SIZE;

class region_map : public testing::Test
{
      protected:
        ::region_map map;
        std::vector<region> storage;

        void SetUp() override
        {
                const region_area area[REGION_AREAS] = {{0x10010000, 0x10100000},
                                                        {0x40000000, 0x40400000}};

                novart_region_map_init(&map, area);
        }

        region *add(size_t pages, size_t align = 1, const char *name = "test")
        {
                if (region_map_full(&map)) {
                        std::vector<region> larger(map.room * 2);

                        novart_region_map_move(&map, larger.data(), larger.size());
                        storage.swap(larger);
                }
                return novart_region_map_add(&map, pages, align, REGION_LAZY, name);
        }
};

TEST_F(region_map, first_fit_without_overlap)
{
        EXPECT_EQ(add(1)->base, 0x10010000u);
        EXPECT_EQ(add(2)->base, 0x10011000u);
        EXPECT_EQ(add(16, 16)->base, 0x10020000u);
        EXPECT_EQ(add(1)->base, 0x10013000u);
        novart_region_map_remove(&map, novart_region_map_find(&map, 0x10010000));
        EXPECT_EQ(add(2)->base, 0x10014000u);
        EXPECT_EQ(add(1)->base, 0x10010000u);
}

TEST_F(region_map, goes_to_the_second_area_and_ends)
{
        EXPECT_EQ(add(0xf0)->base, 0x10010000u);
        EXPECT_EQ(add(1)->base, 0x40000000u);
        EXPECT_EQ(add(1024), nullptr);
        EXPECT_EQ(add(1023)->base, 0x40001000u);
        EXPECT_EQ(add(1), nullptr);
        EXPECT_EQ(map.count, 3u);
}

TEST_F(region_map, refuses_absurd_sizes)
{
        EXPECT_EQ(add(0), nullptr);
        EXPECT_EQ(add(SIZE_MAX), nullptr);
        EXPECT_EQ(add(1, SIZE_MAX / 2 + 1), nullptr);
        EXPECT_EQ(add(SIZE_MAX >> 12, SIZE_MAX / 4 + 1), nullptr);
}

TEST_F(region_map, finds_by_any_address_inside)
{
        add(3);
        EXPECT_EQ(novart_region_map_find(&map, 0x1000ffff), nullptr);
        EXPECT_NE(novart_region_map_find(&map, 0x10010000), nullptr);
        EXPECT_NE(novart_region_map_find(&map, 0x10012fff), nullptr);
        EXPECT_EQ(novart_region_map_find(&map, 0x10013000), nullptr);
        EXPECT_EQ(novart_region_map_find(&map, 0), nullptr);
        EXPECT_EQ(novart_region_map_find(&map, UINTPTR_MAX), nullptr);
}

TEST_F(region_map, cuts_long_names)
{
        EXPECT_STREQ(add(1, 1, "a name that is longer than there is room for")->name,
                     "a name that is longer t");
        EXPECT_STREQ(add(1, 1, nullptr)->name, "");
}

TEST_F(region_map, without_room_nothing_is_added)
{
        for (int i = 0; i < REGION_FIRST_ROOM; i++)
                ASSERT_NE(novart_region_map_add(&map, 1, 1, REGION_LAZY, ""), nullptr);
        EXPECT_TRUE(region_map_full(&map));
        EXPECT_EQ(novart_region_map_add(&map, 1, 1, REGION_LAZY, ""), nullptr);
        EXPECT_NE(add(1), nullptr);
}

TEST_F(region_map, a_search_goes_on_at_the_end_of_the_last_one)
{
        add(1)->pages = 0; // the map does not learn that the address is free
        EXPECT_EQ(add(1)->base, 0x10011000u);
        EXPECT_EQ(add(1)->base, 0x10012000u);
        novart_region_map_remove(&map, novart_region_map_find(&map, 0x10011000));
        EXPECT_EQ(add(1)->base, 0x10010000u); // a search for the free range begins before it
        EXPECT_EQ(add(1)->base, 0x10011000u);
        EXPECT_EQ(add(1)->base, 0x10013000u);
}

TEST_F(region_map, shrunk_regions_leave_room)
{
        EXPECT_EQ(add(4)->base, 0x10010000u);
        EXPECT_EQ(add(2)->base, 0x10014000u);
        novart_region_map_shrink(&map, novart_region_map_find(&map, 0x10010000), 1);
        EXPECT_EQ(novart_region_map_find(&map, 0x10011000), nullptr);
        EXPECT_EQ(add(2)->base, 0x10011000u);
        EXPECT_EQ(add(2)->base, 0x10016000u);
}

TEST_F(region_map, storm_agrees_with_a_model)
{
        std::mt19937 random(3);
        std::vector<bool> taken(0xf0 + 1024);
        std::vector<uintptr_t> bases;
        // Returns the first free pages of an area, by the model; 0: there are none.
        const auto first_fit = [&](size_t pages, size_t align) {
                for (size_t i = 0; i + pages <= taken.size(); i++) {
                        const uintptr_t base = i < 0xf0 ? 0x10010000 + i * page_size
                                                        : 0x40000000 + (i - 0xf0) * page_size;
                        const auto begin = taken.begin() + static_cast<long>(i);
                        const bool divided = i < 0xf0 && i + pages > 0xf0;

                        if (base / page_size % align == 0 && !divided &&
                            std::find(begin, begin + static_cast<long>(pages), true) ==
                                    begin + static_cast<long>(pages))
                                return base;
                }
                return uintptr_t{0};
        };
        const auto page = [](uintptr_t addr) {
                return addr < 0x40000000 ? (addr - 0x10010000) / page_size
                                         : (addr - 0x40000000) / page_size + 0xf0;
        };

        for (int step = 0; step < 20000; step++) {
                if (random() % 100 < 55) {
                        const bool often = random() % 2; // sizes whose last search is known
                        const size_t align = often ? 1 : size_t{1} << random() % 5;
                        const size_t pages = 1 + random() % (often ? 2 : 20);
                        const uintptr_t wanted = first_fit(pages, align);
                        const region *r = add(pages, align);

                        ASSERT_EQ(r ? r->base : 0, wanted);
                        if (!r)
                                continue;
                        for (size_t i = 0; i < pages; i++) {
                                ASSERT_FALSE(taken[page(r->base) + i]);
                                taken[page(r->base) + i] = true;
                        }
                        bases.push_back(r->base);
                } else if (!bases.empty() && random() % 8 == 0) {
                        region *r = novart_region_map_find(&map, bases[random() % bases.size()]);
                        const size_t pages = 1 + random() % r->pages;
                        const auto begin = taken.begin() + static_cast<long>(page(r->base));

                        std::fill(begin + static_cast<long>(pages),
                                  begin + static_cast<long>(r->pages), false);
                        novart_region_map_shrink(&map, r, pages);
                } else if (!bases.empty()) {
                        std::swap(bases[random() % bases.size()], bases.back());
                        region *r = novart_region_map_find(&map, bases.back());

                        ASSERT_NE(r, nullptr);
                        ASSERT_EQ(r->base, bases.back());
                        std::fill_n(taken.begin() + static_cast<long>(page(r->base)), r->pages,
                                    false);
                        novart_region_map_remove(&map, r);
                        bases.pop_back();
                }
                ASSERT_EQ(map.count, bases.size());
        }
}

} // namespace
