/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs of guests: the MSRs they have, and values that are refused. */
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

TEST_F(msr, a_written_value_is_read_back_and_goes_into_its_group)
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

TEST_F(msr, each_register_of_a_system_call_goes_to_the_guest_in_full)
{
        const uint64_t address = 0xffffffff81234567;
        for (uint32_t number : {0xc0000082u, 0xc0000083u, 0xc0000102u}) {
                EXPECT_TRUE(set(number, address));
                EXPECT_EQ(get(number), address);
                EXPECT_FALSE(set(number, 0x800000000000));
                EXPECT_FALSE(set(number, uint64_t{1} << 63));
                EXPECT_EQ(get(number), address);
        }
        EXPECT_EQ(event.more.cstar, address);
        EXPECT_TRUE(changed & NOVA_MTD_CSTAR_AUX);
        EXPECT_EQ(NOVA_MSR_MTD & NOVA_MTD_CSTAR_AUX, nova_mtd_t{NOVA_MTD_CSTAR_AUX});
        EXPECT_TRUE(set(0xc0000103, 0x89abcdef));
        EXPECT_FALSE(set(0xc0000103, 0x100000000));
        EXPECT_EQ(event.more.tsc_aux, 0x89abcdefu);
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
        /* The kernel adds the written value to the offset. */
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
        nova_msr_init(&kept, 0, false); /* a missing local APIC looks like a disabled one */
        EXPECT_EQ(get(0x1b), 0xfee00100u);
}

TEST_F(msr, the_local_apic_can_be_switched_and_not_moved)
{
        nova_msr_init(&kept, 0, true);
        for (uint64_t value : {uint64_t{0}, uint64_t{0xfed00900}, uint64_t{0xfee01900},
                               uint64_t{0xfee00d00}, uint64_t{0x1fee00900}})
                EXPECT_FALSE(set(0x1b, value)) << value;
        EXPECT_EQ(get(0x1b), 0xfee00900u);
        EXPECT_TRUE(set(0x1b, 0xfee00900)); /* as systems do when they wake up */
        EXPECT_TRUE(nova_msr_apic_is_on(&kept));
        EXPECT_TRUE(set(0x1b, 0xfee00100));
        EXPECT_EQ(get(0x1b), 0xfee00100u);
        EXPECT_FALSE(nova_msr_apic_is_on(&kept));
        EXPECT_TRUE(set(0x1b, 0xfee00900));
        EXPECT_TRUE(nova_msr_apic_is_on(&kept));
        nova_msr_init(&kept, 0, false); /* there is no local APIC that could be enabled */
        EXPECT_FALSE(set(0x1b, 0xfee00900));
        EXPECT_EQ(changed, nova_mtd_t{0});
}

/* SDM 4: the bit of the boot CPU is read/write. Some systems clear it when they enable the APIC. */
TEST_F(msr, the_bit_of_the_first_cpu_can_be_written)
{
        for (unsigned vcpu : {0u, 1u}) {
                nova_msr_init(&kept, vcpu, true);
                for (uint64_t value : {0xfee00800u, 0xfee00000u, 0xfee00900u, 0xfee00100u}) {
                        EXPECT_TRUE(set(0x1b, value)) << value;
                        EXPECT_EQ(get(0x1b), value);
                        EXPECT_EQ(nova_msr_apic_is_on(&kept), (value & 0x800) != 0);
                }
        }
        nova_msr_init(&kept, 0, false);
        EXPECT_TRUE(set(0x1b, 0xfee00000));
        EXPECT_FALSE(set(0x1b, 0xfee00800));
        EXPECT_FALSE(nova_msr_apic_is_on(&kept));
}

TEST_F(msr, memory_types_are_kept_and_checked)
{
        nova_msr_init(&kept, 1, true);
        EXPECT_EQ(get(0xfe), 0x508u);
        EXPECT_FALSE(set(0xfe, 0x508));
        EXPECT_EQ(get(0x2ff), 0xc06u);
        EXPECT_TRUE(set(0x2ff, 0x800));
        EXPECT_FALSE(set(0x2ff, 0x807)); /* this memory type does not exist */
        EXPECT_FALSE(set(0x2ff, 0x1806));
        EXPECT_EQ(get(0x2ff), 0x800u);
        EXPECT_TRUE(set(0x200, 0x40000006));
        EXPECT_FALSE(set(0x200, 0x40000106));
        EXPECT_FALSE(set(0x200, 0x40000002));
        EXPECT_FALSE(set(0x200, kept.address_end));
        EXPECT_TRUE(set(0x20f, 0xc0000800));
        EXPECT_FALSE(set(0x20f, 0xc0000801));
        EXPECT_EQ(get(0x200), 0x40000006u);
        EXPECT_EQ(get(0x20f), 0xc0000800u);
        EXPECT_TRUE(set(0x26f, 0x0001040506000000));
        EXPECT_FALSE(set(0x26f, 0x0201040506000000));
        EXPECT_EQ(get(0x26f), 0x0001040506000000u);
        EXPECT_EQ(get(0x250), 0x0606060606060606u);
        EXPECT_FALSE(set(0x210, 0)); /* eight ranges */
        EXPECT_EQ(changed, nova_mtd_t{0});
}

TEST_F(msr, machine_checks_have_no_banks)
{
        EXPECT_EQ(get(0x179), 0u);
        EXPECT_FALSE(set(0x179, 1));
        EXPECT_EQ(get(0x17a), 0u);
}

TEST_F(msr, registers_of_amd_are_there_where_cpuid_says_amd)
{
        uint64_t value;
        for (uint32_t number : {0xc0010000u, 0xc0010004u, 0xc0010007u, 0xc0010015u}) {
                kept.amd = false;
                EXPECT_FALSE(nova_msr_get(&event, &kept, number, &value));
                EXPECT_FALSE(set(number, 0));
                kept.amd = true;
                EXPECT_EQ(get(number), 0u);
                EXPECT_TRUE(set(number, 0x530076));
                EXPECT_EQ(get(number), 0u); /* these counters do not count */
        }
}

/* On Intel CPUs, Linux reads the bit that hides NX before it can take an exception. */
TEST_F(msr, registers_that_linux_reads_on_intel_before_it_has_handlers_exist)
{
        const uint64_t nx_is_hidden = uint64_t{1} << 34;
        EXPECT_FALSE(get(0x1a0) & nx_is_hidden);
        EXPECT_TRUE(get(0x1a0) & 1); /* fast string instructions */
}

} // namespace
