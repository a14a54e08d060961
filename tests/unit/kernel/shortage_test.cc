// SPDX-License-Identifier: BSD-2-Clause
// Random delegations and revocations whose allocations fail: one by one against the model, and many
// at a time in steps.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "kernel.h"
#include "model.h"
#include "stepwise.h"

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10001; // large pages never fit
constexpr word_t LARGE = 0x400000;                  // large pages fit, with SOURCE - 1

// Returns a number, such as that of the seeds, which the environment may change.
unsigned number_of(const char *name, unsigned usual)
{
        const char *other = std::getenv(name);
        return other ? unsigned(std::atoi(other)) : usual;
}

unsigned first_seed()
{
        return number_of("NOVA_SHORTAGE_FROM", 1);
}

unsigned last_seed()
{
        return first_seed() + number_of("NOVA_SHORTAGES", 500) - 1;
}

// One kind of space, and the ranges of its operations.
struct Place {
        unsigned type;
        word_t base, source, size;
};

Place place_of(unsigned seed, word_t pages)
{
        switch (seed % 4) {
        case 0:
                return {NOVA_CRD_IO, 0x7f00, 0x7f00, 0x300};
        case 1:
                return {NOVA_CRD_MEM, LARGE, SOURCE - 1, 1100};
        default:
                return {NOVA_CRD_MEM, BASE, SOURCE, pages};
        }
}

// Runs the operations and failures of one seed.
class Shortage
{
      public:
        Shortage(unsigned seed, word_t pages)
            : random(seed), place(place_of(seed, pages)), most_first(seed / 4 % 2)
        {
                for (unsigned i = 0; i < 4; i++)
                        kernel.make_pd();
        }

      protected:
        // Lets one allocation, or it and all later ones, fail in half of all cases.
        void choose_failure(unsigned most)
        {
                const long n = long(random() % most);
                switch (random() % 4) {
                case 0:
                        fake_fail_allocation(n);
                        break;
                case 1:
                        fake_fail_allocations_from(n);
                        break;
                default:
                        fake_fail_allocation(-1);
                }
        }

        // Returns a range of a PD; for the microhypervisor the range from which the other PDs'
        // capabilities come.
        word_t range_of(pd *owner, word_t *first)
        {
                const uint64_t one = random(), other = random();
                const word_t most = (most_first ? one : other) % 2 ? place.size : 40;
                const word_t count = 1 + (most_first ? other : one) % most;
                *first = random() % (place.size - count + 1) +
                         (owner == &kernel_pd ? place.source : place.base);
                return count;
        }

        pd *any_pd()
        {
                return kernel.pds[random() % kernel.pds.size()];
        }

        unsigned any_perms()
        {
                return random() % 3 ? 7 : 1 + unsigned(random() % 7);
        }

        unsigned any_attr()
        {
                return place.type == NOVA_CRD_MEM && random() % 2 ? MAPPING_DMA : 0;
        }

        void check(bool settled)
        {
                for (pd *one : kernel.pds)
                        check_pd(one, settled);
        }

        // Revokes all capabilities of the other PDs, which came from the microhypervisor.
        void take_all_back()
        {
                kernel.revoke(&kernel_pd, place.source, place.source + place.size - 1, place.type,
                              NOVA_PERM_ALL, false);
                for (pd *one : kernel.pds)
                        EXPECT_TRUE(caps_of(one, place.type).empty());
                check(true);
        }

        Kernel kernel;
        std::mt19937_64 random;
        const Place place;
        const bool most_first; // the first of two random numbers chooses `most`, not `count`
};

// One operation after the other: each PD then has the expected capabilities, or fewer where memory
// was missing.
class Single : Shortage
{
      public:
        explicit Single(unsigned seed) : Shortage(seed, 700)
        {
                model.insert(&kernel_pd, place.type, place.source, place.size, place.source,
                             place.type == NOVA_CRD_MEM ? NOVA_MEM_RWX : NOVA_IO_A);
        }

        void run(unsigned operations)
        {
                for (unsigned i = 0; i < operations && !testing::Test::HasFailure(); i++) {
                        const bool lacked = random() % 3 ? delegate() : revoke();
                        compare(lacked);
                        check(true);
                }
                take_all_back();
        }

      private:
        // Returns true if an allocation failed.
        bool delegate()
        {
                pd *from = random() % 4 ? any_pd() : &kernel_pd, *to = any_pd();
                word_t first;
                const word_t count = range_of(from, &first);
                const word_t base = place.base + random() % (place.size - count + 1);
                const unsigned perms = any_perms();
                delegation d = make_delegation(from, first, to, base, count, place.type, perms,
                                               any_attr());
                step_result result;

                model.delegate(from, first, to, base, count, place.type, perms);
                choose_failure(12);
                if (random() % 2 && range_delegate(&d)) {
                        fake_fail_allocation(-1);
                        return false;
                }
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                fake_fail_allocation(-1);
                EXPECT_FALSE(delegation_is_open(&d));
                return result == STEP_FAILED;
        }

        bool revoke()
        {
                pd *from = random() % 4 ? any_pd() : &kernel_pd;
                word_t first;
                const word_t count = range_of(from, &first);
                const unsigned perms = any_perms();
                const bool self = from != &kernel_pd && random() % 2;
                revocation r;

                model.revoke(from, first, first + count - 1, place.type, perms, self);
                choose_failure(4);
                const unsigned refusals = frame_refusals;
                revocation_begin(&r, pd_space(from, place.type), first, first + count - 1, perms,
                                 self);
                while (revocation_step(&r) == STEP_AGAIN)
                        ;
                fake_fail_allocation(-1);
                EXPECT_FALSE(revocation_is_open(&r));
                return frame_refusals != refusals;
        }

        void compare(bool lacked)
        {
                for (pd *one : kernel.pds) {
                        const Caps want = model.caps(one, place.type);
                        const Caps have = caps_of(one, place.type);
                        EXPECT_TRUE(lacked || want == have);
                        for (const auto &[sel, cap] : have) {
                                const auto at = want.find(sel);
                                ASSERT_TRUE(at != want.end()) << std::hex << sel;
                                ASSERT_EQ(at->second.source, cap.source);
                                ASSERT_EQ(cap.perms & ~at->second.perms, 0u);
                        }
                }
                for (pd *one : kernel.pds)
                        if (lacked)
                                model.keep(one, place.type, caps_of(one, place.type));
        }

        Model model;
};

// Many operations at a time; some are abandoned.
class Many : Shortage, Stepwise
{
      public:
        Many(unsigned seed, bool give_up)
            : Shortage(seed, 4000), Stepwise(random, 5, give_up ? 32 : 0)
        {
                kernel.delegate(&kernel_pd, place.source, kernel.pds[0], place.base, place.size,
                                place.type, 7);
        }

        void run(unsigned steps)
        {
                Stepwise::run(steps);
                check(!gave_up);
                take_all_back();
        }

      private:
        bool begin(Work *one) override
        {
                pd *from = random() % 6 ? any_pd() : &kernel_pd, *to = any_pd();
                word_t first;
                const word_t count = range_of(from, &first);
                const unsigned perms = any_perms();
                one->delegates = random() % 3;
                one->tries = unsigned(random() % 3);
                if (one->delegates)
                        one->d =
                                make_delegation(from, first, to, place.base + random() % place.size,
                                                count, place.type, perms, any_attr());
                else
                        revocation_begin(&one->r, pd_space(from, place.type), first,
                                         first + count - 1, perms,
                                         from != &kernel_pd && random() % 2);
                if (one->delegates && random() % 8 == 0)
                        one->d.left = 1 + unsigned(random() % 20000);
                return true;
        }

        void prepare_step() override
        {
                choose_failure(5);
        }

        void finish_step() override
        {
                fake_fail_allocation(-1);
        }
};

TEST(shortage, of_memory_leaves_at_most_the_mappings_of_the_model)
{
        for (unsigned seed = first_seed(); seed <= last_seed() && !HasFailure(); seed++) {
                Single(seed).run(20);
                EXPECT_FALSE(HasFailure()) << "seed " << seed;
        }
}

TEST(shortage, of_memory_gives_no_pd_more_than_its_parent_has)
{
        for (unsigned seed = first_seed(); seed <= last_seed() && !HasFailure(); seed++) {
                Many(seed, false).run(200);
                EXPECT_FALSE(HasFailure()) << "seed " << seed;
        }
}

TEST(shortage, of_memory_loses_none_when_operations_are_given_up)
{
        for (unsigned seed = first_seed(); seed <= last_seed() && !HasFailure(); seed++) {
                Many(seed, true).run(200);
                EXPECT_FALSE(HasFailure()) << "seed " << seed;
        }
}

} // namespace
