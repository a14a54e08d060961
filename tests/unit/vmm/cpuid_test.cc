/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID of guests: features that pass, are masked, and are added. */
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

nova_cpuid ask(uint32_t leaf,
               const nova_cpuid_view &view = {0, 1, false, false, false, true, 1, false})
{
        return nova_cpuid_answer(everything, &view, leaf, 0);
}

nova_cpuid xsave(uint32_t subleaf)
{
        const nova_cpuid_view view = {0, 1, false, false, false, true, 1, false};

        return nova_cpuid_answer(everything, &view, 0xd, subleaf);
}

nova_cpuid with_avx(uint32_t, uint32_t)
{
        return {7, 0, 0, 0};
}

TEST(cpuid, offers_no_virtualization_no_monitor_and_no_deadline_timer)
{
        EXPECT_EQ(ask(1).ecx & (1u << 3 | 1u << 5 | 1u << 21 | 1u << 24 | 1u << 17), 0u);
        EXPECT_EQ(ask(0x80000001).ecx & 1u << 2, 0u);
}

TEST(cpuid, offers_the_features_that_linux_needs)
{
        EXPECT_EQ(ask(1).edx & 0x0700b179, 0x0700b179u);
        EXPECT_EQ(ask(0x80000001).edx & (1u << 11 | 1u << 20 | 1u << 29),
                  1u << 11 | 1u << 20 | 1u << 29);
        EXPECT_NE(ask(0x80000007).edx & 1u << 8, 0u);
}

TEST(cpuid, offers_umip_rdtscp_invpcid_and_mtrrs)
{
        EXPECT_NE(ask(1).edx & 1u << 12, 0u);
        EXPECT_NE(ask(0x80000001).edx & 1u << 12, 0u);
        EXPECT_NE(ask(0x80000001).edx & 1u << 27, 0u);
        EXPECT_NE(ask(7).ebx & 1u << 10, 0u);
        EXPECT_NE(ask(7).ecx & 1u << 2, 0u);
        EXPECT_EQ(ask(1).ecx & 1u << 17, 0u); /* no PCID nevertheless */
}

TEST(cpuid, offers_no_long_mode_where_guests_cannot_have_it)
{
        nova_cpuid_view view = {};
        view.vcpus = 1;
        EXPECT_NE(ask(0x80000001, view).edx & 1u << 29, 0u);
        EXPECT_NE(ask(0x80000001, view).ecx & 1u << 4, 0u);
        view.no_long_mode = true;
        EXPECT_EQ(ask(0x80000001, view).edx & 1u << 29, 0u);
        EXPECT_EQ(ask(0x80000001, view).ecx & 1u << 4, 0u);
        EXPECT_NE(ask(0x80000001, view).edx & 1u << 20, 0u);
}

TEST(cpuid, says_that_it_is_a_guest)
{
        EXPECT_NE(ask(1).ecx & 1u << 31, 0u);
        EXPECT_EQ(ask(0x40000000).eax, 0x40000000u);
        EXPECT_EQ(ask(0x40000001).eax, 0u);
}

TEST(cpuid, returns_the_local_apic_and_osxsave_as_they_are)
{
        EXPECT_EQ(ask(1).edx & 1u << 9, 0u);
        EXPECT_EQ(ask(1).ecx & 1u << 27, 0u);
        const nova_cpuid both = ask(1, {3, 4, true, true, false, true, 1, false});
        EXPECT_NE(both.edx & 1u << 9, 0u);
        EXPECT_NE(both.ecx & 1u << 27, 0u);
        EXPECT_EQ(both.ebx >> 24, 3u);
        EXPECT_EQ(both.ebx >> 16 & 0xff, 4u);
}

TEST(cpuid, several_virtual_cpus_have_no_common_tsc)
{
        EXPECT_EQ(ask(0x80000007, {0, 2, true, false, false, true, 1, false}).edx, 0u);
}

TEST(cpuid, several_virtual_cpus_have_an_invariant_tsc_if_the_kernel_leaves_it_alone)
{
        EXPECT_EQ(ask(0x80000007, {1, 2, true, false, false, true, 1, true}).edx, 1u << 8);
}

TEST(cpuid, offers_the_state_of_the_features_in_leaf_7_and_no_other)
{
        EXPECT_EQ(xsave(0).eax, 7u);
        EXPECT_EQ(xsave(0).edx, 0u);
        EXPECT_EQ(xsave(1).eax, 7u);
        EXPECT_EQ(xsave(1).ecx | xsave(1).edx, 0u);
        EXPECT_NE(xsave(2).eax, 0u);
        EXPECT_EQ(ask(7).ebx & 0xd0230000, 0u); /* AVX-512 */
        EXPECT_EQ(ask(7).ecx, 4u);              /* UMIP; not PKU */
        for (uint32_t subleaf : {3u, 5u, 6u, 7u, 9u, 10u, 17u, 18u, 19u, 32u, 34u, UINT32_MAX})
                EXPECT_EQ(xsave(subleaf).eax | xsave(subleaf).ebx, 0u) << subleaf;
}

TEST(cpuid, leaf_7_has_one_subleaf)
{
        const nova_cpuid_view view = {0, 1, false, false, false, true, 1, false};

        EXPECT_EQ(ask(7).eax, 0u);
        for (uint32_t subleaf : {1u, 2u, UINT32_MAX}) {
                const nova_cpuid out = nova_cpuid_answer(everything, &view, 7, subleaf);

                EXPECT_EQ(out.eax | out.ebx | out.ecx | out.edx, 0u) << subleaf;
        }
}

/* Answers CPUID for a CPU with more features than guests get, all of them enabled. */
nova_cpuid with_sizes(uint32_t leaf, uint32_t subleaf)
{
        if (leaf != 0xd)
                return {0x20, 0, UINT32_MAX, 0};
        switch (subleaf) {
        case 0:
                return {0x602e7, 11008, 11008, 0};
        case 1:
                return {0x1f, 9000, 0, 0};
        case 2:
                return {256, 576, 0, 0};
        case 5:
                return {60, 1088, 0, 0};
        case 6:
                return {512, 1152, 0, 0};
        case 7:
                return {1024, 1664, 0, 0};
        case 9:
                return {8, 2688, 2, 0};
        default:
                return {8192, 2816, 2, 0};
        }
}

nova_cpuid sizes(uint32_t subleaf, uint64_t xcr0)
{
        const nova_cpuid_view view = {0, 1, false, true, false, true, xcr0, false};

        return nova_cpuid_answer(with_sizes, &view, 0xd, subleaf);
}

TEST(cpuid, an_area_of_state_is_as_large_as_the_components_that_the_guest_enabled)
{
        EXPECT_EQ(sizes(0, 1).ebx, 576u);
        EXPECT_EQ(sizes(0, 3).ebx, 576u);
        EXPECT_EQ(sizes(0, 7).ebx, 832u);
        EXPECT_EQ(sizes(0, 0xe7).ebx, 2688u);
        EXPECT_EQ(sizes(0, 0x2e7).ebx, 2696u);
        EXPECT_EQ(sizes(0, 0x203).ebx, 2696u);
        for (uint64_t xcr0 : {0x1u, 0x7u, 0x2e7u})
                EXPECT_EQ(sizes(0, xcr0).ecx, 832u) << xcr0;
}

TEST(cpuid, a_compacted_area_has_no_gaps_but_for_alignment)
{
        EXPECT_EQ(sizes(1, 1).ebx, 576u);
        EXPECT_EQ(sizes(1, 7).ebx, 832u);
        EXPECT_EQ(sizes(1, 0xe7).ebx, 832u + 60 + 512 + 1024);
        EXPECT_EQ(sizes(1, 0x203).ebx, 576u + 8);
        EXPECT_EQ(sizes(1, 0x2e7).ebx, 2432u + 8);
        EXPECT_EQ(sizes(1, 0x227).ebx, 896u + 8);
}

/* Answers CPUID as QEMU's emulation does; virtualized() answers it as QEMU with the host's CPU
 * does. */
nova_cpuid emulated(uint32_t leaf, uint32_t)
{
        if (leaf == 0x40000000)
                return {0x40000001, 0x54474354, 0x43544743, 0x47435447};
        return {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
}

nova_cpuid virtualized(uint32_t leaf, uint32_t)
{
        if (leaf == 0x40000000)
                return {0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d};
        return {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
}

nova_cpuid without_osxsave(uint32_t leaf, uint32_t subleaf)
{
        nova_cpuid out = everything(leaf, subleaf);

        if (leaf == 1)
                out.ecx &= ~(1u << 27);
        return out;
}

TEST(cpuid, guests_have_xsave_where_the_kernel_uses_it_and_their_xcr0_is_kept)
{
        for (bool svm : {false, true}) {
                EXPECT_TRUE(nova_cpuid_has_xsave(everything, svm));
                EXPECT_TRUE(nova_cpuid_has_xsave(virtualized, svm));
                EXPECT_FALSE(nova_cpuid_has_xsave(without_osxsave, svm));
                EXPECT_EQ(nova_cpuid_has_xsave(emulated, svm), !svm);
        }
}

TEST(cpuid, without_xsave_all_that_needs_it_is_missing)
{
        const nova_cpuid_view hidden = {0, 1, false, false, false, false, 1, false};
        const uint32_t by_xsave = 1u << 12 | 1u << 26 | 1u << 28 | 1u << 29;

        EXPECT_EQ(ask(1).ecx & by_xsave, by_xsave);
        EXPECT_EQ(ask(1, hidden).ecx, ask(1).ecx & ~by_xsave);
        EXPECT_NE(ask(7).ebx & 1u << 5, 0u);
        EXPECT_EQ(ask(7, hidden).ebx, ask(7).ebx & ~0x20u);
        EXPECT_NE(ask(7, hidden).ebx, 0u);
        for (uint32_t subleaf : {0u, 1u, 2u}) {
                const nova_cpuid out = nova_cpuid_answer(everything, &hidden, 0xd, subleaf);
                EXPECT_EQ(out.eax | out.ebx | out.ecx | out.edx, 0u) << subleaf;
        }
}

TEST(cpuid, state_components_stand_on_others)
{
        for (uint64_t value : {1u, 3u, 7u})
                EXPECT_TRUE(nova_xcr0_is_valid(everything, value)) << value;
        for (uint64_t value : {0ul, 2ul, 5ul, 0x9ul, 0xe7ul, 0x203ul, 1ul << 63 | 1, 1ul << 32 | 1})
                EXPECT_FALSE(nova_xcr0_is_valid(everything, value)) << value;
        EXPECT_TRUE(nova_xcr0_is_valid(with_avx, 7));
}

TEST(cpuid, fast_fxsave_is_not_offered_for_efer_cannot_have_it)
{
        EXPECT_EQ(ask(0x80000001).edx & 1u << 25, 0u);
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
