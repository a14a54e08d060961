/* SPDX-License-Identifier: BSD-2-Clause */
/* Commit tables: recorded pages are found, and leaves are freed. */
#include "memory/commit_table.h"

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace
{

constexpr uintptr_t begin = 0x10000000;
constexpr size_t leaves = 4;

class commit_table : public testing::Test
{
      protected:
        static constexpr size_t pool_pages = 8;
        unsigned char *pool = nullptr;
        uint32_t directory[leaves] = {};
        size_t used = 0, limit = pool_pages;
        bool busy[pool_pages] = {};
        ::commit_table b = {};
        commit_table_pages pages = {take, give, this};

        void SetUp() override
        {
                pool = static_cast<unsigned char *>(
                        std::aligned_alloc(NOVA_PAGE_SIZE, pool_pages * NOVA_PAGE_SIZE));
                b = {begin, leaves, directory, reinterpret_cast<uintptr_t>(pool), nullptr, 0};
        }

        void TearDown() override
        {
                std::free(pool);
        }

        static void *take(void *context)
        {
                auto *self = static_cast<commit_table *>(context);

                for (size_t i = 0; i < self->limit; i++)
                        if (!self->busy[i]) {
                                self->busy[i] = true;
                                self->used++;
                                return std::memset(self->pool + i * NOVA_PAGE_SIZE, 0,
                                                   NOVA_PAGE_SIZE);
                        }
                return nullptr;
        }

        static void give(void *context, void *page)
        {
                auto *self = static_cast<commit_table *>(context);
                const auto i =
                        static_cast<size_t>(static_cast<unsigned char *>(page) - self->pool) /
                        NOVA_PAGE_SIZE;

                EXPECT_TRUE(self->busy[i]);
                self->busy[i] = false;
                self->used--;
        }

        uintptr_t pool_page(size_t i) const
        {
                return reinterpret_cast<uintptr_t>(pool) + i * NOVA_PAGE_SIZE;
        }
};

TEST_F(commit_table, a_small_area_needs_no_leaf)
{
        uint32_t flat[3] = {};
        const uintptr_t page = reinterpret_cast<uintptr_t>(pool);

        b = {0x411000, 0, nullptr, page, flat, 3};
        EXPECT_TRUE(novart_commit_table_prepare(&b, 0x413000, &pages));
        EXPECT_FALSE(novart_commit_table_prepare(&b, 0x414000, &pages));
        EXPECT_FALSE(novart_commit_table_prepare(&b, 0x410000, &pages));
        novart_commit_table_set(&b, 0x413000, page + NOVA_PAGE_SIZE);
        EXPECT_EQ(novart_commit_table_get(&b, 0x413fff), page + NOVA_PAGE_SIZE);
        EXPECT_EQ(novart_commit_table_get(&b, 0x411000), 0u);
        EXPECT_EQ(novart_commit_table_get(&b, 0x410fff), 0u);
        EXPECT_EQ(novart_commit_table_get(&b, 0x414000), 0u);
        EXPECT_EQ(novart_commit_table_next(&b, 0x411000, 0x414000), 0x413000u);
        novart_commit_table_set(&b, 0x413000, 0);
        novart_commit_table_trim(&b, 0x413000, &pages);
        EXPECT_EQ(novart_commit_table_next(&b, 0x411000, 0x414000), 0x414000u);
        EXPECT_EQ(used, 0u);
}

TEST_F(commit_table, is_empty_at_first)
{
        EXPECT_EQ(novart_commit_table_get(&b, begin), 0u);
        EXPECT_EQ(novart_commit_table_get(&b, begin - 1), 0u);
        EXPECT_EQ(novart_commit_table_get(&b, begin + leaves * COMMIT_TABLE_SPAN), 0u);
        EXPECT_EQ(novart_commit_table_get(&b, UINTPTR_MAX), 0u);
        EXPECT_EQ(novart_commit_table_next(&b, begin, begin + leaves * COMMIT_TABLE_SPAN),
                  begin + leaves * COMMIT_TABLE_SPAN);
}

TEST_F(commit_table, remembers_the_first_page_of_the_pool)
{
        ASSERT_TRUE(novart_commit_table_prepare(&b, begin, &pages));
        novart_commit_table_set(&b, begin, pool_page(0));
        EXPECT_EQ(novart_commit_table_get(&b, begin + 17), pool_page(0));
        EXPECT_EQ(novart_commit_table_get(&b, begin + NOVA_PAGE_SIZE), 0u);
}

TEST_F(commit_table, reports_a_missing_page_or_place)
{
        limit = 0;
        EXPECT_FALSE(novart_commit_table_prepare(&b, begin, &pages));
        limit = pool_pages;
        EXPECT_FALSE(novart_commit_table_prepare(&b, begin - 1, &pages));
        EXPECT_FALSE(novart_commit_table_prepare(&b, begin + leaves * COMMIT_TABLE_SPAN, &pages));
        EXPECT_EQ(used, 0u);
}

TEST_F(commit_table, frees_a_leaf_only_when_it_is_empty)
{
        ASSERT_TRUE(novart_commit_table_prepare(&b, begin, &pages));
        novart_commit_table_set(&b, begin, pool_page(3));
        novart_commit_table_trim(&b, begin, &pages);
        EXPECT_EQ(used, 1u);
        novart_commit_table_set(&b, begin, 0);
        novart_commit_table_trim(&b, begin + COMMIT_TABLE_SPAN - 1, &pages);
        EXPECT_EQ(used, 0u);
        novart_commit_table_trim(&b, begin, &pages);
        EXPECT_EQ(novart_commit_table_get(&b, begin), 0u);
}

TEST_F(commit_table, storm_agrees_with_a_model)
{
        std::mt19937 random(11);
        std::map<uintptr_t, uintptr_t> model;
        constexpr uintptr_t end = begin + leaves * COMMIT_TABLE_SPAN;

        for (int step = 0; step < 20000; step++) {
                const uintptr_t addr = begin + random() % (leaves * COMMIT_TABLE_LEAF_PAGES) / 64 *
                                                       64 * NOVA_PAGE_SIZE;

                if (random() % 2) {
                        const uintptr_t page = pool_page(random() % 100000);

                        ASSERT_TRUE(novart_commit_table_prepare(&b, addr, &pages));
                        novart_commit_table_set(&b, addr, page);
                        model[addr] = page;
                } else if (model.count(addr)) {
                        novart_commit_table_set(&b, addr, 0);
                        novart_commit_table_trim(&b, addr, &pages);
                        model.erase(addr);
                }
                const auto found = model.find(addr);
                const auto next = model.lower_bound(addr);

                ASSERT_EQ(novart_commit_table_get(&b, addr),
                          found == model.end() ? 0 : found->second);
                ASSERT_EQ(novart_commit_table_next(&b, addr, end),
                          next == model.end() ? end : next->first);
        }
        while (!model.empty()) {
                novart_commit_table_set(&b, model.begin()->first, 0);
                novart_commit_table_trim(&b, model.begin()->first, &pages);
                model.erase(model.begin());
        }
        EXPECT_EQ(used, 0u);
}

} // namespace
