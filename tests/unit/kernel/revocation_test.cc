// SPDX-License-Identifier: BSD-2-Clause
// Revocations that meet other revocations, or that end with their thread.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "kernel.h"
#include "stepwise.h"

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10000; // large pages never fit

// Two revocations at a time. The first one is in progress when the second one cuts the mapping that
// the first one holds, or the mapping with which the first one began.
TEST(revocation, revokes_all_though_another_revocation_cuts_its_first_mapping)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        for (word_t i = 0; i < 2000; i += 10)
                kernel.delegate(a, BASE + i, b, BASE + i, 10, NOVA_CRD_MEM, 7);
        Step first(a, BASE, BASE + 1999, NOVA_PERM_ALL, false);
        EXPECT_EQ(first.once(), STEP_AGAIN);
        Step second(a, BASE + 1000, BASE + 1999, NOVA_MEM_W, true);
        second.finish();
        first.finish();
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(a);
        check_pd(b);
}

TEST(revocation, revokes_all_though_another_revocation_cuts_its_own_mapping)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        for (word_t i = 0; i < 2000; i += 10)
                kernel.delegate(a, BASE + i, b, BASE + i, 10, NOVA_CRD_MEM, 7);
        Step first(a, BASE, BASE + 1999, NOVA_PERM_ALL, true);
        for (unsigned i = 0; i < 5; i++)
                EXPECT_EQ(first.once(), STEP_AGAIN);
        Step second(&kernel_pd, SOURCE + 1000, SOURCE + 1999, NOVA_MEM_W, false);
        second.finish();
        first.finish();
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        EXPECT_TRUE(caps_of(b, NOVA_CRD_MEM).empty());
        check_pd(a);
        check_pd(b);
}

// The walk of the first revocation may be below either piece of the cut mapping; siblings begin
// before, between and in the pieces.
TEST(revocation, revokes_from_siblings_though_another_revocation_cuts_their_parent)
{
        for (unsigned steps = 1; steps < 40; steps++) {
                Kernel kernel;
                pd *a = kernel.make_pd(), *b = kernel.make_pd(), *c = kernel.make_pd();
                pd *d = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, 200, NOVA_CRD_MEM, 7);
                kernel.delegate(a, BASE, b, BASE, 200, NOVA_CRD_MEM, 7);
                for (word_t i = 0; i < 200; i++)
                        kernel.delegate(b, BASE + i, c, BASE + i, 1, NOVA_CRD_MEM, 7);
                for (word_t i = 0; i < 200; i += 20)
                        kernel.delegate(a, BASE + i, d, BASE + i, 10, NOVA_CRD_MEM, 7);
                Step first(a, BASE, BASE + 199, NOVA_MEM_W, false);
                for (unsigned i = 0; i < steps; i++)
                        first.once();
                Step(a, BASE, BASE + 99, NOVA_MEM_R, false).finish();
                first.finish();
                for (pd *one : {b, c, d}) {
                        for (const auto &cap : caps_of(one, NOVA_CRD_MEM))
                                EXPECT_EQ(cap.second.perms & NOVA_MEM_W, 0u) << steps << " steps";
                        check_pd(one);
                }
        }
}

TEST(revocation, clears_tables_though_another_revocation_cuts_the_mapping)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        Step first(a, BASE, BASE + 1999, NOVA_MEM_W, true);
        EXPECT_EQ(first.once(), STEP_AGAIN);
        Step(&kernel_pd, SOURCE, SOURCE + 599, NOVA_PERM_ALL, false).finish();
        first.finish();
        check_pd(a); // no page may remain writable
}

// When the second revocation begins, the first one has taken the permission, but has not written
// all entries of the tables.
TEST(revocation, clears_tables_though_another_revocation_has_taken_the_same_right)
{
        for (const bool whole : {false, true}) {
                SCOPED_TRACE(whole);
                Kernel kernel;
                pd *a = kernel.make_pd();
                kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
                Step first(a, BASE, BASE + 1999, NOVA_MEM_W, true);
                EXPECT_EQ(first.once(), STEP_AGAIN);
                const word_t at = SOURCE + (whole ? 0 : 400); // the first step wrote more than 400
                Step(&kernel_pd, at, SOURCE + 1999, NOVA_MEM_W, false).finish();
                check_pd(a, false); // no page may remain writable
                first.finish();
                check_pd(a);
        }
}

// Above the user half only devices and guests have tables. A step may have no budget left when it
// comes to a mapping of one page there.
TEST(revocation, clears_tables_of_single_pages_beyond_the_user_half)
{
        constexpr word_t PAIR = 512, PAIRS = 32;
        const word_t end = NOVA_USER_END >> PAGE_BITS;
        Kernel kernel;
        pd *a = kernel.make_pd();

        kernel.delegate(&kernel_pd, SOURCE, a, BASE, PAIRS * PAIR, NOVA_CRD_MEM, NOVA_MEM_RWX);
        for (word_t i = 0; i < PAIRS; i++) {
                const word_t from = BASE + i * PAIR, to = 2 * BASE + i * PAIR;

                kernel.delegate(a, from, a, to, 256 - i, NOVA_CRD_MEM, NOVA_MEM_RWX);
                kernel.delegate(a, from + 256, a, end + i, 1, NOVA_CRD_MEM, NOVA_MEM_RWX);
        }
        check_pd(a);
        Step(&kernel_pd, SOURCE, SOURCE + PAIRS * PAIR - 1, NOVA_MEM_RWX, false).finish();
        check_pd(a);
}

TEST(revocation, clears_tables_of_a_mapping_that_has_no_rights_left_and_is_cut)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        Step first(a, BASE, BASE + 1999, NOVA_PERM_ALL, true);
        EXPECT_EQ(first.once(), STEP_AGAIN);
        Step(&kernel_pd, SOURCE, SOURCE + 599, NOVA_MEM_W, false).finish();
        first.finish();
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
        check_pd(a);
}

TEST(revocation, leaves_tables_right_when_it_is_given_up)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        Step first(a, BASE, BASE + 1999, NOVA_PERM_ALL, true);
        EXPECT_EQ(first.once(), STEP_AGAIN);
        abandon(&first.r);
        check_pd(a);
}

// The mapping of a new object's capability lies in the object's memory. The kernel does not free
// this memory while a revocation is below the mapping.
TEST(revocation, keeps_an_object_until_it_has_passed_though_another_revocation_ended_the_object)
{
        for (const bool give_up : {false, true}) {
                Kernel kernel;
                pd *a = kernel.make_pd(), *b = kernel.make_pd();
                kernel.make_sm(a, 1);
                kernel.make_sm(b, 1); // creates tables
                kernel.delegate(a, 1, b, 100, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
                const Taken before = taken_now();
                for (word_t i = 0; i < 30; i++)
                        kernel.delegate(b, 100, b, 101 + i, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
                Step below(b, 100, 100, NOVA_PERM_ALL, false, NOVA_CRD_OBJ);
                EXPECT_EQ(below.once(), STEP_AGAIN);
                Step(a, 1, 1, NOVA_PERM_ALL, true, NOVA_CRD_OBJ).finish();
                EXPECT_EQ(caps_of(a, NOVA_CRD_OBJ).size(), 0u);
                EXPECT_EQ(caps_of(b, NOVA_CRD_OBJ).size(), 1u);
                EXPECT_EQ(taken_now().objects, before.objects + 1); // the walk's mapping
                fake_settle();
                EXPECT_EQ(taken_now().objects, before.objects + 1);
                if (give_up)
                        abandon(&below.r);
                else
                        below.finish();
                fake_settle();
                EXPECT_EQ(taken_now().objects, before.objects - 2);
        }
}

// An abandoned revocation may have taken permissions from a capability, but not from the
// capabilities derived from it. The next revocation that passes takes the permissions from these,
// too.
TEST(revocation, completes_an_abandoned_one_of_the_same_mapping)
{
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd();
        kernel.make_sm(a, 1);
        kernel.delegate(a, 1, b, 100, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
        for (word_t i = 0; i < 30; i++)
                kernel.delegate(b, 100, b, 101 + i, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
        Step given_up(a, 1, 1, NOVA_SM_UP, false, NOVA_CRD_OBJ);
        EXPECT_EQ(given_up.once(), STEP_AGAIN);
        abandon(&given_up.r);
        EXPECT_EQ(caps_of(b, NOVA_CRD_OBJ)[100].perms, NOVA_PERM_ALL & ~NOVA_SM_UP);
        unsigned more = 0;
        for (const auto &[sel, cap] : caps_of(b, NOVA_CRD_OBJ))
                more += cap.perms == NOVA_PERM_ALL;
        EXPECT_GT(more, 0u);
        Step(a, 1, 1, NOVA_SM_DN, false, NOVA_CRD_OBJ).finish();
        for (const auto &[sel, cap] : caps_of(b, NOVA_CRD_OBJ))
                EXPECT_EQ(cap.perms, NOVA_PERM_ALL & ~(NOVA_SM_UP | NOVA_SM_DN)) << sel;
        check_pd(b);
}

// A storm of operations on memory or objects.
class Storm : Stepwise
{
      public:
        Storm(unsigned seed, bool give_up, unsigned of)
            : Stepwise(random, 6, give_up ? 64 : 0), random(seed), type(of),
              base(of == NOVA_CRD_MEM ? BASE : RADIX_FIRST - 100),
              size(of == NOVA_CRD_MEM ? 3000 : 200)
        {
                for (unsigned i = 0; i < 4; i++)
                        kernel.make_pd();
                if (type == NOVA_CRD_MEM)
                        kernel.delegate(&kernel_pd, SOURCE, kernel.pds[0], base, size, type, 7);
                for (word_t i = 0; type == NOVA_CRD_OBJ && i < size; i += 2)
                        kernel.make_sm(kernel.pds[0], base + i);
        }

        void run(unsigned steps)
        {
                Stepwise::run(steps);
                for (pd *one : kernel.pds)
                        check_pd(one, !gave_up);
        }

      private:
        bool begin(Work *one) override
        {
                pd *from = kernel.pds[random() % 4], *to = kernel.pds[random() % 4];
                const word_t count = 1 + random() % (random() % 2 ? size : 50);
                const word_t first = base + random() % (size - count + 1);
                const unsigned perms = random() % 3 ? 7 : unsigned(random() % 8);
                one->delegates = random() % 3;
                if (random() % 8 == 0 && type == NOVA_CRD_MEM)
                        from = &kernel_pd;
                const word_t at = from == &kernel_pd ? first - base + SOURCE : first;
                if (one->delegates)
                        one->d = make_delegation(from, at, to, base + random() % size, count, type,
                                                 perms);
                else
                        revocation_begin(&one->r, pd_space(from, type), at, at + count - 1, perms,
                                         from != &kernel_pd && random() % 2);
                return !is_done_at_once(*one);
        }

        bool is_done_at_once(const Work &one)
        {
                if (type != NOVA_CRD_MEM || random() % 2)
                        return false;
                if (one.delegates)
                        return range_delegate(&one.d);
                return !one.r.self && range_revoke(one.r.space, one.r.at, one.r.last, one.r.perms);
        }

        Kernel kernel;
        std::mt19937_64 random;
        const unsigned type;
        const word_t base, size;
};

// Returns the number of storms. The variable NOVA_STORMS can set it, for runs of a minute and more.
unsigned seeds()
{
        const char *more = std::getenv("NOVA_STORMS");
        return more ? unsigned(std::atoi(more)) : 30;
}

TEST(revocation, leaves_the_tables_of_a_pd_without_references_to_the_end_of_the_pd)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, 2000, NOVA_CRD_MEM, 7);
        kernel.pds.clear();
        object_put(&a->object); // the last reference; the end of the PD waits for this CPU
        Step revoke(&kernel_pd, SOURCE, SOURCE + 1999, NOVA_PERM_ALL, false);
        EXPECT_EQ(revoke.once(), STEP_AGAIN);
        EXPECT_EQ(a->object.references, 0u);
        revoke.finish();
        fake_settle();
}

TEST(revocation, keeps_the_database_right_under_a_storm_of_operations)
{
        for (unsigned seed = 1; seed <= seeds() && !HasFailure(); seed++) {
                Storm(seed, false, NOVA_CRD_MEM).run(300);
                Storm(seed, false, NOVA_CRD_OBJ).run(300);
                EXPECT_FALSE(HasFailure()) << "seed " << seed;
        }
}

TEST(revocation, loses_no_memory_when_operations_are_given_up)
{
        for (unsigned seed = 1; seed <= seeds() && !HasFailure(); seed++) {
                Storm(seed, true, NOVA_CRD_MEM).run(300);
                Storm(seed, true, NOVA_CRD_OBJ).run(300);
                EXPECT_FALSE(HasFailure()) << "seed " << seed;
        }
}

} // namespace
