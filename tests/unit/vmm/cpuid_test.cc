/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID of guests: what passes, what does not, what is added. */
#include "novavmm/cpuid.h"

#include <gtest/gtest.h>

namespace
{

uint32_t highest = 0x20;

nova_cpuid everything(uint32_t leaf, uint32_t)
{
        if ((leaf & 0x7fffffff) == 0)
                return {(leaf & 0x80000000) | highest, 1, 2, 3};
        return {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
}

nova_cpuid ask(uint32_t leaf, const nova_cpuid_view &view = {0, 1, false, false})
{
        return nova_cpuid_answer(everything, &view, leaf, 0);
}

TEST(cpuid, offers_no_virtualization_no_monitor_and_no_deadline_timer)
{
        EXPECT_EQ(ask(1).ecx & (1u << 3 | 1u << 5 | 1u << 21 | 1u << 24 | 1u << 17), 0u);
        EXPECT_EQ(ask(0x80000001).ecx & 1u << 2, 0u);
}

TEST(cpuid, offers_what_linux_needs)
{
        EXPECT_EQ(ask(1).edx & 0x0700b179, 0x07008179u);
        EXPECT_EQ(ask(0x80000001).edx & (1u << 11 | 1u << 20 | 1u << 29),
                  1u << 11 | 1u << 20 | 1u << 29);
        EXPECT_NE(ask(0x80000007).edx & 1u << 8, 0u);
}

TEST(cpuid, says_that_it_is_a_guest)
{
        EXPECT_NE(ask(1).ecx & 1u << 31, 0u);
        EXPECT_EQ(ask(0x40000000).eax, 0x40000000u);
        EXPECT_EQ(ask(0x40000001).eax, 0u);
}

TEST(cpuid, tells_the_local_apic_and_osxsave_as_they_are)
{
        EXPECT_EQ(ask(1).edx & 1u << 9, 0u);
        EXPECT_EQ(ask(1).ecx & 1u << 27, 0u);
        const nova_cpuid both = ask(1, {3, 4, true, true});
        EXPECT_NE(both.edx & 1u << 9, 0u);
        EXPECT_NE(both.ecx & 1u << 27, 0u);
        EXPECT_EQ(both.ebx >> 24, 3u);
        EXPECT_EQ(both.ebx >> 16 & 0xff, 4u);
}

TEST(cpuid, leaves_that_are_not_in_the_table_read_as_zero)
{
        for (uint32_t leaf : {0x2u, 0x4u, 0x5u, 0xau, 0xbu, 0x8000000au, 0xc0000000u, UINT32_MAX}) {
                const nova_cpuid out = ask(leaf);
                EXPECT_EQ(out.eax | out.ebx | out.ecx | out.edx, 0u) << leaf;
        }
}

TEST(cpuid, the_highest_leaves_are_those_of_the_table)
{
        EXPECT_EQ(ask(0).eax, 0xdu);
        EXPECT_EQ(ask(0x80000000).eax, 0x80000008u);
}

TEST(cpuid, a_leaf_that_the_cpu_lacks_reads_as_zero)
{
        highest = 5;
        EXPECT_EQ(ask(7).ebx, 0u);
        EXPECT_EQ(ask(0x80000008).eax, 0u);
        EXPECT_EQ(ask(0).eax, 5u);
        highest = 0x20;
}

} // namespace
