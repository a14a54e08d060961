// SPDX-License-Identifier: BSD-2-Clause
// Revocations that find no memory to cut a mapping below the caller's. They take this mapping with
// all mappings below it, and no others, even if a thread of its PD has stopped in the middle of a
// revocation.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "kernel.h"
#include "stepwise.h"

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10001; // large pages never fit
constexpr word_t COUNT = 256, HALF = COUNT / 2;

// One mapping of a parent, which has delegated its halves to two children.
struct Family : Kernel {
        static constexpr word_t QUOTA = word_t{1} << 20;
        pd *parent = make_pd(), *hostile = make_poor(), *sibling = make_pd();

        explicit Family(unsigned attr = 0)
        {
                delegate(&kernel_pd, SOURCE, parent, BASE, COUNT, NOVA_CRD_MEM, 7, 0);
                delegate(parent, BASE, hostile, BASE, HALF, NOVA_CRD_MEM, 7, attr);
                delegate(parent, BASE + HALF, sibling, BASE, HALF, NOVA_CRD_MEM, 7, 0);
        }

        ~Family()
        {
                empty();
        }

        // Makes a PD with an account of its own.
        pd *make_poor()
        {
                pd *made = nullptr;
                EXPECT_EQ(pd_create(&kernel_pd, &account_root, QUOTA, &made), NOVA_SUCCESS);
                pds.push_back(made);
                return made;
        }

        // Makes the hostile PD's account full; empty() makes room again.
        void fill()
        {
                hostile->account->limit = hostile->account->used;
        }

        void empty()
        {
                hostile->account->limit = QUOTA;
        }

        size_t has(pd *one)
        {
                return caps_of(one, NOVA_CRD_MEM).size();
        }

        void check(bool settled = true)
        {
                for (pd *one : pds)
                        check_pd(one, settled);
        }
};

TEST(uncut, mapping_goes_and_its_siblings_stay_if_its_account_is_full)
{
        for (const bool self : {false, true})
                for (const unsigned attr : {0u, unsigned(MAPPING_WHOLE)}) {
                        Family f(attr);
                        f.fill();
                        f.revoke(f.parent, BASE + 7, BASE + 7, NOVA_CRD_MEM, NOVA_MEM_RWX, self);
                        EXPECT_EQ(f.has(f.hostile), 0u);
                        EXPECT_EQ(f.has(f.sibling), HALF);
                        EXPECT_EQ(f.has(f.parent), COUNT - self);
                        f.check();
                }
}

TEST(uncut, mapping_goes_and_its_siblings_stay_if_the_pool_is_empty)
{
        Family f;
        f.delegate(f.hostile, BASE, f.hostile, BASE + COUNT, HALF, NOVA_CRD_MEM, 7, 0);
        fake_settle();
        fake_fail_allocations_from(0);
        f.revoke(f.parent, BASE + 7, BASE + 7, NOVA_CRD_MEM, NOVA_MEM_RWX, false);
        fake_fail_allocation(-1);
        EXPECT_EQ(f.has(f.hostile), 0u);
        EXPECT_EQ(f.has(f.sibling), HALF);
        EXPECT_EQ(f.has(f.parent), COUNT);
        f.check();
}

// The range has one page of each child's mapping. Only the hostile child's account is full.
TEST(uncut, mapping_at_one_end_goes_and_the_mapping_at_the_other_end_is_cut)
{
        Family f;
        pd *third = f.make_pd();
        f.delegate(f.sibling, BASE, third, BASE, HALF, NOVA_CRD_MEM, 7, 0);
        f.fill();
        f.revoke(f.parent, BASE + HALF - 1, BASE + HALF, NOVA_CRD_MEM, NOVA_MEM_RWX, false);
        EXPECT_EQ(f.has(f.hostile), 0u);
        EXPECT_EQ(f.has(f.sibling), HALF - 1);
        EXPECT_EQ(f.has(third), HALF - 1);
        f.check();
}

// The range spans two mappings of the caller, and memory to cut the first one is missing. The whole
// first mapping goes, and its memory pays for the cut of the second one.
TEST(uncut, mapping_of_the_caller_goes_alone)
{
        Family f;
        f.delegate(&kernel_pd, SOURCE + COUNT, f.hostile, BASE + HALF, COUNT, NOVA_CRD_MEM, 7, 0);
        EXPECT_EQ(f.has(f.hostile), HALF + COUNT);
        f.fill();
        f.revoke(f.hostile, BASE + HALF - 2, BASE + HALF + 5, NOVA_CRD_MEM, NOVA_MEM_RWX, true);
        EXPECT_EQ(f.has(f.hostile), COUNT - 6);
        EXPECT_EQ(f.has(f.parent), COUNT);
        f.check();
}

// A thread of the hostile PD stops after any number of steps of its own revocation. The parent then
// revokes pages one by one. It needs memory only to cut its own mapping.
TEST(uncut, mapping_goes_alone_while_a_thread_of_its_pd_revokes_it)
{
        for (unsigned steps = 1; steps < 40; steps++)
                for (const unsigned variant : {0u, 1u, 2u, 3u}) {
                        SCOPED_TRACE(steps * 10 + variant);
                        const bool self = variant & 1;
                        Family f(variant & 2 ? MAPPING_WHOLE : 0);
                        for (word_t copy = 1; copy < 6; copy++)
                                f.delegate(f.hostile, BASE + (copy > 3 ? 0 : COUNT), f.hostile,
                                           BASE + copy * COUNT, HALF, NOVA_CRD_MEM, 7, 0);
                        for (word_t copy = 1; copy < 6; copy++)
                                f.delegate(f.hostile, BASE, f.hostile, BASE + copy * COUNT, HALF,
                                           NOVA_CRD_MEM, 7, 0);
                        Step slow(f.hostile, BASE, BASE + HALF - 1, NOVA_MEM_RWX, true);
                        for (unsigned i = 0; i < steps; i++)
                                slow.once();
                        f.fill();
                        fake_settle();
                        if (!self)
                                fake_fail_allocations_from(0);
                        for (const word_t page : {7, 9, 8, 100, 55}) {
                                Step r(f.parent, BASE + page, BASE + page, NOVA_MEM_RWX, self);
                                EXPECT_LT(r.finish(), 200u);
                                EXPECT_FALSE(r.r.whole);
                        }
                        fake_fail_allocation(-1);
                        EXPECT_EQ(f.has(f.sibling), HALF);
                        EXPECT_EQ(f.has(f.parent), COUNT - (self ? 5 : 0));
                        check_pd(f.parent, false);
                        check_pd(f.sibling, false);
                        slow.finish();
                        f.check();
                        EXPECT_EQ(f.has(f.hostile), 0u);
                }
}

// Several threads of the hostile PD stop, each at another mapping below the revoked one.
TEST(uncut, mapping_goes_alone_while_many_threads_of_its_pd_revoke_below_it)
{
        for (unsigned steps = 1; steps < 12; steps++) {
                SCOPED_TRACE(steps);
                Family f;
                for (word_t copy = 1; copy < 8; copy++)
                        f.delegate(f.hostile, BASE, f.hostile, BASE + copy * COUNT, HALF,
                                   NOVA_CRD_MEM, 7, 0);
                for (word_t i = 0; i < HALF; i += 8)
                        f.delegate(f.hostile, BASE + i, f.hostile, BASE + 8 * COUNT + i, 1,
                                   NOVA_CRD_MEM, 7, 0);
                std::vector<std::unique_ptr<Step>> slow;
                for (word_t copy = 0; copy < 9; copy++) {
                        const word_t at = BASE + copy % 8 * COUNT;
                        slow.push_back(std::make_unique<Step>(f.hostile, at, at + HALF - 1,
                                                              NOVA_MEM_RWX, copy % 3 != 2));
                        for (unsigned i = 0; i < steps + copy % 2; i++)
                                slow.back()->once();
                }
                f.fill();
                for (const word_t page : {7, 9, 8, 100, 55}) {
                        Step r(f.parent, BASE + page, BASE + page, NOVA_MEM_RWX, page != 8);
                        EXPECT_LT(r.finish(), 500u);
                        EXPECT_FALSE(r.r.whole);
                }
                EXPECT_EQ(f.has(f.sibling), HALF);
                EXPECT_EQ(f.has(f.parent), COUNT - 4);
                check_pd(f.parent, false);
                check_pd(f.sibling, false);
                for (auto &one : slow)
                        one->finish();
                f.check();
                EXPECT_EQ(f.has(f.hostile), 0u);
        }
}

// A chain of mappings ends in many mappings of one page, at which threads of the hostile PD stop.
struct Deep : Family {
        static constexpr word_t LEVELS = 30, THREADS = 4, EACH = HALF / THREADS;
        std::vector<std::unique_ptr<Step>> slow;

        Deep()
        {
                for (word_t i = 0; i < LEVELS; i++)
                        delegate(hostile, BASE + i * COUNT, hostile, BASE + (i + 1) * COUNT, HALF,
                                 NOVA_CRD_MEM, 7, 0);
                const word_t last = BASE + LEVELS * COUNT;
                for (word_t i = 0; i < HALF; i++)
                        delegate(hostile, last + i, hostile, last + COUNT + 2 * i, 1, NOVA_CRD_MEM,
                                 7, 0);
                for (word_t i = 0; i < THREADS; i++) {
                        const word_t at = last + i * EACH;
                        slow.push_back(std::make_unique<Step>(hostile, at, at + EACH - 1,
                                                              NOVA_MEM_RWX, false));
                        EXPECT_EQ(slow.back()->once(), STEP_AGAIN);
                }
        }
};

// The levels above the threads have no rights, and are not cut at the revoking PD's cost.
TEST(uncut, chain_with_threads_below_it_costs_the_revoking_pd_nothing)
{
        Deep f;
        f.fill();
        fake_settle();
        const word_t before = account_root.used;
        for (word_t page = 1; page < HALF; page += 7) {
                f.revoke(f.parent, BASE + page, BASE + page, NOVA_CRD_MEM, NOVA_MEM_RWX, false);
                EXPECT_LE(account_root.used, before) << page;
        }
        EXPECT_EQ(f.has(f.sibling), HALF);
        EXPECT_EQ(f.has(f.parent), COUNT);
        for (auto &one : f.slow)
                one->finish();
        f.check();
}

// A thread stops in a range at the end of a mapping. The mapping is taken, and ends before the
// range. The PD then receives other pages before the range.
TEST(uncut, range_of_a_thread_does_not_grow_when_the_mapping_becomes_shorter)
{
        constexpr word_t FROM = 64;
        Family f(MAPPING_WHOLE);
        for (word_t i = 0; i < HALF; i++)
                f.delegate(f.hostile, BASE + i, f.hostile, BASE + COUNT + 2 * i, 1, NOVA_CRD_MEM, 7,
                           0);
        Step slow(f.hostile, BASE + FROM, BASE + HALF - 1, NOVA_MEM_RWX, false);
        EXPECT_EQ(slow.once(), STEP_AGAIN);
        f.revoke(f.parent, BASE + 7, BASE + 7, NOVA_CRD_MEM, NOVA_MEM_RWX, false);
        EXPECT_EQ(f.has(f.hostile), 0u);
        f.delegate(f.parent, BASE, f.hostile, BASE, FROM, NOVA_CRD_MEM, 7, 0);
        f.delegate(f.hostile, BASE + 10, f.sibling, BASE + COUNT, 20, NOVA_CRD_MEM, 7, 0);
        EXPECT_EQ(f.has(f.sibling), HALF + 20);
        slow.finish();
        EXPECT_EQ(f.has(f.sibling), HALF + 20);
        f.check();
}

// A thread has taken the rights of each level of a chain, and stops below it. Each level must be
// taken, but the levels below it are not visited again.
TEST(uncut, chain_without_rights_is_visited_once)
{
        constexpr word_t LEVELS = 200;
        Family f;
        for (word_t i = 0; i < LEVELS; i++)
                f.delegate(f.hostile, BASE + i * COUNT, f.hostile, BASE + (i + 1) * COUNT, HALF,
                           NOVA_CRD_MEM, 7, 0);
        Step slow(f.hostile, BASE, BASE + HALF - 1, NOVA_MEM_RWX, true);
        for (unsigned i = 0; i < LEVELS && f.has(f.hostile) > HALF; i++)
                EXPECT_EQ(slow.once(), STEP_AGAIN);
        f.fill();
        EXPECT_LT(Step(f.parent, BASE + 7, BASE + 7, NOVA_MEM_RWX, false).finish(), LEVELS);
        slow.finish();
        f.check();
}

// Many mappings under a limit are at the end of a chain. The revocation goes down the chain once.
TEST(uncut, chain_is_visited_once_for_all_mappings_that_are_taken)
{
        constexpr word_t LEVELS = 200, LEAVES = 60;
        Family f;
        for (word_t i = 0; i < LEVELS; i++)
                f.delegate(f.hostile, BASE + i * COUNT, f.hostile, BASE + (i + 1) * COUNT, HALF,
                           NOVA_CRD_MEM, 7, 0);
        pd *other = f.make_pd();
        for (word_t i = 0; i < LEAVES; i++)
                f.delegate(f.hostile, BASE + LEVELS * COUNT, other, BASE + i * COUNT, HALF,
                           NOVA_CRD_MEM, 7, MAPPING_WHOLE);
        EXPECT_EQ(f.has(other), LEAVES * HALF);
        EXPECT_LT(Step(f.parent, BASE + 7, BASE + 7, NOVA_MEM_RWX, false).finish(), 4 * LEVELS);
        EXPECT_EQ(f.has(other), 0u);
        EXPECT_EQ(f.has(f.hostile), (LEVELS + 1) * (HALF - 1));
        f.check();
}

// A thread revokes a mapping from its own PD and stops. Another revocation cuts the mapping, and a
// third one begins to take the upper part. The first one returns after the last right below is
// gone.
TEST(uncut, mapping_stays_in_its_space_until_nothing_below_it_has_rights)
{
        Family f;
        pd *other = f.make_pd();
        for (word_t i = 0; i < HALF; i++)
                f.delegate(f.hostile, BASE + i, other, BASE + 2 * i, 1, NOVA_CRD_MEM, 7, 0);
        Step slow(f.hostile, BASE, BASE + HALF - 1, NOVA_MEM_RWX, true);
        while (f.has(other) == HALF)
                EXPECT_EQ(slow.once(), STEP_AGAIN);
        EXPECT_GT(f.has(other), HALF - 20);
        f.revoke(f.parent, BASE + 40, BASE + 40, NOVA_CRD_MEM, NOVA_MEM_X, false);
        f.fill();
        Step third(f.parent, BASE + HALF - 1, BASE + HALF - 1, NOVA_MEM_X, false);
        while (!third.r.takes || third.r.syncs)
                EXPECT_EQ(third.once(), STEP_AGAIN);
        EXPECT_GT(f.has(other), 0u);
        slow.finish();
        EXPECT_EQ(f.has(other), 0u);
        third.finish();
        EXPECT_EQ(f.has(f.hostile), 0u);
        f.check();
}

// A thread revokes pages of a mapping that another thread is taking, and stops. The PD then
// receives other pages at its place. Of these, it loses at most the pages that the thread revokes.
TEST(uncut, mapping_at_the_place_of_a_taken_one_stays)
{
        constexpr word_t FIRST = 10, LAST = 20;
        for (unsigned levels = 0; levels < 20; levels++) {
                SCOPED_TRACE(levels);
                Family f(MAPPING_WHOLE);
                pd *other = f.make_pd();
                for (word_t i = 0; i < levels; i++)
                        f.delegate(f.hostile, BASE + i * COUNT, f.hostile, BASE + (i + 1) * COUNT,
                                   HALF, NOVA_CRD_MEM, 7, 0);
                for (word_t i = 0; i < HALF; i++)
                        f.delegate(f.hostile, BASE + i, f.sibling, BASE + COUNT + 2 * i, 1,
                                   NOVA_CRD_MEM, 7, 0);
                f.delegate(f.hostile, BASE + levels * COUNT + FIRST - 1, other, BASE, 2,
                           NOVA_CRD_MEM, 7, MAPPING_WHOLE);
                Step taker(f.hostile, BASE, BASE + HALF - 1, NOVA_MEM_RWX, true);
                EXPECT_EQ(taker.once(), STEP_AGAIN);
                Step slow(f.hostile, BASE + FIRST, BASE + LAST, NOVA_MEM_RWX, true);
                while (!slow.r.whole)
                        ASSERT_EQ(slow.once(), STEP_AGAIN);
                taker.finish();
                f.delegate(f.parent, BASE, f.hostile, BASE, HALF, NOVA_CRD_MEM, 7, 0);
                slow.finish();
                EXPECT_GE(f.has(f.hostile), HALF - (LAST - FIRST + 1));
                f.check();
        }
}

// Another revocation has taken the rights of the mapping. It removes the mapping from its space, so
// that the place is free when it returns, although the revocation that takes the mapping has
// stopped.
TEST(uncut, mapping_without_rights_leaves_with_the_revocation_that_took_its_rights)
{
        constexpr word_t PAGES = 2048, PLACE = BASE + 1500;
        Family f;
        pd *grandparent = f.make_pd(), *parent = f.make_pd(), *other = f.make_pd();
        pd *const poor = f.hostile;

        f.delegate(&kernel_pd, SOURCE + COUNT, grandparent, BASE, PAGES, NOVA_CRD_MEM, 7, 0);
        f.delegate(grandparent, BASE, parent, BASE, PAGES, NOVA_CRD_MEM, 7, 0);
        f.revoke(f.parent, BASE, BASE + COUNT - 1, NOVA_CRD_MEM, NOVA_MEM_RWX, false);
        f.delegate(parent, BASE, poor, BASE, PAGES, NOVA_CRD_MEM, 7, 0);
        for (word_t i = 0; i < 200; i++)
                f.delegate(poor, PLACE + i, other, BASE + 2 * i, 1, NOVA_CRD_MEM, 7, 0);
        Step takes_rights(parent, BASE, BASE + PAGES - 1, NOVA_MEM_RWX, false);
        EXPECT_EQ(takes_rights.once(), STEP_AGAIN);
        f.revoke(grandparent, PLACE - 100, PLACE - 100, NOVA_CRD_MEM, NOVA_MEM_X, false);
        f.fill();
        Step takes(grandparent, PLACE + 300, PLACE + 300, NOVA_MEM_X, false);
        while (!takes.r.takes || takes.r.syncs)
                ASSERT_EQ(takes.once(), STEP_AGAIN);
        takes_rights.finish();
        f.empty();
        f.delegate(parent, PLACE, poor, PLACE, 10, NOVA_CRD_MEM, 7, 0);
        EXPECT_EQ(f.has(poor), 10u);
        takes.finish();
        f.revoke(grandparent, BASE, BASE + PAGES - 1, NOVA_CRD_MEM, NOVA_MEM_RWX, true);
}

// The parent's thread ends after any number of steps. A later revocation completes its work.
TEST(uncut, mapping_leaves_nothing_below_it_if_the_revoking_thread_ends)
{
        for (unsigned steps = 0; steps < 12; steps++) {
                SCOPED_TRACE(steps);
                Family f;
                f.delegate(f.hostile, BASE, f.hostile, BASE + COUNT, HALF, NOVA_CRD_MEM, 7, 0);
                f.delegate(f.hostile, BASE + COUNT, f.hostile, BASE + 2 * COUNT, HALF, NOVA_CRD_MEM,
                           7, 0);
                f.fill();
                Step r(f.parent, BASE + 7, BASE + 7, NOVA_MEM_RWX, false);
                bool done = false;
                for (unsigned i = 0; i < steps && !done; i++)
                        done = r.once() == STEP_DONE;
                if (!done)
                        abandon(&r.r);
                f.check(false);
                EXPECT_EQ(f.has(f.sibling), HALF);
                f.revoke(f.parent, BASE, BASE + HALF - 1, NOVA_CRD_MEM, NOVA_MEM_RWX, false);
                EXPECT_EQ(f.has(f.hostile), 0u);
                EXPECT_EQ(f.has(f.sibling), HALF);
                f.check();
        }
}

} // namespace
