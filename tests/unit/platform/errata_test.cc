// SPDX-License-Identifier: BSD-2-Clause
// The errata of a machine with several CPUs, which start one after the other.
#include <gtest/gtest.h>

#define _Static_assert static_assert
extern "C" {
#include "arch/x86/errata.h"
#include "errata_cpu.h"
}

namespace
{

constexpr uint32_t AMD = 0x444d4163, INTEL = 0x6c65746e; // ECX of CPUID leaf 0

// Starts a CPU. Returns the errata that are known then.
uint32_t start(const struct errata_cpu &cpu)
{
        errata_cpu = cpu;
        errata_init_cpu();
        return errata;
}

TEST(errata, of_all_cpus_are_known_and_each_cpu_treats_its_own)
{
        errata = 0;
        EXPECT_EQ(start({AMD, 0x00700f01, false, false, 0, 0, 0}), ERRATUM_793);
        EXPECT_EQ(errata_cpu.treats_793, 1u);
        EXPECT_EQ(start({AMD, 0x00100f42, false, false, 0, 0, 0}), ERRATUM_793 | ERRATUM_383);
        EXPECT_EQ(errata_cpu.treats_383, 1u);
        EXPECT_EQ(errata_cpu.treats_793, 0u) << "this CPU may lack the MSR";
        EXPECT_EQ(start({AMD, 0x00800f11, false, false, 0, 0, 0}), ERRATUM_793 | ERRATUM_383);
        EXPECT_EQ(errata_cpu.treats_383 + errata_cpu.treats_793, 0u);
}

TEST(errata, below_a_hypervisor_concern_only_guests)
{
        errata = 0;
        EXPECT_EQ(start({INTEL, 0x000906ea, true, false, 0, 0, 0}), 0u);
        EXPECT_EQ(errata_own(), ERRATUM_CODE);
        EXPECT_EQ(start({INTEL, 0x000906ea, true, true, 0x40, 0, 0}), 0u);
        EXPECT_EQ(errata_own(), 0u);
}

} // namespace
