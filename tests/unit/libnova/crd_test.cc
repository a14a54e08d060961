/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors, and cutting ranges into aligned pieces. */
#include "nova/crd.h"
#include "nova/qpd.h"

#include <gtest/gtest.h>
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

TEST(crd, fields_come_back_from_a_descriptor)
{
        const nova_crd_t crd = nova_crd_obj(0x4321, 7, NOVA_SM_UP);

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

TEST(crd, what_no_descriptor_can_name_is_left_out)
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

TEST(qpd, values_out_of_range_are_brought_into_it)
{
        EXPECT_EQ(nova_qpd_prio(nova_qpd_clamped(1, 0)), 1u);
        EXPECT_EQ(nova_qpd_prio(nova_qpd_clamped(1, 256)), static_cast<unsigned>(NOVA_PRIO_MAX));
        EXPECT_EQ(nova_qpd_quantum(nova_qpd_clamped(0, 1)), 1u);
        EXPECT_EQ(nova_qpd_quantum(nova_qpd_clamped(UINT64_MAX, 1)), NOVA_QPD_QUANTUM_MAX);
        EXPECT_EQ(nova_qpd_quantum(nova_qpd_clamped(10000, 1)), 10000u);
}

} // namespace
