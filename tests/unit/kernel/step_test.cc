// SPDX-License-Identifier: BSD-2-Clause
// Long operations in steps, with other operations between them.
#include <gtest/gtest.h>

#include "kernel.h"
#include "stepwise.h"

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10000; // large pages never fit

TEST(step, ends_a_delegation_after_a_budget_of_entries)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 4096, NOVA_CRD_MEM, 7);
        unsigned steps = 1;
        while (delegation_step(&d) == STEP_AGAIN)
                steps++;
        EXPECT_GE(steps, 4096u / STEP_ENTRIES);
        check_pd(a);
        EXPECT_GE(Step(a, BASE, BASE + 4095, NOVA_MEM_W, true).finish(), 4096u / STEP_ENTRIES);
        check_pd(a);
        // A table is removed as a whole.
        EXPECT_LE(Step(a, BASE, BASE + 4095, 7, true).finish(), 4u);
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        check_pd(a);
}

// Delegates with each limit up to a sufficient one. Afterwards the target's tables and the database
// agree, and no memory stays in use.
void try_limits(Kernel &kernel, pd *from, word_t first, pd *to, word_t base, word_t count,
                unsigned type)
{
        if (type == NOVA_CRD_MEM) { // the root of the DMA table stays
                kernel.delegate(from, first, to, 1, 1, type, NOVA_PERM_ALL);
                kernel.revoke(to, 1, 1, type, NOVA_PERM_ALL, true);
        }
        for (uint32_t limit = 0;; limit += 1000) {
                fake_settle();
                const Taken before = taken_now();
                delegation d = make_delegation(from, first, to, base, count, type, NOVA_PERM_ALL);
                d.left = limit + 1;
                step_result result;
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                check_pd(to);
                if (result == STEP_DONE) {
                        EXPECT_GT(limit, 0u);
                        break;
                }
                ASSERT_EQ(result, STEP_REFUSED);
                EXPECT_TRUE(caps_of(to, type).empty());
                fake_settle();
                EXPECT_EQ(taken_now(), before) << limit;
        }
}

TEST(step, takes_memory_back_that_costs_more_than_the_limit)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        try_limits(kernel, &kernel_pd, SOURCE, a, BASE, 4096, NOVA_CRD_MEM);
}

TEST(step, takes_pieces_of_memory_back_that_cost_more_than_the_limit)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        for (word_t i = 0; i < 40; i++)
                kernel.delegate(&kernel_pd, SOURCE + 3 * i, a, BASE + i, 1, NOVA_CRD_MEM, 7);
        try_limits(kernel, a, BASE, b, BASE, 64, NOVA_CRD_MEM);
}

TEST(step, takes_capabilities_back_that_cost_more_than_the_limit)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        for (word_t i = 0; i < 500; i++)
                kernel.make_sm(a, i);
        try_limits(kernel, a, 0, b, 0, 512, NOVA_CRD_OBJ);
}

TEST(step, leaves_mappings_that_were_delegated_further_before_the_limit_was_met)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 4096, NOVA_CRD_MEM, 7);
        d.left = 5 * PAGE_SIZE;
        EXPECT_EQ(delegation_step(&d), STEP_AGAIN);
        kernel.delegate(a, BASE + 1, b, BASE, 1, NOVA_CRD_MEM, 7);
        step_result result;
        while ((result = delegation_step(&d)) == STEP_AGAIN)
                ;
        EXPECT_EQ(result, STEP_REFUSED);
        check_pd(a);
        check_pd(b);
        EXPECT_FALSE(caps_of(b, NOVA_CRD_MEM).empty());
        Step(&kernel_pd, SOURCE, SOURCE + 4095, 7, false).finish();
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(a);
}

// In the same step, the delegation reaches its limit and finds no memory for a table. The kernel
// takes the mapping back, which never has rights that its parent lacks.
TEST(step, gives_no_rights_that_the_sender_lacks_while_it_takes_memory_back)
{
        for (long fails = 1; fails < 8; fails++)
                for (uint32_t limit = 100; limit < 6 * PAGE_SIZE; limit += 2000) {
                        SCOPED_TRACE(testing::Message() << fails << ' ' << limit);
                        Kernel kernel;
                        pd *a = kernel.make_pd(), *b = kernel.make_pd();
                        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 30000, NOVA_CRD_MEM,
                                        NOVA_MEM_R);
                        kernel.delegate(a, BASE, b, BASE + 40000, 1, NOVA_CRD_MEM, NOVA_MEM_R, 0);
                        delegation d = make_delegation(a, BASE, b, BASE + 300, 30000, NOVA_CRD_MEM,
                                                       NOVA_MEM_RWX, 0);
                        d.left = limit + 1;
                        fake_fail_allocations_from(fails);
                        step_result result;
                        do {
                                result = delegation_step(&d);
                                fake_fail_allocation(-1);
                                const Caps caps = caps_of(b, NOVA_CRD_MEM);
                                for (const auto &[sel, cap] : caps)
                                        ASSERT_FALSE(cap.perms & ~NOVA_MEM_R) << sel;
                        } while (result == STEP_AGAIN);
                        check_pd(b);
                }
}

// A revocation looks for the pieces of a mapping that it has emptied. Meanwhile another thread has
// freed the selectors, and a third thread revokes what it has delegated to these selectors.
TEST(step, takes_out_no_mapping_whose_tables_another_thread_clears)
{
        constexpr word_t COUNT = 30000;
        for (long fails = 1; fails < 4; fails++) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE + COUNT, 1, NOVA_CRD_MEM, 7, 0);
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, COUNT, NOVA_CRD_MEM, 7, 0);
                Step first(&kernel_pd, SOURCE, SOURCE + COUNT - 1, 7, false);
                while (caps_of(a, NOVA_CRD_MEM).at(BASE).perms)
                        ASSERT_EQ(first.once(), STEP_AGAIN);
                Step(a, BASE, BASE + COUNT - 1, 7, true).finish();
                delegation d = make_delegation(&kernel_pd, SOURCE + COUNT, a, BASE, COUNT,
                                               NOVA_CRD_MEM, 7, 0);
                fake_fail_allocations_from(fails);
                step_result result = delegation_step(&d);
                fake_fail_allocation(-1);
                first.finish();
                while (result == STEP_AGAIN)
                        result = delegation_step(&d);
                check_pd(a);
        }
}

// A delegation takes back a mapping. Meanwhile a revocation splits this mapping at a place where
// the tables are already clear.
TEST(step, takes_back_all_pieces_of_a_delegation)
{
        constexpr word_t COUNT = 30000;
        for (word_t cut : {1, 50, 5000, 20000}) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE + COUNT, 1, NOVA_CRD_MEM, 7, 0);
                const Taken before = taken_now();
                delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE + 300, COUNT - 300,
                                               NOVA_CRD_MEM, 7, 0);
                fake_fail_allocations_from(2);
                EXPECT_EQ(delegation_step(&d), STEP_AGAIN);
                fake_fail_allocation(-1);
                Step(&kernel_pd, SOURCE, SOURCE + cut - 1, NOVA_MEM_X, false).finish();
                step_result result;
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                EXPECT_EQ(result, STEP_FAILED);
                EXPECT_EQ(caps_of(a, NOVA_CRD_MEM).size(), 1u);
                EXPECT_EQ(taken_now(), before);
                check_pd(a);
        }
}

// A revocation that has no memory to split a mapping revokes all of it. Another thread then splits
// the mapping beyond the range.
TEST(step, takes_out_all_pieces_of_a_mapping_that_it_takes_whole)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 100, NOVA_CRD_MEM, 7, 0);
        for (word_t i = 0; i < 100; i++)
                kernel.delegate(a, BASE + i, b, BASE + 2 * i, 1, NOVA_CRD_MEM, 7, 0);
        Step first(a, BASE, BASE + 2, 7, true);
        fake_settle();
        fake_fail_allocations_from(0);
        while (!first.r.whole)
                ASSERT_EQ(first.once(), STEP_AGAIN);
        fake_fail_allocation(-1);
        Step(&kernel_pd, SOURCE + 50, SOURCE + 60, NOVA_MEM_W, false).finish();
        first.finish();
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        check_pd(a);
}

// A revocation takes all of a mapping that it has no memory to cut. Another thread removes a piece,
// and the PD receives other pages at its place, beyond the revoked range. They stay.
TEST(step, leaves_a_mapping_that_comes_to_the_place_of_a_piece)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 100, NOVA_CRD_MEM, 7, 0);
        for (word_t i = 0; i < 100; i++)
                kernel.delegate(a, BASE + i, b, BASE + 2 * i, 1, NOVA_CRD_MEM, 7, 0);
        Step first(a, BASE, BASE + 2, NOVA_MEM_RWX, true);
        fake_settle();
        fake_fail_allocations_from(0);
        while (!first.r.whole)
                ASSERT_EQ(first.once(), STEP_AGAIN);
        fake_fail_allocation(-1);
        Step(a, BASE + 50, BASE + 60, NOVA_MEM_RWX, true).finish();
        kernel.delegate(&kernel_pd, SOURCE + 200, a, BASE + 50, 11, NOVA_CRD_MEM, 7, 0);
        first.finish();
        EXPECT_EQ(caps_of(a, NOVA_CRD_MEM).size(), 11u);
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(a);
}

// While a revocation removes the pieces of a mapping from its space, another one cuts the mapping
// again. The new piece leaves the space, too, and its selectors are free again.
TEST(step, takes_out_a_piece_that_is_cut_off_while_others_leave)
{
        for (unsigned steps = 1; steps < 30; steps++) {
                SCOPED_TRACE(steps);
                Kernel kernel;
                pd *a = kernel.make_pd(), *b = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7, 0);
                const Taken before = taken_now();
                kernel.delegate(a, BASE, b, BASE, 2000, NOVA_CRD_MEM, 7, 0);
                Step first(a, BASE, BASE + 1999, NOVA_MEM_RWX, false);
                EXPECT_EQ(first.once(), STEP_AGAIN);
                for (word_t i = 1000; i < 2000; i += 10)
                        Step(b, BASE + i, BASE + i, NOVA_MEM_RWX, true).finish();
                for (unsigned i = 1; i < steps; i++)
                        first.once();
                Step(b, BASE + 500, BASE + 500, NOVA_MEM_RWX, true).finish();
                first.finish();
                EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
                EXPECT_EQ(taken_now().objects, before.objects);
                check_pd(b);
                kernel.delegate(a, BASE, b, BASE, 2000, NOVA_CRD_MEM, 7, 0);
                EXPECT_EQ(caps_of(b, NOVA_CRD_MEM).size(), 2000u);
                check_pd(b);
        }
}

// A revocation has no memory to cut a mapping. Meanwhile another one has removed the mapping from
// its space. The first one holds the last reference, and frees the mapping.
TEST(step, frees_a_mapping_that_it_has_no_memory_to_cut)
{
        for (word_t links = 1; links < 30; links++) {
                SCOPED_TRACE(links);
                Kernel kernel;
                pd *a = kernel.make_pd();
                const Taken before = taken_now();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, 100, NOVA_CRD_MEM, 7, 0);
                for (word_t i = 0; i < links; i++)
                        kernel.delegate(a, BASE + 100 * i, a, BASE + 100 * (i + 1), 100,
                                        NOVA_CRD_MEM, 7, 0);
                Step first(a, BASE + 50, BASE + 59, NOVA_MEM_RWX, false);
                EXPECT_EQ(first.once(), STEP_AGAIN);
                EXPECT_EQ(first.once(), STEP_AGAIN);
                kernel.revoke(&kernel_pd, SOURCE, SOURCE + 99, NOVA_CRD_MEM, 7, false);
                fake_fail_allocations_from(0);
                first.finish();
                fake_fail_allocation(-1);
                EXPECT_EQ(taken_now().objects, before.objects);
        }
}

// A revocation of one permission without memory to split a mapping: mappings derived from a piece
// beyond the range lose the permission, too.
TEST(step, walks_below_all_pieces_of_a_mapping_that_it_takes_whole)
{
        for (word_t at = 20; at < 100; at += 7) {
                Kernel kernel;
                pd *a = kernel.make_pd(), *b = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, 100, NOVA_CRD_MEM, 7, 0);
                for (word_t i = 0; i < 100; i++)
                        kernel.delegate(a, BASE + i, b, BASE + 2 * i, 1, NOVA_CRD_MEM, 7, 0);
                Step first(a, BASE, BASE + 2, NOVA_MEM_W, true);
                fake_settle();
                fake_fail_allocations_from(0);
                while (!first.r.whole)
                        ASSERT_EQ(first.once(), STEP_AGAIN);
                fake_fail_allocation(-1);
                Step(a, BASE + at, BASE + at + 1, NOVA_MEM_X, true).finish();
                first.finish();
                for (pd *one : kernel.pds) {
                        check_pd(one);
                        for (const auto &[sel, cap] : caps_of(one, NOVA_CRD_MEM))
                                ASSERT_FALSE(cap.perms & NOVA_MEM_W) << sel;
                }
        }
}

TEST(step, takes_back_a_mapping_that_another_revocation_meets)
{
        for (unsigned stop = 1; stop < 20; stop++) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 4096, NOVA_CRD_MEM, 7);
                d.left = 5 * PAGE_SIZE;
                step_result result = STEP_AGAIN;
                for (unsigned i = 0; i < stop && result == STEP_AGAIN; i++)
                        result = delegation_step(&d);
                Step(a, BASE + 100, BASE + 3000, 2, true).finish();
                Step other(a, BASE + 5, BASE + 3000, 7, true);
                other.once();
                while (result == STEP_AGAIN)
                        result = delegation_step(&d);
                other.finish();
                check_pd(a);
                Step(&kernel_pd, SOURCE, SOURCE + 4095, 7, false).finish();
                EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
                check_pd(a);
        }
}

// The path to a large page is long, and there may be a DMA table besides.
TEST(step, writes_few_large_pages)
{
        constexpr word_t LARGE = 512, COUNT = 128, FIRST = 0x400000;
        constexpr unsigned STEPS = COUNT * BUDGET_TABLE / STEP_ENTRIES;

        for (const unsigned attr : {0u, unsigned(MAPPING_DMA)}) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                delegation d = make_delegation(&kernel_pd, 0x10000, a, FIRST, COUNT * LARGE,
                                               NOVA_CRD_MEM, 7, attr);
                unsigned steps = 1;
                while (delegation_step(&d) == STEP_AGAIN)
                        steps++;
                EXPECT_GE(steps, STEPS);
                check_pd(a);
                const word_t last = FIRST + COUNT * LARGE - 1;
                EXPECT_GE(Step(a, FIRST, last, NOVA_MEM_W, true).finish(), STEPS);
                check_pd(a);
                EXPECT_GE(Step(a, FIRST, last, 7, true).finish(), STEPS);
                check_pd(a);
        }
}

TEST(step, ends_after_a_budget_of_mappings)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        for (word_t i = 0; i < 500; i++)
                kernel.make_sm(a, i);
        delegation d = make_delegation(a, 0, b, 0, 512, NOVA_CRD_OBJ, NOVA_PERM_ALL);
        unsigned steps = 1;
        while (delegation_step(&d) == STEP_AGAIN)
                steps++;
        EXPECT_GE(steps, 500u / STEP_MAPPINGS);
        EXPECT_EQ(caps_of(b, NOVA_CRD_OBJ).size(), 500u);
        EXPECT_GE(Step(a, 0, 511, NOVA_PERM_ALL, false, NOVA_CRD_OBJ).finish(),
                  500u / STEP_MAPPINGS);
        EXPECT_TRUE(caps_of(b, NOVA_CRD_OBJ).empty());
        EXPECT_EQ(caps_of(a, NOVA_CRD_OBJ).size(), 500u);
}

TEST(step, lets_no_delegation_start_from_a_mapping_that_is_being_revoked)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        Step step(a, BASE, BASE + 1999, NOVA_MEM_W, true);
        EXPECT_EQ(step.once(), STEP_AGAIN);
        kernel.delegate(a, BASE, b, BASE, 2000, NOVA_CRD_MEM, 7);
        step.finish();
        check_pd(a);
        check_pd(b);
        for (const auto &[sel, cap] : caps_of(b, NOVA_CRD_MEM))
                ASSERT_EQ(cap.perms, 5u);
}

TEST(step, is_given_up_without_a_trace_in_the_database)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        kernel.delegate(a, BASE, b, BASE, 2000, NOVA_CRD_MEM, 7);
        for (unsigned steps = 1; steps < 8; steps++) {
                Step step(&kernel_pd, SOURCE, SOURCE + 1999, NOVA_PERM_ALL, false);
                for (unsigned i = 0; i < steps; i++)
                        step.once();
                abandon(&step.r);
                EXPECT_FALSE(revocation_is_open(&step.r));
        }
        Step(&kernel_pd, SOURCE, SOURCE + 1999, NOVA_PERM_ALL, false).finish();
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(a);
        check_pd(b);
}

} // namespace
