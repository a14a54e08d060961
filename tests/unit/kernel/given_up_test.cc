// SPDX-License-Identifier: BSD-2-Clause
// The mapping database after threads have ended in the middle of a revocation or a delegation,
// while other threads split the mappings on which the ended threads worked. Also the bound on each
// step of that work with interrupts off.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernel.h"

extern "C" {
#include "space/mapping_tree.h"
}

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x4000; // large pages never fit
constexpr word_t PIECES = 10000;

// The bounds of one step. A search or the removal of a mapping takes about 300 instructions; the
// bound of a stretch with interrupts off is 32,000.
constexpr unsigned long SEARCHES = 64;
constexpr long FREED = 32;

struct Revocation {
        revocation r;

        Revocation(pd *from, word_t first, word_t last, unsigned perms, bool self)
        {
                revocation_begin(&r, &from->memory.space, first, last, perms, self);
        }

        step_result once()
        {
                return revocation_step(&r);
        }

        void finish()
        {
                while (once() == STEP_AGAIN)
                        ;
        }
};

// Checks a step against its bounds.
class Watch
{
      public:
        Watch() : searches(fake_searches), objects(taken_now().objects)
        {
        }

        ~Watch()
        {
                EXPECT_LE(fake_searches - searches, SEARCHES);
                EXPECT_LE(objects - taken_now().objects, FREED);
        }

      private:
        unsigned long searches;
        long objects;
};

void cut_into_pieces(pd *owner, word_t count, word_t every)
{
        for (word_t i = every / 2; i < count; i += every)
                Revocation(owner, BASE + i, BASE + i, NOVA_MEM_RWX, true).finish();
}

// Checks that the selectors are free: a new delegation reaches the whole range.
void expect_free(Kernel &kernel, pd *owner, word_t count)
{
        EXPECT_TRUE(caps_of(owner, NOVA_CRD_MEM).empty());
        check_pd(owner);
        kernel.delegate(&kernel_pd, SOURCE, owner, BASE, count, NOVA_CRD_MEM, 7);
        EXPECT_EQ(caps_of(owner, NOVA_CRD_MEM).size(), count);
        check_pd(owner);
}

// A thread revokes a range from its own PD, and another thread of the PD splits the range into
// pieces.
TEST(given_up, revocation_leaves_no_mapping_without_rights_among_pieces)
{
        for (unsigned steps = 1; steps < 60; steps++) {
                SCOPED_TRACE(steps);
                Kernel kernel;
                pd *a = kernel.make_pd(), *b = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
                for (word_t i = 0; i < 2000; i += 40)
                        kernel.delegate(a, BASE + i, b, BASE + i, 25, NOVA_CRD_MEM, 7);
                const Taken before = taken_now();
                Revocation first(a, BASE, BASE + 1999, NOVA_MEM_RWX, true);
                EXPECT_EQ(first.once(), STEP_AGAIN);
                cut_into_pieces(a, 2000, 10);
                for (unsigned i = 1; i < steps; i++)
                        first.once();
                abandon(&first.r);
                EXPECT_LE(taken_now().objects, before.objects);
                // Derived mappings are gone, too, because `a` could no longer revoke them.
                EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
                check_pd(b);
                expect_free(kernel, a, 2000);
        }
}

// A mapping that came into the range meanwhile belongs to another delegation, and stays.
TEST(given_up, revocation_takes_no_more_than_it_had_begun_with)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        kernel.delegate(&kernel_pd, SOURCE + 3000, a, BASE + 3000, 100, NOVA_CRD_MEM, 7);
        Revocation first(a, BASE, BASE + 3999, NOVA_MEM_RWX, true);
        EXPECT_EQ(first.once(), STEP_AGAIN);
        kernel.revoke(&kernel_pd, SOURCE + 1000, SOURCE + 1999, NOVA_CRD_MEM, 7, false);
        cut_into_pieces(a, 1000, 100);
        first.once();
        abandon(&first.r);
        const Caps left = caps_of(a, NOVA_CRD_MEM);
        EXPECT_EQ(left.size(), 100u);
        EXPECT_EQ(left.begin()->first, BASE + 3000);
        check_pd(a);
}

TEST(given_up, revocation_goes_over_any_number_of_pieces_in_short_steps)
{
        for (unsigned steps = 1; steps < 100; steps += 14) {
                Kernel kernel(32768);
                pd *a = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, PIECES, NOVA_CRD_MEM, 7);
                Revocation first(a, BASE, BASE + PIECES - 1, NOVA_MEM_RWX, true);
                EXPECT_EQ(first.once(), STEP_AGAIN);
                cut_into_pieces(a, PIECES, 2);
                for (unsigned i = 1; i < steps; i++) {
                        Watch watch;
                        first.once();
                }
                bool done = false;
                while (!done && !HasFailure()) {
                        Watch watch;
                        done = revocation_finish_step(&first.r);
                }
                expect_free(kernel, a, 2000);
        }
}

// The parent's revocation holds the mapping of a child. The child splits this mapping.
TEST(short_steps, take_out_any_number_of_pieces_of_a_mapping)
{
        for (const bool gives_up : {false, true}) {
                Kernel kernel(32768);
                pd *a = kernel.make_pd(), *b = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, PIECES, NOVA_CRD_MEM, 7);
                kernel.delegate(a, BASE, b, BASE, PIECES, NOVA_CRD_MEM, 7);
                Revocation first(a, BASE, BASE + PIECES - 1, NOVA_MEM_RWX, false);
                EXPECT_EQ(first.once(), STEP_AGAIN);
                cut_into_pieces(b, PIECES, 2);
                bool done = false;
                while (!done && !HasFailure()) {
                        Watch watch;
                        done = gives_up ? revocation_finish_step(&first.r)
                                        : first.once() == STEP_DONE;
                }
                expect_free(kernel, b, 2000);
        }
}

// After the splits the owner delegates any number of ranges that begin before the revoked range and
// reach into it.
TEST(short_steps, pass_any_number_of_siblings_that_cross_the_range)
{
        Kernel kernel(32768);
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 1000, NOVA_CRD_MEM, 7);
        for (word_t i = 0; i < 40; i++)
                kernel.delegate(a, BASE + 500 + i, b, BASE + i, 1, NOVA_CRD_MEM, 7);
        Revocation first(a, BASE + 500, BASE + 600, NOVA_MEM_RWX, false);
        EXPECT_EQ(first.once(), STEP_AGAIN);
        EXPECT_NE(first.r.pin, nullptr); // nothing is left to split
        for (word_t i = 0; i < PIECES; i++)
                kernel.delegate(a, BASE + (i % 2 ? 590 : 499), b, BASE + 100 + 20 * i,
                                i % 2 ? 12 : 2, NOVA_CRD_MEM, 7);
        bool done = false;
        while (!done && !HasFailure()) {
                Watch watch;
                done = first.once() == STEP_DONE;
        }
        EXPECT_EQ(caps_of(b, NOVA_CRD_MEM).size(), PIECES * 7);
        Revocation(a, BASE, BASE + 999, NOVA_MEM_RWX, false).finish();
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(b);
}

// Each mapping of a chain has lost its rights and waits for the last mapping, which another
// revocation holds.
TEST(short_steps, free_a_chain_that_waited_for_its_end)
{
        for (const bool gives_up : {false, true}) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                constexpr word_t LINKS = 900;
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, 40, NOVA_CRD_MEM, 7);
                const Taken before = taken_now();
                for (word_t i = 0; i < LINKS; i++)
                        kernel.delegate(a, BASE + 100 * i, a, BASE + 100 * (i + 1), 40,
                                        NOVA_CRD_MEM, 7);
                const word_t last = BASE + 100 * LINKS;
                for (word_t i = 0; i < 40; i++)
                        kernel.delegate(a, last + i, a, last + 100 + i, 1, NOVA_CRD_MEM, 7);
                Revocation below(a, last, last + 39, NOVA_MEM_RWX, false);
                EXPECT_EQ(below.once(), STEP_AGAIN);
                Revocation(a, BASE, BASE + 39, NOVA_MEM_RWX, false).finish();
                EXPECT_GE(taken_now().objects, before.objects + long(LINKS));
                bool done = false;
                while (!done && !HasFailure()) {
                        Watch watch;
                        done = gives_up ? revocation_finish_step(&below.r)
                                        : below.once() == STEP_DONE;
                }
                EXPECT_EQ(taken_now().objects, before.objects);
        }
}

// A revocation is at the last mapping of a chain whose other mappings have left the space. Another
// revocation cuts the whole chain, so that each piece of the last mapping has a chain of its own
// above it.
TEST(short_steps, free_the_chains_above_pieces_of_a_mapping)
{
        constexpr word_t LINKS = 100, SIZE = 1500, GAP = 2000;
        for (const bool gives_up : {false, true}) {
                Kernel kernel(32768);
                pd *a = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, SIZE, NOVA_CRD_MEM, 7);
                const Taken before = taken_now();
                for (word_t i = 0; i < LINKS; i++)
                        kernel.delegate(a, BASE + GAP * i, a, BASE + GAP * (i + 1), SIZE,
                                        NOVA_CRD_MEM, 7);
                Revocation first(a, BASE, BASE + SIZE - 1, NOVA_MEM_RWX, false);
                const word_t last = BASE + GAP * LINKS;
                while (!first.r.pin || first.r.pin->in_space.start != last || !first.r.syncs)
                        ASSERT_EQ(first.once(), STEP_AGAIN);
                for (word_t x = SIZE - 100; x > 0; x -= 100)
                        Revocation(a, BASE, BASE + x - 1, NOVA_MEM_RWX, false).finish();
                EXPECT_GE(taken_now().objects, before.objects + 10 * long(LINKS));
                bool done = false;
                while (!done && !HasFailure()) {
                        Watch watch;
                        done = gives_up ? revocation_finish_step(&first.r)
                                        : first.once() == STEP_DONE;
                }
                while (!done && first.once() == STEP_AGAIN)
                        ;
                EXPECT_EQ(taken_now().objects, before.objects);
                check_pd(a);
        }
}

// A delegation takes back the mappings that it has entered below a chain of mappings. The chain is
// revoked and cut meanwhile, so that each piece of the last mapping has a chain of its own above
// it.
TEST(short_steps, free_the_chains_above_pieces_of_a_delegation_that_failed)
{
        constexpr word_t LINKS = 100, SIZE = 5000, GAP = 6000;
        Kernel kernel(32768);
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, SIZE, NOVA_CRD_MEM, 7);
        const Taken before = taken_now();
        for (word_t i = 0; i < LINKS; i++)
                kernel.delegate(a, BASE + GAP * i, a, BASE + GAP * (i + 1), SIZE, NOVA_CRD_MEM, 7);
        delegation d = make_delegation(a, BASE + GAP * LINKS, b, BASE, SIZE, NOVA_CRD_MEM, 7);
        for (unsigned i = 0; i < 7; i++)
                ASSERT_EQ(delegation_step(&d), STEP_AGAIN);
        fake_fail_allocations_from(0);
        while (!d.failed)
                ASSERT_EQ(delegation_step(&d), STEP_AGAIN);
        fake_fail_allocations_from(-1);
        Revocation(a, BASE, BASE + SIZE - 1, NOVA_MEM_RWX, false).finish();
        for (word_t x = SIZE - 100; x > 0; x -= 100)
                Revocation(a, BASE, BASE + x - 1, NOVA_MEM_RWX, false).finish();
        EXPECT_GE(taken_now().objects, before.objects + 10 * long(LINKS));
        step_result result = STEP_AGAIN;
        while (result == STEP_AGAIN && !HasFailure()) {
                Watch watch;
                result = delegation_step(&d);
        }
        while (result == STEP_AGAIN)
                result = delegation_step(&d);
        EXPECT_EQ(result, STEP_FAILED);
        EXPECT_EQ(taken_now().objects, before.objects);
        check_pd(a);
        check_pd(b);
}

// The thread or its partner ends when part of the tables has been written.
TEST(given_up, delegation_leaves_a_mapping_with_its_tables)
{
        for (unsigned steps = 1; steps < 5; steps++) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
                for (unsigned i = 0; i < steps; i++)
                        delegation_step(&d);
                abandon(&d);
                check_pd(a);
        }
}

TEST(given_up, delegation_without_memory_leaves_no_mapping_without_rights)
{
        for (unsigned steps = 0; steps < 8; steps++) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 5000, NOVA_CRD_MEM, 7);
                for (unsigned i = 0; i < 7; i++)
                        EXPECT_EQ(delegation_step(&d), STEP_AGAIN);
                fake_fail_allocations_from(0);
                for (unsigned i = 0; i < steps; i++)
                        if (delegation_step(&d) != STEP_AGAIN)
                                break;
                abandon(&d);
                fake_fail_allocations_from(-1);
                check_pd(a);
                kernel.revoke(a, BASE, BASE + 4999, NOVA_CRD_MEM, 7, true);
                expect_free(kernel, a, 5000);
        }
}

// The receiver's PD ends while the delegating thread is preempted.
TEST(given_up, delegation_lets_a_pd_go_that_has_ended)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        const Taken before = taken_now();
        pd *b = kernel.make_pd();
        delegation d = make_delegation(&kernel_pd, SOURCE, b, BASE, 2000, NOVA_CRD_MEM, 7);
        EXPECT_EQ(delegation_step(&d), STEP_AGAIN);
        kernel.destroy(b);
        abandon(&d);
        fake_settle();
        EXPECT_EQ(taken_now(), before);
        check_pd(a);
}

// The mappings of a delegation are revoked before its tables are written. A second delegation,
// which may begin before the range of the first one, enters mappings there. When memory then runs
// out, the first one must not take back the mappings of the second.
TEST(taken_back, is_nothing_that_another_delegation_entered_in_its_place)
{
        for (const bool whole : {false, true}) {
                Kernel kernel;
                pd *a = kernel.make_pd();
                delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
                EXPECT_EQ(delegation_step(&d), STEP_AGAIN);
                kernel.revoke(&kernel_pd, SOURCE + (whole ? 0 : 500), SOURCE + 1999, NOVA_CRD_MEM,
                              7, false);
                const word_t below = whole ? 600 : 0;
                delegation other = make_delegation(&kernel_pd, SOURCE + 5000, a, BASE - below, 2600,
                                                   NOVA_CRD_MEM, 7);
                step_result otherwise = delegation_step(&other);
                while (!whole && otherwise == STEP_AGAIN && other.at < 600)
                        otherwise = delegation_step(&other);
                EXPECT_EQ(otherwise, STEP_AGAIN);
                fake_fail_allocations_from(0);
                step_result result;
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                fake_fail_allocations_from(-1);
                EXPECT_EQ(result, STEP_DONE);
                EXPECT_LE(d.at, d.count); // d.at has not wrapped around
                while ((otherwise = delegation_step(&other)) == STEP_AGAIN)
                        ;
                EXPECT_EQ(otherwise, STEP_DONE);
                EXPECT_EQ(caps_of(a, NOVA_CRD_MEM).size(), 2600u);
                check_pd(a);
        }
}

// The receiver has delegated further before memory ran out: the mappings derived from its mapping
// lose the same permissions.
TEST(taken_back, are_mappings_derived_from_a_mapping_without_memory)
{
        for (const bool ends : {false, true})
                for (unsigned steps = 0; steps < 12; steps++) {
                        Kernel kernel;
                        pd *a = kernel.make_pd(), *b = kernel.make_pd(), *c = kernel.make_pd();
                        delegation d =
                                make_delegation(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
                        EXPECT_EQ(delegation_step(&d), STEP_AGAIN);
                        for (word_t i = 0; i < 100; i++)
                                kernel.delegate(a, BASE + 10 * i, b, BASE + 10 * i, 5, NOVA_CRD_MEM,
                                                7);
                        kernel.delegate(b, BASE, c, BASE, 900, NOVA_CRD_MEM, 7);
                        const Taken before = taken_now();
                        fake_fail_allocations_from(0);
                        step_result result = STEP_AGAIN;
                        for (unsigned i = 0; result == STEP_AGAIN && !(ends && i == steps); i++)
                                result = delegation_step(&d);
                        fake_fail_allocations_from(-1);
                        abandon(&d);
                        EXPECT_LT(taken_now().objects, before.objects + 1);
                        for (pd *one : kernel.pds)
                                check_pd(one);
                        if (ends && !steps)
                                continue; /* memory has not run out */
                        EXPECT_TRUE(ends || result == STEP_FAILED);
                        EXPECT_EQ(caps_of(b, NOVA_CRD_MEM).empty(),
                                  caps_of(a, NOVA_CRD_MEM).empty());
                        EXPECT_EQ(caps_of(c, NOVA_CRD_MEM).empty(),
                                  caps_of(a, NOVA_CRD_MEM).empty());
                        EXPECT_TRUE(ends || caps_of(a, NOVA_CRD_MEM).empty());
                }
}

// When memory runs out, a piece that another revocation has split off is taken back, too.
TEST(taken_back, are_all_pieces_of_a_mapping_without_memory)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        delegation d = make_delegation(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        EXPECT_EQ(delegation_step(&d), STEP_AGAIN);
        kernel.delegate(a, BASE + 1000, b, BASE, 500, NOVA_CRD_MEM, 7);
        kernel.revoke(&kernel_pd, SOURCE + 1200, SOURCE + 1299, NOVA_CRD_MEM, 7, false);
        fake_fail_allocations_from(0);
        step_result result;
        while ((result = delegation_step(&d)) == STEP_AGAIN)
                ;
        EXPECT_EQ(result, STEP_FAILED);
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        fake_fail_allocations_from(-1);
        while ((result = delegation_step(&d)) == STEP_AGAIN)
                ;
        EXPECT_EQ(result, STEP_DONE);
        EXPECT_EQ(caps_of(a, NOVA_CRD_MEM).size(), 2000u);
        kernel.revoke(&kernel_pd, SOURCE, SOURCE + 1999, NOVA_CRD_MEM, 7, false);
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(a);
        check_pd(b);
}

} // namespace
