// SPDX-License-Identifier: BSD-2-Clause
// Process-context identifiers: a load keeps translations only if the PD has lost none meanwhile.
// (No emulator shows this, because emulators with PCIDs flush at each load.)
#include <gtest/gtest.h>

#include <vector>

#include "kernel.h"

extern "C" {
#include "arch/x86/features.h"
#include "arch/x86/tlb.h"
#include "pcid.h"
}

namespace
{

constexpr word_t KEEP = word_t{1} << 63;

// A kernel on a CPU with PCIDs, and PDs.
struct Pcids : Kernel {
        explicit Pcids(unsigned count)
        {
                cpu_features[WORD_1_ECX] |= 1u << FEATURE_PCID % 32;
                for (unsigned i = 0; i < count; i++)
                        make_pd();
        }
        ~Pcids()
        {
                cpu_by_id(0)->current_pd = nullptr;
                cpu_features[WORD_1_ECX] &= ~(1u << FEATURE_PCID % 32);
        }
        static word_t load(struct pd *one)
        {
                cpu_by_id(0)->current_pd = one;
                return pcid_cr3(cpu_by_id(0), one);
        }
        static void flush(const std::vector<struct pd *> &lost)
        {
                struct flush flush;
                flush_init(&flush);
                for (struct pd *pd : lost)
                        flush_add(&flush, pd);
                flush_run(&flush);
        }
};

word_t pcid_of(const struct pd *pd)
{
        return pd->memory.tables.cr3 & CR3_PCID;
}

TEST(pcid, each_pd_has_its_own_and_gives_it_back)
{
        Pcids k(3);
        EXPECT_NE(pcid_of(k.pds[0]), 0u);
        EXPECT_NE(pcid_of(k.pds[0]), pcid_of(k.pds[1]));
        EXPECT_NE(pcid_of(k.pds[1]), pcid_of(k.pds[2]));
        std::vector<word_t> taken;
        while (word_t pcid = pcid_alloc())
                taken.push_back(pcid);
        EXPECT_EQ(taken.size(), 4095u - 3);
        pcid_free(taken.back());
        EXPECT_EQ(pcid_alloc(), taken.back());
        for (word_t pcid : taken)
                pcid_free(pcid);
}

TEST(pcid, the_first_load_flushes_and_the_next_ones_keep)
{
        Pcids k(2);
        for (struct pd *pd : k.pds)
                EXPECT_EQ(k.load(pd), pd->memory.tables.cr3);
        for (struct pd *pd : k.pds)
                EXPECT_EQ(k.load(pd), pd->memory.tables.cr3 | KEEP);
}

TEST(pcid, a_pd_that_lost_something_while_it_was_not_loaded_is_flushed_once)
{
        Pcids k(2);
        k.load(k.pds[0]);
        k.load(k.pds[1]);
        k.flush({k.pds[0]});
        EXPECT_EQ(k.load(k.pds[0]) & KEEP, 0u);
        EXPECT_EQ(k.load(k.pds[1]) & KEEP, KEEP);
        EXPECT_EQ(k.load(k.pds[0]) & KEEP, KEEP);
}

TEST(pcid, the_loaded_pd_is_flushed_at_once_here_and_later_on_other_cpus)
{
        Pcids k(1);
        k.load(k.pds[0]);
        k.flush({k.pds[0]});
        EXPECT_EQ(k.load(k.pds[0]) & KEEP, KEEP);
        EXPECT_EQ(k.pds[0]->memory.tables.stale, ~uint64_t{1});
}

TEST(pcid, more_pds_than_are_named_flush_everything)
{
        Pcids k(FLUSH_PDS + 1);
        const unsigned before = fake_cr4_writes;
        k.flush({k.pds.begin(), k.pds.end() - 1});
        EXPECT_EQ(fake_cr4_writes, before);
        k.flush(k.pds);
        EXPECT_EQ(fake_cr4_writes, before + 2);
}

TEST(pcid, a_request_to_flush_everything_is_answered_so_and_only_once)
{
        Pcids k(1);
        struct cpu *cpu = cpu_by_id(0);
        const unsigned before = fake_cr4_writes;
        cpu->flush_all = true;
        cpu->flush_wanted++;
        flush_answer(cpu);
        EXPECT_EQ(fake_cr4_writes, before + 2);
        cpu->flush_wanted++;
        flush_answer(cpu);
        EXPECT_EQ(fake_cr4_writes, before + 2);
        EXPECT_EQ(cpu->flush_done, cpu->flush_wanted);
}

TEST(pcid, without_the_feature_no_pd_has_one)
{
        Kernel k;
        struct pd *pd = k.make_pd();
        EXPECT_EQ(pcid_of(pd), 0u);
        EXPECT_EQ(pcid_cr3(cpu_by_id(0), pd), pd->memory.tables.cr3);
}

} // namespace
