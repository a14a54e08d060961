// SPDX-License-Identifier: BSD-2-Clause
// FPU states on a machine whose CPUs have different layouts of them.
#include <gtest/gtest.h>

#include <utility>

#define _Static_assert static_assert
extern "C" {
#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "fpu_cpu.h"
}

namespace
{

// x87, SSE, AVX, AVX-512, PKRU, and two components that the kernel does not use
constexpr struct fpu_cpu usual = {
        0x2ff,
        {{},
         {},
         {256, 576},
         {64, 960},
         {64, 1024},
         {64, 1088},
         {512, 1152},
         {1024, 1664},
         {},
         {8, 2688}},
};

constexpr unsigned AVX = 2, BOUNDS = 3, PKRU = 9;

// Returns true if an AP can be used on a machine with the usual boot CPU.
bool suits(const struct fpu_cpu &ap)
{
        cpu_features[WORD_1_ECX] |= 1u << FEATURE_XSAVE % 32;
        fpu_cpu = usual;
        EXPECT_TRUE(fpu_boot());
        EXPECT_EQ(fpu_size(), 2696u);
        fpu_cpu = ap;
        return fpu_suits_cpu();
}

TEST(fpu, an_equal_cpu_is_used)
{
        EXPECT_TRUE(suits(usual));
}

TEST(fpu, a_cpu_that_lacks_a_component_is_left_out)
{
        struct fpu_cpu ap = usual;
        ap.supported &= ~(1u << AVX);
        EXPECT_FALSE(suits(ap));
}

// XSAVE would write beyond the memory for the state, or to the place of another component.
TEST(fpu, a_cpu_with_a_component_at_another_place_is_left_out)
{
        for (const unsigned n : {2u, 5u, 6u, 7u, 9u}) {
                struct fpu_cpu ap = usual;
                ap.component[n].offset += 64;
                EXPECT_FALSE(suits(ap)) << n;
                ap = usual;
                ap.component[n].size += 8;
                EXPECT_FALSE(suits(ap)) << n;
        }
        struct fpu_cpu ap = usual;
        std::swap(ap.component[AVX].offset, ap.component[PKRU].offset);
        EXPECT_FALSE(suits(ap));
}

TEST(fpu, components_that_the_kernel_does_not_use_may_be_anywhere)
{
        struct fpu_cpu ap = usual;
        ap.component[BOUNDS].offset += 64;
        ap.component[BOUNDS].size += 64;
        EXPECT_TRUE(suits(ap));
        ap.supported &= ~(1u << BOUNDS);
        EXPECT_TRUE(suits(ap));
}

} // namespace
