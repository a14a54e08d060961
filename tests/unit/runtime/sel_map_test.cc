/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the map of selectors with a model that knows each selector's state. */
#include "selector/sel_map.h"

#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace
{

constexpr nova_sel_t none = static_cast<nova_sel_t>(-1);

std::vector<std::unique_ptr<uint32_t[]>> pages;
size_t pages_left;

void *page()
{
        if (!pages_left)
                return nullptr;
        pages_left--;
        pages.emplace_back(new uint32_t[NOVA_PAGE_SIZE / 4]());
        return pages.back().get();
}

class sel_map : public testing::Test
{
      protected:
        ::sel_map map;

        void SetUp() override
        {
                pages_left = 1000;
        }

        void TearDown() override
        {
                pages.clear();
        }
};

TEST_F(sel_map, gives_the_lowest_aligned_range)
{
        novart_sel_map_init(&map, 5, 100, page);
        EXPECT_EQ(novart_sel_map_take(&map, 0), 5u);
        EXPECT_EQ(novart_sel_map_take(&map, 3), 8u);
        EXPECT_EQ(novart_sel_map_take(&map, 0), 6u);
        EXPECT_EQ(novart_sel_map_take(&map, 5), 32u);
        EXPECT_EQ(novart_sel_map_take(&map, 5), 64u);
        EXPECT_EQ(novart_sel_map_take(&map, 5), none);
        EXPECT_EQ(map.used, 1 + 8 + 1 + 32 + 32u);
}

TEST_F(sel_map, ends_where_its_range_ends)
{
        novart_sel_map_init(&map, 3, 7, page);
        for (nova_sel_t sel = 3; sel < 10; sel++)
                EXPECT_EQ(novart_sel_map_take(&map, 0), sel);
        EXPECT_EQ(novart_sel_map_take(&map, 0), none);
        EXPECT_TRUE(novart_sel_map_give(&map, 7, 0));
        EXPECT_EQ(novart_sel_map_take(&map, 0), 7u);
}

TEST_F(sel_map, refuses_to_free_a_selector_that_is_not_in_use)
{
        novart_sel_map_init(&map, 16, 1024, page);
        const nova_sel_t sel = novart_sel_map_take(&map, 2);

        EXPECT_FALSE(novart_sel_map_give(&map, sel + 4, 0));
        EXPECT_FALSE(novart_sel_map_give(&map, sel, 3));
        EXPECT_FALSE(novart_sel_map_give(&map, sel + 1, 1));
        EXPECT_FALSE(novart_sel_map_give(&map, 0, 0));
        EXPECT_FALSE(novart_sel_map_give(&map, none, 0));
        EXPECT_FALSE(novart_sel_map_give(&map, sel, 60));
        EXPECT_TRUE(novart_sel_map_give(&map, sel, 2));
        EXPECT_FALSE(novart_sel_map_give(&map, sel, 2));
        EXPECT_EQ(map.used, 0u);
}

TEST_F(sel_map, grows_by_pages_and_ends_without_them)
{
        novart_sel_map_init(&map, 64, SEL_LEAF_COUNT, page);
        pages_left = 0;
        for (nova_sel_t sel = 64; sel < SEL_SMALL_COUNT; sel++)
                ASSERT_EQ(novart_sel_map_take(&map, 0), sel);
        EXPECT_EQ(novart_sel_map_take(&map, 0), none);
        pages_left = 1;
        for (nova_sel_t sel = SEL_SMALL_COUNT; sel < SEL_LEAF_COUNT; sel++)
                ASSERT_EQ(novart_sel_map_take(&map, 0), sel);
        EXPECT_EQ(novart_sel_map_take(&map, 0), none); /* the next leaf needs a page, too */
        pages_left = 1;
        EXPECT_EQ(novart_sel_map_take(&map, 0), SEL_LEAF_COUNT);
}

TEST_F(sel_map, clips_numbers_that_exceed_every_selector)
{
        novart_sel_map_init(&map, SEL_MAP_END - 1, none, page);
        EXPECT_EQ(novart_sel_map_take(&map, 0), SEL_MAP_END - 1);
        EXPECT_EQ(novart_sel_map_take(&map, 0), none);
        novart_sel_map_init(&map, none, none, page);
        EXPECT_EQ(novart_sel_map_take(&map, 0), none);
        novart_sel_map_init(&map, 0, 0, page);
        EXPECT_EQ(novart_sel_map_take(&map, 0), none);
}

/* Every free aligned range must be found, and none twice. */
TEST_F(sel_map, storm_agrees_with_a_model)
{
        constexpr nova_sel_t first = 37, count = 5000;
        std::mt19937 random(1);
        std::set<nova_sel_t> used;
        std::vector<std::pair<nova_sel_t, unsigned>> held;

        novart_sel_map_init(&map, first, count, page);
        for (int step = 0; step < 20000; step++) {
                if (random() % 100 < 55) {
                        const unsigned order = random() % 100 < 70 ? 0 : random() % 9;
                        const nova_sel_t size = nova_sel_t{1} << order;
                        const nova_sel_t sel = novart_sel_map_take(&map, order);
                        nova_sel_t expected = none;

                        for (nova_sel_t s = (first + size - 1) / size * size;
                             s + size <= first + count && expected == none; s += size)
                                if (used.lower_bound(s) == used.lower_bound(s + size))
                                        expected = s;
                        ASSERT_EQ(sel, expected) << "order " << order << " step " << step;
                        for (nova_sel_t s = sel; sel != none && s < sel + size; s++)
                                used.insert(s);
                        if (sel != none)
                                held.emplace_back(sel, order);
                } else if (!held.empty()) {
                        std::swap(held[random() % held.size()], held.back());
                        const auto [sel, order] = held.back();

                        held.pop_back();
                        ASSERT_TRUE(novart_sel_map_give(&map, sel, order));
                        for (nova_sel_t s = sel; s < sel + (nova_sel_t{1} << order); s++)
                                used.erase(s);
                }
                ASSERT_EQ(map.used, used.size());
        }
}

} // namespace
