// SPDX-License-Identifier: BSD-2-Clause
// Revocations of one permission while other PDs cut, delegate and revoke below the walk.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>

#include "kernel.h"
#include "stepwise.h"

extern "C" {
#include "arch/x86/pte.h"
#include "space/mapping_tree.h"
}

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10000; // large pages never fit
constexpr unsigned RX = NOVA_MEM_R | NOVA_MEM_X;

// A shares a range with the hostile PD B, which delegates it to C, and C delegates it to D.
struct Chain : Kernel {
        static constexpr word_t COUNT = 64;
        pd *a = make_pd(), *b = make_pd(), *c = make_pd(), *d = make_pd();

        Chain()
        {
                delegate(&kernel_pd, SOURCE, a, BASE, COUNT, NOVA_CRD_MEM, NOVA_MEM_RWX);
                delegate(a, BASE, b, BASE, COUNT, NOVA_CRD_MEM, NOVA_MEM_RWX);
                give(0, COUNT, NOVA_MEM_RWX);
        }

        // Gives pages at..end - 1 of B to C in one piece, and from there to D, page by page.
        void give(word_t at, word_t end, unsigned perms)
        {
                if (at < end)
                        delegate(b, BASE + at, c, BASE + at, end - at, NOVA_CRD_MEM, perms);
                for (; at < end; at++)
                        delegate(c, BASE + at, d, BASE + at, 1, NOVA_CRD_MEM, perms);
        }

        // Replaces the mappings of pages at..end - 1 by new ones.
        void renew(word_t at, word_t end)
        {
                if (at < end)
                        Step(b, BASE + at, BASE + end - 1, NOVA_MEM_RWX, false).finish();
                give(at, end, RX);
        }

        // Cuts the mapping of C above the place of a walk, and replaces the rest.
        void disturb(const revocation &r)
        {
                mapping *const here = r.pin;

                if (!here || here->depth != 4)
                        return;
                const word_t at = here->in_parent.start - SOURCE;
                if (mapping_parent(here)->in_parent.start - SOURCE < at)
                        Step(b, BASE + at, BASE + COUNT - 1, NOVA_MEM_X, false).finish();
                const tree_node piece = mapping_parent(here)->in_parent;
                renew(0, piece.start - SOURCE);
                renew(piece.last - SOURCE + 1, COUNT);
        }
};

unsigned usual_steps()
{
        Chain quiet;
        return Step(quiet.a, BASE, BASE + Chain::COUNT - 1, NOVA_MEM_W, false).finish();
}

// Each piece of a mapping could be replaced by a new mapping after the walk has passed it, so the
// walk would return to this place for ever.
TEST(walk, ends_although_another_pd_cuts_and_replaces_the_mappings_above_it)
{
        const unsigned usual = usual_steps();
        Chain chain;
        Step first(chain.a, BASE, BASE + Chain::COUNT - 1, NOVA_MEM_W, false);
        unsigned steps = 1;
        while (first.once() == STEP_AGAIN) {
                ASSERT_LT(steps++, 4 * usual + 2 * Chain::COUNT);
                chain.disturb(first.r);
        }
        for (pd *one : {chain.b, chain.c, chain.d}) {
                check_pd(one);
                EXPECT_EQ(pages_with(one->memory.tables.root, 3, PTE_WRITE), 0u);
        }
}

// The walk repeats only the siblings that it may have missed: those of the mapping that was cut.
TEST(walk, does_not_return_to_the_mappings_of_other_pds)
{
        constexpr word_t OTHERS = 1000, COUNT = 64, ALL = OTHERS + COUNT;
        Kernel kernel;
        pd *a = kernel.make_pd(), *b = kernel.make_pd(), *c = kernel.make_pd();
        kernel.delegate(&kernel_pd, SOURCE, a, BASE, ALL, NOVA_CRD_MEM, NOVA_MEM_RWX);
        for (word_t i = 0; i < OTHERS; i++)
                kernel.delegate(a, BASE + i, c, BASE + i, 1, NOVA_CRD_MEM, NOVA_MEM_RWX);
        const word_t hostile = BASE + OTHERS;
        kernel.delegate(a, hostile, b, hostile, COUNT, NOVA_CRD_MEM, NOVA_MEM_RWX);
        for (word_t i = 0; i < COUNT; i++)
                kernel.delegate(b, hostile + i, c, hostile + i, 1, NOVA_CRD_MEM, NOVA_MEM_RWX);

        Step first(a, BASE, BASE + ALL - 1, NOVA_MEM_W, false);
        unsigned steps = 1, cuts = 0;
        while (first.once() == STEP_AGAIN) {
                mapping *const here = first.r.pin;
                ASSERT_LT(steps++, OTHERS / 4);
                if (!here || here->depth != 3)
                        continue;
                const word_t at = here->in_parent.start;
                if (mapping_parent(here)->in_parent.start == at)
                        continue;
                cuts++;
                Step(b, BASE + (at - SOURCE), BASE + ALL - 1, NOVA_MEM_X, true).finish();
        }
        EXPECT_GT(cuts, 2u);
        for (pd *one : {b, c}) {
                check_pd(one);
                EXPECT_EQ(pages_with(one->memory.tables.root, 3, PTE_WRITE), 0u);
        }
}

// Random operations of three PDs that hold memory of a fourth one, which revokes writing.
class Crowd
{
      public:
        explicit Crowd(unsigned seed) : random(seed)
        {
                kernel.delegate(&kernel_pd, SOURCE, owner, BASE, COUNT, NOVA_CRD_MEM, NOVA_MEM_RWX);
                kernel.delegate(owner, BASE, others[0], BASE, COUNT, NOVA_CRD_MEM, NOVA_MEM_RWX);
                for (unsigned i = 0; i < 40; i++)
                        add();
        }

        // Returns false if the walk takes too long.
        bool run()
        {
                Step first(owner, BASE, BASE + COUNT - 1, NOVA_MEM_W, false);
                for (unsigned steps = 0; first.once() == STEP_AGAIN; steps++) {
                        if (steps == 5000)
                                return false;
                        for (word_t i = number(4); i; i--)
                                act(first.r.pin);
                }
                for (pd *one : others) {
                        EXPECT_EQ(pages_with(one->memory.tables.root, 3, PTE_WRITE), 0u);
                        for (const auto &[sel, cap] : caps_of(one, NOVA_CRD_MEM))
                                EXPECT_EQ(cap.perms & NOVA_MEM_W, 0u) << sel;
                }
                for (auto &one : begun)
                        if (one)
                                one->finish();
                for (pd *one : others)
                        check_pd(one);
                return true;
        }

      private:
        static constexpr word_t COUNT = 120;

        word_t number(word_t below)
        {
                return random() % below;
        }

        pd *any()
        {
                return others[number(3)];
        }

        void add()
        {
                const word_t count = 1 + number(number(3) ? 10 : COUNT);
                const word_t first = number(COUNT - count + 1);
                const unsigned perms = number(3) ? NOVA_MEM_RWX : 1 + unsigned(number(7));
                kernel.delegate(any(), BASE + first + COUNT * number(3), any(),
                                BASE + first + COUNT * number(3), count, NOVA_CRD_MEM, perms);
        }

        // Cuts a mapping at or above the place of the walk, once or twice, and may then take away
        // the part before the place.
        void cut(mapping *here)
        {
                for (word_t i = number(4); i && here->depth > 2; i--)
                        here = mapping_parent(here);
                const word_t size = here->in_space.last - here->in_space.start + 1;
                if (here->depth < 2 || !here->space || size < 2)
                        return;
                pd *const holder = here->space->pd;
                const word_t first = here->in_space.start, at = first + 1 + number(size - 1),
                             last = here->in_space.last;
                Step(holder, at, last, NOVA_MEM_X, true).finish();
                if (number(2) && at < last)
                        Step(holder, at + 1 + number(last - at), last, NOVA_MEM_X, true).finish();
                if (number(2))
                        Step(holder, number(2) ? first : at, at + number(last - at + 1),
                             NOVA_MEM_RWX, true)
                                .finish();
        }

        // Disturbs the walk, or begins a revocation in one of three places, or continues the one
        // that is there.
        void act(mapping *here)
        {
                auto &one = begun[number(3)];

                if (here && number(3) == 0) {
                        cut(here);
                } else if (number(2)) {
                        add();
                } else if (one) {
                        if (one->once() == STEP_DONE)
                                one.reset();
                } else {
                        const word_t count = 1 + number(number(4) ? 5 : COUNT);
                        const word_t first = BASE + number(3 * COUNT - count + 1);
                        one = std::make_unique<Step>(any(), first, first + count - 1,
                                                     1 + unsigned(number(7)), number(2));
                }
        }

        Kernel kernel;
        std::mt19937_64 random;
        pd *const owner = kernel.make_pd();
        pd *const others[3] = {kernel.make_pd(), kernel.make_pd(), kernel.make_pd()};
        std::unique_ptr<Step> begun[3];
};

TEST(walk, leaves_no_permission_whatever_others_do_meanwhile)
{
        const char *const more = std::getenv("NOVA_WALKS");
        const unsigned last = more ? unsigned(std::atoi(more)) : 1000;

        for (unsigned seed = 1; seed <= last && !HasFailure(); seed++) {
                EXPECT_TRUE(Crowd(seed).run());
                EXPECT_FALSE(HasFailure()) << "seed " << seed;
        }
}

} // namespace
