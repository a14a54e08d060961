// SPDX-License-Identifier: BSD-2-Clause
// DMA page tables and the assignment of devices. What a table holds is compared with the database
// by check_pd(), in all other tests too.
#include <gtest/gtest.h>

#include "kernel.h"

extern "C" {
#include "arch/x86/pte.h"
}

namespace
{

constexpr word_t SOURCE = 0x10000, BASE = 0x40000;
constexpr unsigned RW = NOVA_MEM_R | NOVA_MEM_W;

// The entry that maps a page, and its level.
uint64_t entry_of(const pd *owner, word_t page, unsigned *level)
{
        const uint64_t *table = owner->dma.root;
        for (*level = 3;; --*level) {
                const uint64_t entry = table[page >> 9 * *level & 511];
                if (!entry || !*level || entry & SECOND_LEVEL_LARGE)
                        return entry;
                table = static_cast<uint64_t *>(phys_to_pool(entry & PTE_ADDRESS));
        }
}

unsigned level_of(const pd *owner, word_t page)
{
        unsigned level;
        return entry_of(owner, page, &level) ? level : 9;
}

struct World : Kernel {
        pd *a = make_pd(), *b = make_pd();

        void give(word_t from, word_t to, word_t count, unsigned perms = RW,
                  unsigned attr = MAPPING_DMA)
        {
                delegate(&kernel_pd, from, a, to, count, NOVA_CRD_MEM, perms, attr);
                check_pd(a);
        }

        void take(word_t first, word_t last, unsigned perms = NOVA_PERM_ALL)
        {
                revoke(a, first, last, NOVA_CRD_MEM, perms, true);
                check_pd(a);
        }
};

} // namespace

TEST(dma, uses_large_pages_where_range_and_alignment_allow)
{
        World w;
        w.give(SOURCE - 1, BASE - 1, 1026);
        EXPECT_EQ(level_of(w.a, BASE - 1), 0u);
        EXPECT_EQ(level_of(w.a, BASE), 1u);
        EXPECT_EQ(level_of(w.a, BASE + 1023), 1u);
        EXPECT_EQ(level_of(w.a, BASE + 1024), 0u);
        w.give(SOURCE + 1, BASE + 0x1000, 1024);
        EXPECT_EQ(level_of(w.a, BASE + 0x1000), 0u);
}

TEST(dma, splits_the_largest_page_for_one_page_in_it)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        mapping_insert(&kernel_pd.memory.space, 0x40000000, 0x40000, 0x40000000, RW);
        kernel.delegate(&kernel_pd, 0x40000000, a, BASE, 0x40000, NOVA_CRD_MEM, RW, MAPPING_DMA);
        EXPECT_EQ(level_of(a, BASE + 0x20005), 2u);
        kernel.revoke(a, BASE + 0x20005, BASE + 0x20005, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        check_pd(a);
        EXPECT_EQ(level_of(a, BASE + 0x20004), 0u);
        EXPECT_EQ(level_of(a, BASE + 0x20005), 9u);
        EXPECT_EQ(level_of(a, BASE), 1u);
        kernel.revoke(&kernel_pd, 0x40000000, 0x4003ffff, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        check_pd(a);
}

TEST(dma, leaves_out_what_was_given_without_the_D_bit)
{
        World w;
        w.give(SOURCE, BASE, 700, RW, 0);
        EXPECT_EQ(w.a->dma.root, nullptr);
        w.give(SOURCE, BASE + 0x1000, 700, NOVA_MEM_X);
        w.give(SOURCE, BASE + 0x2000, 1);
        EXPECT_EQ(level_of(w.a, BASE), 9u);
}

TEST(dma, follows_when_rights_are_taken)
{
        World w;
        w.give(SOURCE, BASE, 0x1000);
        w.take(BASE + 5, BASE + 0x805, NOVA_MEM_W);
        w.take(BASE + 0x100, BASE + 0xfff, NOVA_MEM_R);
        w.take(BASE, BASE + 0xfff, NOVA_MEM_W);
        w.take(BASE, BASE + 0x7ff);
        w.take(BASE, BASE + 0xfff);
        EXPECT_EQ(frame_info(w.a->dma.root)->used, 0u);
}

TEST(dma, takes_a_whole_large_page_when_no_memory_is_left_to_split_it)
{
        for (long n = 0; n < 20; n++) {
                World w;
                w.give(SOURCE, BASE, 0x400);
                fake_fail_allocations_from(n);
                w.revoke(w.a, BASE + 5, BASE + 5, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
                const bool failed = fake_allocations() > n;
                fake_fail_allocation(-1);
                check_pd(w.a);
                EXPECT_EQ(level_of(w.a, BASE + 5), 9u);
                if (!failed)
                        return;
        }
        FAIL() << "does not end";
}

TEST(dma, unwinds_a_delegation_that_finds_no_memory)
{
        for (long n = 0; n < 50; n++) {
                World w;
                w.give(SOURCE, 1, 1); /* the root, which stays */
                fake_settle();
                const Taken before = taken_now();
                delegation d = make_delegation(&kernel_pd, SOURCE + 1, w.a, BASE + 1, 0x600,
                                               NOVA_CRD_MEM, RW);
                step_result result;
                fake_fail_allocations_from(n);
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                fake_fail_allocation(-1);
                check_pd(w.a);
                if (result == STEP_DONE) {
                        EXPECT_GT(n, 5);
                        return;
                }
                fake_settle();
                EXPECT_EQ(taken_now(), before) << n;
        }
        FAIL() << "does not end";
}

TEST(dma, flushes_only_a_domain_that_has_had_a_device)
{
        World w;
        w.give(SOURCE, BASE, 2);
        w.take(BASE, BASE);
        EXPECT_EQ(fake_flushes, 0u);
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        const unsigned before = fake_flushes;
        w.take(BASE + 1, BASE + 1);
        EXPECT_EQ(fake_flushes, before + 1);
        EXPECT_EQ(fake_flushed_domain, w.a->dma.domain);
}

TEST(dma, goes_to_the_pd_that_was_named_last)
{
        World w;
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_EQ(iommu_assign(w.a, 10), NOVA_SUCCESS);
        const unsigned domain = w.a->dma.domain;
        EXPECT_EQ(iommu_assign(w.b, 8), NOVA_SUCCESS);
        EXPECT_EQ(fake_flushed_domain, domain);
        EXPECT_EQ(fake_attached[8], w.b);
        EXPECT_EQ(fake_attached[10], w.a);
        EXPECT_NE(w.b->dma.domain, domain);
        w.destroy(w.a);
        EXPECT_EQ(fake_attached[8], w.b);
        EXPECT_EQ(fake_attached[10], nullptr);
}

TEST(dma, ends_with_its_pd_and_leaves_the_domain_to_others)
{
        World w;
        for (unsigned i = 0; i < 3 * FAKE_DOMAINS; i++) {
                pd *one = w.make_pd();
                EXPECT_EQ(iommu_assign(one, 8), NOVA_SUCCESS);
                w.delegate(&kernel_pd, SOURCE, one, BASE, 0x300, NOVA_CRD_MEM, RW);
                w.destroy(one);
                EXPECT_EQ(fake_attached[8], nullptr);
        }
}

TEST(dma, is_refused_when_no_domain_or_no_memory_is_left)
{
        World w;
        fake_fail_allocation(0);
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(iommu_assign(w.a, FAKE_FUNCTIONS), NOVA_BAD_DEV);
        for (unsigned i = 2; i < FAKE_DOMAINS; i++)
                EXPECT_EQ(iommu_assign(w.make_pd(), 8), NOVA_SUCCESS);
        EXPECT_EQ(iommu_assign(w.b, 8), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_EQ(fake_attached[8], w.a);
}
