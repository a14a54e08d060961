// SPDX-License-Identifier: BSD-2-Clause
// Revocations of some permissions without any memory: no table keeps a permission that was taken.
#include <gtest/gtest.h>

#include "kernel.h"
#include "stepwise.h"

extern "C" {
#include "arch/x86/pte.h"
#include "space/second_level.h"
}

namespace
{

constexpr word_t LARGE = 512, BASE = 0x400000, SOURCE = 0x10000; // large pages
constexpr unsigned ATTRS[] = {MAPPING_DMA, MAPPING_GUEST, MAPPING_DMA | MAPPING_GUEST, 0};
constexpr unsigned READ = 1, WRITE = 2, EXECUTE = 4; // of a guest's page

// A kernel whose devices or guests have small pages where a page table has a large one.
struct Small : Kernel {
        explicit Small(unsigned kind) : attr(kind), large(dma_format.large)
        {
                if (attr & MAPPING_DMA)
                        dma_format.large = 0;
                if (attr & MAPPING_GUEST) {
                        guest_format.levels = 4;
                        guest_format.large = 2;
                        guest_format.small_execute = true;
                        guest_format.read = guest_format.page = READ;
                        guest_format.write = WRITE;
                        guest_format.execute = EXECUTE;
                        guest_format.table = guest_format.top_table = READ | WRITE | EXECUTE;
                }
                owner = make_pd();
        }

        ~Small()
        {
                destroy(owner);
                dma_format.large = large;
                guest_format = {};
        }

        Small(const Small &) = delete;
        Small &operator=(const Small &) = delete;

        const unsigned attr, large;
        pd *owner;
};

void expect_no_writing(const pd &owner)
{
        EXPECT_EQ(pages_with(owner.dma.root, 3, FAKE_DMA_WRITE), 0u);
        EXPECT_EQ(pages_with(owner.guest.root, 3, WRITE), 0u);
        EXPECT_EQ(pages_with(owner.memory.tables.root, 3, PTE_WRITE), 0u);
}

// A step first writes the pages before the large ones, so that it ends at various places of the
// large pages.
TEST(reduce, takes_writing_from_large_pages_without_memory)
{
        for (const unsigned attr : ATTRS)
                for (const word_t before : {0, 1, 100, 256, 300, 480}) {
                        SCOPED_TRACE(testing::Message() << attr << ' ' << before);
                        Small world(attr);
                        const word_t count = 3 * LARGE + 7;
                        if (before)
                                world.delegate(&kernel_pd, SOURCE - before, world.owner,
                                               BASE - before, before, NOVA_CRD_MEM, NOVA_MEM_RWX,
                                               attr);
                        world.delegate(&kernel_pd, SOURCE, world.owner, BASE, count, NOVA_CRD_MEM,
                                       NOVA_MEM_RWX, attr);
                        fake_settle();
                        const Taken taken = taken_now();
                        fake_fail_allocations_from(0);
                        Step(world.owner, BASE - before, BASE + count - 1, NOVA_MEM_W, true)
                                .finish();
                        EXPECT_EQ(fake_allocations(), 0);
                        fake_fail_allocation(-1);
                        EXPECT_EQ(taken_now(), taken);
                        expect_no_writing(*world.owner);
                        check_pd(world.owner);
                }
}

// A delegation has not written all tables yet. It goes on after the revocation, without memory or
// with it.
TEST(reduce, takes_writing_from_a_mapping_that_is_being_delegated)
{
        for (const unsigned attr : ATTRS)
                for (const word_t before : {0, 1, 100, 256, 300, 511})
                        for (unsigned steps = 1; steps < 6; steps++) {
                                const bool goes_on = (before + steps) % 2;
                                SCOPED_TRACE(testing::Message() << attr << ' ' << before << ' '
                                                                << steps << ' ' << goes_on);
                                Small world(attr);
                                const word_t first = BASE - before, count = before + 3 * LARGE + 7;
                                delegation d = make_delegation(&kernel_pd, SOURCE - before,
                                                               world.owner, first, count,
                                                               NOVA_CRD_MEM, NOVA_MEM_RWX, attr);
                                step_result result = STEP_AGAIN;
                                for (unsigned i = 0; i < steps && result == STEP_AGAIN; i++)
                                        result = delegation_step(&d);
                                fake_fail_allocations_from(0);
                                Step(&kernel_pd, SOURCE - before, SOURCE - before + count - 1,
                                     NOVA_MEM_W, false)
                                        .finish();
                                EXPECT_EQ(fake_allocations(), 0);
                                expect_no_writing(*world.owner);
                                if (goes_on)
                                        fake_fail_allocation(-1);
                                while (result == STEP_AGAIN)
                                        result = delegation_step(&d);
                                fake_fail_allocation(-1);
                                expect_no_writing(*world.owner);
                                check_pd(world.owner);
                        }
}

} // namespace
