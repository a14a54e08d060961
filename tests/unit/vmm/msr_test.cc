/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs of guests: those that they have, and values that they may not have. */
#include "novavmm/msr.h"

#include <gtest/gtest.h>

#include "novavmm/registers.h"

namespace
{

struct msr : testing::Test {
        nova_utcb_event event = {};
        nova_msr_kept kept = {};
        nova_mtd_t changed = 0;

        bool set(uint32_t number, uint64_t value)
        {
                return nova_msr_set(&event, &kept, &changed, number, value);
        }

        uint64_t get(uint32_t number)
        {
                uint64_t value = 0xbad;
                EXPECT_TRUE(nova_msr_get(&event, &kept, number, &value));
                return value;
        }
};

TEST_F(msr, what_is_written_is_read_and_goes_into_its_group)
{
        EXPECT_TRUE(set(0xc0000082, 0xffffffff81000000));
        EXPECT_EQ(get(0xc0000082), 0xffffffff81000000);
        EXPECT_EQ(event.more.lstar, 0xffffffff81000000);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_MSR});
        EXPECT_TRUE(set(0xc0000101, 0x1000));
        EXPECT_EQ(event.state.gs.base, 0x1000u);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_MSR | NOVA_MTD_FS_GS});
}

TEST_F(msr, unknown_registers_fault)
{
        uint64_t value;
        EXPECT_FALSE(set(0x1234, 0));
        EXPECT_FALSE(nova_msr_get(&event, &kept, 0x1234, &value));
        EXPECT_EQ(changed, nova_mtd_t{0});
}

TEST_F(msr, addresses_must_be_canonical)
{
        EXPECT_FALSE(set(0xc0000100, 0x800000000000));
        EXPECT_TRUE(set(0xc0000100, 0x7fffffffffff));
        EXPECT_TRUE(set(0xc0000100, 0xffff800000000000));
}

TEST_F(msr, values_that_an_entry_would_refuse_fault)
{
        EXPECT_FALSE(set(0x175, 0x800000000000));
        EXPECT_FALSE(set(0x176, 0x8000000000000000));
        EXPECT_TRUE(set(0x176, 0xffffffff81000000));
        EXPECT_FALSE(set(0xc0000084, 0x100000000));
        EXPECT_TRUE(set(0xc0000084, 0xffffffff));
        EXPECT_EQ(get(0xc0000084), 0xffffffffu);
}

TEST_F(msr, efer_has_no_svm_no_reserved_bits_and_keeps_lma)
{
        EXPECT_FALSE(set(0xc0000080, 0x1000));
        EXPECT_FALSE(set(0xc0000080, 0x2));
        event.more.efer = NOVA_EFER_LME | NOVA_EFER_LMA;
        EXPECT_TRUE(set(0xc0000080, NOVA_EFER_LME | NOVA_EFER_NXE | NOVA_EFER_SCE));
        EXPECT_EQ(event.more.efer,
                  uint64_t{NOVA_EFER_LME | NOVA_EFER_LMA | NOVA_EFER_NXE | NOVA_EFER_SCE});
}

TEST_F(msr, long_mode_cannot_be_switched_while_paging_is_on)
{
        event.state.cr0 = NOVA_CR0_PG;
        EXPECT_FALSE(set(0xc0000080, NOVA_EFER_LME));
        event.state.cr0 = 0;
        EXPECT_TRUE(set(0xc0000080, NOVA_EFER_LME));
}

TEST_F(msr, pat_takes_memory_types_only)
{
        EXPECT_TRUE(set(0x277, 0x0007040600070406));
        EXPECT_FALSE(set(0x277, 0x0007040600070402));
        EXPECT_FALSE(set(0x277, 0x0807040600070406));
        EXPECT_EQ(event.more.pat, 0x0007040600070406u);
}

TEST_F(msr, the_time_stamp_counter_can_be_set)
{
        event.state.tsc_offset = 5000;
        const uint64_t before = get(0x10);
        EXPECT_TRUE(set(0x10, 0));
        /* The kernel adds what is written to the offset. */
        event.state.tsc_offset += 5000;
        EXPECT_LT(get(0x10), before);
        EXPECT_EQ(changed, nova_mtd_t{NOVA_MTD_TSC});
}

TEST_F(msr, the_time_stamp_counter_can_be_set_again)
{
        constexpr uint64_t hour = uint64_t{3600} * 4000000000;
        for (const uint64_t value : {3 * hour, hour, 2 * hour}) {
                const uint64_t offset = event.state.tsc_offset;
                EXPECT_TRUE(set(0x10, value));
                event.state.tsc_offset += offset; /* the kernel does */
                EXPECT_GE(get(0x10), value);
                EXPECT_LT(get(0x10), value + hour);
        }
}

TEST_F(msr, constants_stay)
{
        const uint64_t features = get(0x1a0);
        EXPECT_TRUE(set(0x1a0, 0));
        EXPECT_EQ(get(0x1a0), features);
        EXPECT_EQ(changed, nova_mtd_t{0});
}

TEST_F(msr, the_first_cpu_alone_is_the_first)
{
        for (unsigned vcpu : {0u, 1u, 7u}) {
                nova_msr_init(&kept, vcpu, true);
                EXPECT_EQ(get(0x1b), vcpu ? 0xfee00800u : 0xfee00900u) << vcpu;
        }
        nova_msr_init(&kept, 0, false); /* no local APIC is as one that is off */
        EXPECT_EQ(get(0x1b), 0xfee00100u);
}

TEST_F(msr, the_local_apic_cannot_be_moved_or_switched)
{
        nova_msr_init(&kept, 0, true);
        for (uint64_t value : {uint64_t{0}, uint64_t{0xfee00100}, uint64_t{0xfed00900},
                               uint64_t{0xfee00800}, uint64_t{0xfee00d00}, uint64_t{0x1fee00900}})
                EXPECT_FALSE(set(0x1b, value)) << value;
        EXPECT_EQ(get(0x1b), 0xfee00900u);
        EXPECT_TRUE(set(0x1b, 0xfee00900)); /* as systems do when they wake up */
        EXPECT_EQ(changed, nova_mtd_t{0});
}

/* On CPUs of Intel, Linux looks for the bit that hides NX before it can take an exception. */
TEST_F(msr, what_linux_reads_of_intel_before_it_has_handlers_is_there)
{
        const uint64_t nx_is_hidden = uint64_t{1} << 34;
        EXPECT_FALSE(get(0x1a0) & nx_is_hidden);
        EXPECT_TRUE(get(0x1a0) & 1); /* fast string instructions */
}

} // namespace
