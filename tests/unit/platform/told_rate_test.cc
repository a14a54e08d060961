// SPDX-License-Identifier: BSD-2-Clause
// The frequency of the TSC that CPUID reports.
#include <gtest/gtest.h>

extern "C" {
#include "arch/x86/told_rate.h"
}

namespace
{

// A CPU that reports all values.
told_leaves all()
{
        told_leaves leaves = {};
        leaves.last = 0x16;
        leaves.divisor = 2;
        leaves.factor = 250;
        leaves.hz = 24000000;
        leaves.mhz = 2900;
        return leaves;
}

// The same CPU under a hypervisor with a name, and with Hyper-V's leaves.
told_leaves under(uint32_t name)
{
        told_leaves leaves = all();
        leaves.has_hypervisor = true;
        leaves.hypervisor_last = 0x40000010;
        leaves.hypervisor_name = name;
        leaves.interface = 0x31237648;
        leaves.may_access = 1 << 11;
        leaves.has = 1 << 8;
        leaves.hypervisor_khz = 2500000;
        return leaves;
}

constexpr uint32_t KVM = 0x4b4d564b, HYPERV = 0x7263694d;

} // namespace

TEST(told_rate, is_the_crystals_times_a_fraction)
{
        told_leaves leaves = all();
        EXPECT_EQ(told_rate_khz(&leaves), 3000000u);
        EXPECT_FALSE(told_rate_by_msr(&leaves));
}

TEST(told_rate, is_the_base_frequency_if_the_crystals_is_unknown)
{
        told_leaves leaves = all();
        leaves.hz = 0;
        EXPECT_EQ(told_rate_khz(&leaves), 2900000u);
        leaves.mhz |= 0xffff0000; // reserved
        EXPECT_EQ(told_rate_khz(&leaves), 2900000u);
        leaves.last = 0x15;
        EXPECT_EQ(told_rate_khz(&leaves), 0u);
}

TEST(told_rate, is_not_in_leaves_that_a_cpu_lacks)
{
        told_leaves leaves = all();
        leaves.last = 0xd;
        EXPECT_EQ(told_rate_khz(&leaves), 0u);
        leaves = under(KVM);
        leaves.hypervisor_last = 0x40000001;
        EXPECT_EQ(told_rate_khz(&leaves), 3000000u);
        leaves = all();
        leaves.divisor = 0;
        EXPECT_EQ(told_rate_khz(&leaves), 2900000u);
}

TEST(told_rate, is_that_of_the_hypervisor_first)
{
        told_leaves leaves = under(KVM);
        EXPECT_EQ(told_rate_khz(&leaves), 2500000u);
        EXPECT_FALSE(told_rate_by_msr(&leaves));
        leaves.hypervisor_khz = 0;
        EXPECT_EQ(told_rate_khz(&leaves), 3000000u);
}

TEST(told_rate, is_in_an_msr_only_if_hyperv_says_so)
{
        told_leaves leaves = under(HYPERV);
        EXPECT_TRUE(told_rate_by_msr(&leaves));
        EXPECT_EQ(told_rate_khz(&leaves), 3000000u); // its leaf 0x40000010 is something else
        for (uint32_t told_leaves::*field :
             {&told_leaves::interface, &told_leaves::may_access, &told_leaves::has,
              &told_leaves::hypervisor_last, &told_leaves::hypervisor_name}) {
                told_leaves less = under(HYPERV);
                less.*field = 0;
                EXPECT_FALSE(told_rate_by_msr(&less));
        }
        leaves.has_hypervisor = false;
        EXPECT_FALSE(told_rate_by_msr(&leaves));
}
