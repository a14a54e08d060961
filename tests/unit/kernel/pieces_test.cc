// SPDX-License-Identifier: BSD-2-Clause
// Random revocations that cut one range, which is delegated along a chain of PDs, into many pieces,
// while others take large parts of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "kernel.h"
#include "stepwise.h"

namespace
{

constexpr word_t BASE = 0x400001, SOURCE = 0x10001; // large pages never fit

class Pieces : Stepwise
{
      public:
        Pieces(unsigned seed, bool shortage, bool limit)
            : Stepwise(random, 8, shortage ? 100 : 0), random(seed), lacks(shortage),
              limited(limit), size(200 + random() % 3000)
        {
                for (unsigned i = 0; i < 4; i++)
                        kernel.make_pd();
        }

        void run()
        {
                for (unsigned round = 0; round < 3; round++) {
                        const pd *const first = kernel.pds[0];
                        pd *from = &kernel_pd;
                        for (pd *to : kernel.pds) {
                                kernel.delegate(from, to == first ? SOURCE : BASE, to, BASE, size,
                                                NOVA_CRD_MEM, 7, attributes(random() % 4 == 0));
                                EXPECT_EQ(caps_of(to, NOVA_CRD_MEM).size(), size);
                                from = to;
                        }
                        Stepwise::run(unsigned(50 + random() % 400));
                        for (pd *one : kernel.pds)
                                check_pd(one, !gave_up);
                        for (pd *one : kernel.pds) // the first PD has everything that the others
                                                   // have
                                if (gave_up || one == first)
                                        kernel.revoke(one, BASE, BASE + size - 1, NOVA_CRD_MEM, 7,
                                                      true);
                        for (pd *one : kernel.pds)
                                EXPECT_TRUE(caps_of(one, NOVA_CRD_MEM).empty());
                }
        }

      private:
        unsigned attributes(bool dma)
        {
                return (dma ? MAPPING_DMA : 0) | (limited && random() % 2 ? MAPPING_WHOLE : 0);
        }

        // Begins an operation. Most revocations take few pages, so they cut mappings. The others
        // take half the range or more.
        bool begin(Work *one) override
        {
                const size_t who = random() % 4;
                const bool large = random() % 6 == 0;
                const word_t few = 1 + random() % 3,
                             count = large ? size / 2 + random() % (size / 2) : few;
                const word_t at = random() % (size - count + 1);
                const unsigned perms = large && random() % 4 == 0 ? NOVA_MEM_W : 7;
                pd *pd = kernel.pds[who];

                one->delegates = random() % 16 == 0;
                one->tries = unsigned(random() % 3);
                if (one->delegates)
                        one->d = make_delegation(who ? kernel.pds[who - 1] : &kernel_pd,
                                                 (who ? BASE : SOURCE) + at, pd, BASE + at, count,
                                                 NOVA_CRD_MEM, 7, attributes(random() % 2));
                else
                        revocation_begin(&one->r, &pd->memory.space, BASE + at,
                                         BASE + at + count - 1, perms, random() % 3 != 0);
                return true;
        }

        void prepare_step() override
        {
                if (lacks && random() % 6 == 0)
                        fake_fail_allocations_from(long(random() % 5));
        }

        void finish_step() override
        {
                fake_fail_allocation(-1);
        }

        Kernel kernel;
        std::mt19937_64 random;
        const bool lacks, limited;
        const word_t size;
};

void try_seeds(bool shortage, bool limited = false)
{
        const char *const more = std::getenv("NOVA_PIECES");
        const unsigned last = more ? unsigned(std::atoi(more)) : 400;

        for (unsigned seed = 1; seed <= last && !testing::Test::HasFailure(); seed++) {
                Pieces(seed, shortage, limited).run();
                EXPECT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
        }
}

TEST(pieces, of_a_range_leave_the_space_of_each_pd)
{
        try_seeds(false);
}

TEST(pieces, of_a_range_leave_without_memory_and_when_threads_end)
{
        try_seeds(true);
}

TEST(pieces, of_whole_mappings_leave_as_one)
{
        try_seeds(false, true);
        try_seeds(true, true);
}

} // namespace
