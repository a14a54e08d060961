/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors, and splitting ranges into aligned pieces. */
#include "nova/crd.h"
#include "nova/qpd.h"

#include <gtest/gtest.h>
#include <random>
#include <set>
#include <vector>

namespace
{

struct piece {
        nova_sel_t base, hotspot;
        unsigned order;

        bool operator==(const piece &other) const
        {
                return base == other.base && hotspot == other.hotspot && order == other.order;
        }
};

std::vector<piece> cut(nova_sel_t base, nova_sel_t hotspot, nova_word_t count)
{
        nova_crd_range range = {NOVA_CRD_MEM, NOVA_MEM_R, base, hotspot, count};
        std::vector<piece> pieces;
        nova_crd_t crd;
        nova_sel_t to;

        while (nova_crd_next(&range, &crd, &to)) {
                EXPECT_EQ(nova_crd_type(crd), static_cast<unsigned>(NOVA_CRD_MEM));
                EXPECT_EQ(nova_crd_perms(crd), static_cast<unsigned>(NOVA_MEM_R));
                pieces.push_back({nova_crd_base(crd), to, nova_crd_order(crd)});
        }
        return pieces;
}

TEST(crd, the_smallest_order_for_a_count)
{
        EXPECT_EQ(nova_crd_order_for(0), 0u);
        EXPECT_EQ(nova_crd_order_for(1), 0u);
        EXPECT_EQ(nova_crd_order_for(2), 1u);
        EXPECT_EQ(nova_crd_order_for(3), 2u);
        EXPECT_EQ(nova_crd_order_for(4096), 12u);
        EXPECT_EQ(nova_crd_order_for(4097), 13u);
        EXPECT_EQ(nova_crd_order_for(~(nova_word_t)0), NOVA_WORD_BITS - 1u);
}

TEST(crd, fields_come_back_from_a_descriptor)
{
        const nova_crd_t crd = nova_crd(NOVA_CRD_OBJ, 0x4321, 7, NOVA_SM_UP);

        EXPECT_EQ(nova_crd_type(crd), static_cast<unsigned>(NOVA_CRD_OBJ));
        EXPECT_EQ(nova_crd_base(crd), 0x4321u);
        EXPECT_EQ(nova_crd_order(crd), 7u);
        EXPECT_EQ(nova_crd_perms(crd), static_cast<unsigned>(NOVA_SM_UP));
        EXPECT_EQ(nova_crd_count(crd), 128u);
        EXPECT_EQ(nova_crd_count(nova_crd_null()), 0u);
}

TEST(crd, an_aligned_range_is_one_piece)
{
        EXPECT_EQ(cut(0x400, 0x400, 0x400), (std::vector<piece>{{0x400, 0x400, 10}}));
}

TEST(crd, a_range_is_cut_where_its_alignment_changes)
{
        EXPECT_EQ(cut(3, 3, 10),
                  (std::vector<piece>{{3, 3, 0}, {4, 4, 2}, {8, 8, 2}, {12, 12, 0}}));
}

TEST(crd, the_receivers_alignment_limits_the_pieces_too)
{
        EXPECT_EQ(cut(8, 2, 4), (std::vector<piece>{{8, 2, 1}, {10, 4, 1}}));
}

TEST(crd, a_range_that_begins_at_0_uses_the_largest_order)
{
        EXPECT_EQ(cut(0, 0, static_cast<nova_word_t>(1) << 32),
                  (std::vector<piece>{{0, 0, 31}, {0x80000000, 0x80000000, 31}}));
}

TEST(crd, nothing_is_cut_into_nothing)
{
        EXPECT_TRUE(cut(5, 5, 0).empty());
}

TEST(crd, selectors_that_no_descriptor_can_name_are_left_out)
{
        const nova_sel_t last = NOVA_CRD_BASE_END - 1;

        EXPECT_EQ(cut(last, last, 100), (std::vector<piece>{{last, last, 0}}));
        EXPECT_TRUE(cut(NOVA_CRD_BASE_END, 0, 1).empty());
        EXPECT_TRUE(cut(~static_cast<nova_sel_t>(0), ~static_cast<nova_sel_t>(0),
                        ~static_cast<nova_word_t>(0))
                            .empty());
}

TEST(crd, pieces_cover_each_range_once_and_are_aligned)
{
        for (nova_sel_t base = 0; base < 40; base++)
                for (nova_sel_t hotspot = 0; hotspot < 20; hotspot++)
                        for (nova_word_t count = 0; count < 40; count++) {
                                nova_sel_t next = base;

                                for (const piece &p : cut(base, hotspot, count)) {
                                        const nova_word_t size = static_cast<nova_word_t>(1)
                                                                 << p.order;

                                        ASSERT_EQ(p.base, next);
                                        ASSERT_EQ(p.hotspot, hotspot + (next - base));
                                        ASSERT_EQ(p.base % size, 0u);
                                        ASSERT_EQ(p.hotspot % size, 0u);
                                        next += size;
                                }
                                ASSERT_EQ(next, base + count);
                        }
}

/* Returns all selectors of a descriptor as the kernel does: aligned down. */
std::set<nova_sel_t> selectors(nova_crd_t crd)
{
        std::set<nova_sel_t> all;
        const nova_word_t size = static_cast<nova_word_t>(1) << nova_crd_order(crd);

        if (nova_crd_type(crd) == NOVA_CRD_NULL)
                return all;
        for (nova_sel_t sel = nova_crd_base(crd) / size * size; all.size() < size; sel++)
                all.insert(sel);
        return all;
}

nova_crd_t random_crd(std::mt19937 &random)
{
        return nova_crd(random() % 4, random() % 64, random() % 6, random() % 8);
}

TEST(crd, set_operations_agree_with_sets)
{
        std::mt19937 random{7};

        for (unsigned round = 0; round < 20000; round++) {
                const nova_crd_t a = random_crd(random), b = random_crd(random);
                const auto in_a = selectors(a), in_b = selectors(b);
                std::set<nova_sel_t> both;

                for (nova_sel_t sel : in_a)
                        if (nova_crd_type(a) == nova_crd_type(b) && in_b.count(sel))
                                both.insert(sel);
                ASSERT_EQ(nova_crd_overlaps(a, b), !both.empty());
                ASSERT_EQ(nova_crd_contains(a, b), !both.empty() && both == in_b);

                const nova_crd_t common = nova_crd_intersection(a, b);
                const unsigned perms = nova_crd_perms(a) & nova_crd_perms(b);

                ASSERT_EQ(selectors(common), perms ? both : std::set<nova_sel_t>());
                if (perms && !both.empty()) {
                        ASSERT_EQ(nova_crd_perms(common), perms);
                        ASSERT_TRUE(nova_crd_aligned(common));
                }
                if (!in_a.empty()) {
                        ASSERT_EQ(nova_crd_first(a), *in_a.begin());
                        ASSERT_EQ(nova_crd_last(a), *in_a.rbegin());
                        ASSERT_EQ(nova_crd_aligned(a), nova_crd_base(a) == *in_a.begin());
                }
        }
}

TEST(crd, the_largest_descriptors_do_not_overflow)
{
        const nova_crd_t all = nova_crd_all(NOVA_CRD_MEM);
        const nova_crd_t top = nova_crd_mem(NOVA_CRD_BASE_END - 1, NOVA_CRD_ORDER_MAX, 1);

        EXPECT_EQ(nova_crd_last(all), 0x7fffffffu);
        EXPECT_EQ(nova_crd_last(top), NOVA_CRD_BASE_END - 1);
        EXPECT_TRUE(nova_crd_contains(top, nova_crd_mem(NOVA_CRD_BASE_END - 1, 0, 1)));
        EXPECT_FALSE(nova_crd_overlaps(nova_crd_null(), nova_crd_null()));
}

TEST(crd, spaces_end_where_the_interface_says)
{
        EXPECT_EQ(nova_crd_space_end(NOVA_CRD_IO), 0x10000u);
        EXPECT_EQ(nova_crd_space_end(NOVA_CRD_OBJ), 0x4000000u);
        EXPECT_EQ(nova_crd_space_end(NOVA_CRD_MEM), 0x10000000000000u);
}

/* Finds the pieces by brute force: at each place the largest aligned block that fits. */
std::vector<piece> brute(nova_sel_t base, nova_sel_t hotspot, nova_word_t count, nova_sel_t end)
{
        std::vector<piece> pieces;

        for (nova_word_t done = 0; done < count && pieces.size() < 300;) {
                const nova_sel_t from = base + done, to = hotspot + done;
                unsigned best = 99;

                for (unsigned order = 0; order <= NOVA_CRD_ORDER_MAX; order++) {
                        const nova_word_t size = static_cast<nova_word_t>(1) << order;

                        if (from % size == 0 && to % size == 0 && size <= count - done &&
                            from + size <= end && to + size <= end)
                                best = order;
                }
                if (best == 99)
                        break;
                pieces.push_back({from, to, best});
                done += static_cast<nova_word_t>(1) << best;
        }
        return pieces;
}

TEST(crd, random_splits_agree_with_brute_force_in_every_space)
{
        const unsigned types[] = {NOVA_CRD_MEM, NOVA_CRD_IO, NOVA_CRD_OBJ};
        std::mt19937_64 random{11};

        for (unsigned round = 0; round < 10000; round++) {
                const unsigned type = types[round % 3];
                const nova_sel_t end = nova_crd_space_end(type);
                nova_sel_t base = random() >> random() % 64, hotspot = random() >> random() % 64;

                if (random() % 4 == 0)
                        base = end - 1 - random() % 100;
                if (random() % 2)
                        hotspot = base;
                base %= end + 3;
                hotspot %= end + 3;
                const nova_word_t count = random() % 8 ? random() >> (34 + random() % 30)
                                                       : ~static_cast<nova_word_t>(0);
                nova_crd_range range = {type, 1, base, hotspot, count};
                std::vector<piece> pieces;
                nova_crd_t crd;
                nova_sel_t to;

                while (pieces.size() < 300 && nova_crd_next(&range, &crd, &to))
                        pieces.push_back({nova_crd_base(crd), to, nova_crd_order(crd)});
                if (pieces.size() < 300) {
                        ASSERT_EQ(range.count, 0u);
                }
                ASSERT_EQ(pieces, brute(base, hotspot, count, end))
                        << base << " " << hotspot << " " << count;
        }
}

TEST(crd, ranges_of_memory_are_made_of_all_pages_touched)
{
        const auto range = [](uint64_t addr, uint64_t size) {
                const nova_crd_range r = nova_crd_range_mem(addr, size, NOVA_MEM_R);
                EXPECT_EQ(r.base, r.hotspot);
                return std::pair<nova_sel_t, nova_word_t>(r.base, r.count);
        };
        using pair = std::pair<nova_sel_t, nova_word_t>;

        EXPECT_EQ(range(0x1fff, 2), pair(1, 2));
        EXPECT_EQ(range(0x1000, 0x1000), pair(1, 1));
        EXPECT_EQ(range(0x1000, 0x1001), pair(1, 2));
        EXPECT_EQ(range(0x1000, 0), pair(0, 0));
        EXPECT_EQ(range(0, UINT64_MAX), pair(0, NOVA_CRD_BASE_END));
        EXPECT_EQ(range(UINT64_MAX, UINT64_MAX), pair(NOVA_CRD_BASE_END - 1, 1));
        EXPECT_EQ(range(0x3000, UINT64_MAX), pair(3, NOVA_CRD_BASE_END - 3));
}

TEST(qpd, values_out_of_range_are_brought_into_it)
{
        EXPECT_EQ(nova_qpd_prio(nova_qpd_clamped(1, 0)), 1u);
        EXPECT_EQ(nova_qpd_prio(nova_qpd_clamped(1, 256)), static_cast<unsigned>(NOVA_PRIO_MAX));
        EXPECT_EQ(nova_qpd_quantum(nova_qpd_clamped(0, 1)), 1u);
        EXPECT_EQ(nova_qpd_quantum(nova_qpd_clamped(UINT64_MAX, 1)), NOVA_QPD_QUANTUM_MAX);
        EXPECT_EQ(nova_qpd_quantum(nova_qpd_clamped(10000, 1)), 10000u);
}

} // namespace
