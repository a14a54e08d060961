// SPDX-License-Identifier: BSD-2-Clause
// A machine whose CPUs have different capabilities of VMX.
#include <gtest/gtest.h>

#include <array>

extern "C" {
#include "arch/x86/features.h"
#include "virt/vmx/vmx.h"
#include "vmx_offer.h"
}

namespace
{

constexpr uint32_t VMX_BIT = 1u << FEATURE_VMX % 32;

using msrs = std::array<uint64_t, FAKE_VMX_MSRS>;

uint64_t &msr_of(msrs &cpu, uint32_t msr)
{
        return cpu[msr - MSR_VMX_BASIC];
}

// Returns a CPU that offers everything, and requires the bits that all CPUs require.
msrs full_cpu()
{
        const uint64_t all = uint64_t{UINT32_MAX} << 32;
        msrs cpu = {};
        msr_of(cpu, MSR_VMX_BASIC) = uint64_t{1} << 55 | 0x11;
        msr_of(cpu, MSR_VMX_TRUE_PIN) = all | 0x16;
        msr_of(cpu, MSR_VMX_TRUE_CTRL0) = all | 0x4006172;
        msr_of(cpu, MSR_VMX_CTRL1) = all;
        msr_of(cpu, MSR_VMX_TRUE_EXIT) = all | 0x36dfb;
        msr_of(cpu, MSR_VMX_TRUE_ENTRY) = all | 0x11fb;
        msr_of(cpu, MSR_VMX_EPT) = UINT64_MAX;
        return cpu;
}

void run_on(const msrs &cpu)
{
        std::copy(cpu.begin(), cpu.end(), fake_vmx_msrs);
}

// Starts two CPUs. Returns true if the machine then has VMX.
bool has_vmx(const msrs &boot, const msrs &ap)
{
        uint32_t &word = cpu_features[WORD_1_ECX];
        word |= VMX_BIT;
        vmx_offer = {};
        run_on(boot);
        vmx_check_feature(true);
        EXPECT_TRUE(word & VMX_BIT);
        EXPECT_TRUE(vmx_read_offer(&vmx_offer));
        run_on(ap);
        vmx_check_feature(false);
        const bool has = word & VMX_BIT;
        word &= ~VMX_BIT;
        vmx_offer = {};
        return has;
}

// Removes or sets bits of an MSR.
msrs without(msrs cpu, uint32_t msr, uint64_t bits)
{
        msr_of(cpu, msr) &= ~bits;
        return cpu;
}

msrs with(msrs cpu, uint32_t msr, uint64_t bits)
{
        msr_of(cpu, msr) |= bits;
        return cpu;
}

constexpr uint64_t INVVPID_ALL = uint64_t{1} << 42, EPT_2M = 1u << 16;

TEST(vmx_offer, equal_cpus_have_vmx)
{
        EXPECT_TRUE(has_vmx(full_cpu(), full_cpu()));
        const msrs less = without(full_cpu(), MSR_VMX_EPT, INVVPID_ALL | EPT_2M);
        EXPECT_TRUE(has_vmx(less, less));
}

TEST(vmx_offer, an_ap_without_INVVPID_or_large_pages_of_the_boot_cpu_has_no_vmx)
{
        for (const uint64_t bit : {INVVPID_ALL, uint64_t{1} << 32, EPT_2M}) {
                const msrs less = without(full_cpu(), MSR_VMX_EPT, bit);
                EXPECT_FALSE(has_vmx(full_cpu(), less)) << bit;
                EXPECT_TRUE(has_vmx(less, full_cpu())) << bit;
        }
}

TEST(vmx_offer, an_ap_with_control_structures_of_another_format_has_no_vmx)
{
        EXPECT_FALSE(has_vmx(full_cpu(), with(full_cpu(), MSR_VMX_BASIC, 4)));
}

// A control that no VMM can choose does not matter.
TEST(vmx_offer, an_ap_that_lacks_a_control_of_the_boot_cpu_has_no_vmx)
{
        const struct {
                uint32_t msr, used;
        } words[] = {
                {MSR_VMX_TRUE_PIN, VMX_PIN | 0x16},
                {MSR_VMX_TRUE_CTRL0,
                 VMX_CTRL0_FORCED | VMX_CTRL0_CHOICE | VMX_CTRL0_WINDOWS | 0x4006172},
                {MSR_VMX_CTRL1, VMX_CTRL1_FORCED | VMX_CTRL1_CHOICE | NOVA_VMX_CTRL1_VPID},
                {MSR_VMX_TRUE_EXIT, VMX_EXIT | 0x36dfb},
                {MSR_VMX_TRUE_ENTRY, VMX_ENTRY | VMX_ENTRY_LONG | 0x11fb},
        };
        for (const auto &word : words)
                for (unsigned bit = 0; bit < 32; bit++) {
                        const msrs less = without(full_cpu(), word.msr, uint64_t{1} << (bit + 32));
                        EXPECT_EQ(has_vmx(full_cpu(), less), !(word.used >> bit & 1))
                                << word.msr << ' ' << bit;
                }
}

TEST(vmx_offer, a_control_that_the_boot_cpu_lacks_may_be_missing)
{
        const msrs less = without(full_cpu(), MSR_VMX_CTRL1,
                                  uint64_t{VMX_CTRL1_CHOICE | NOVA_VMX_CTRL1_VPID} << 32);
        EXPECT_TRUE(has_vmx(less, less));
        EXPECT_TRUE(has_vmx(less, full_cpu()));
}

TEST(vmx_offer, an_ap_that_requires_a_control_which_is_not_always_on_has_no_vmx)
{
        const struct {
                uint32_t msr, on;
        } words[] = {
                {MSR_VMX_TRUE_PIN, VMX_PIN | 0x16},
                {MSR_VMX_TRUE_CTRL0, VMX_CTRL0_FORCED | 0x4006172},
                {MSR_VMX_CTRL1, VMX_CTRL1_FORCED | NOVA_VMX_CTRL1_VPID | NOVA_VMX_CTRL1_WBINVD},
                {MSR_VMX_TRUE_EXIT, VMX_EXIT | 0x36dfb},
                {MSR_VMX_TRUE_ENTRY, VMX_ENTRY | 0x11fb},
        };
        for (const auto &word : words)
                for (unsigned bit = 0; bit < 32; bit++) {
                        const msrs more = with(full_cpu(), word.msr, uint64_t{1} << bit);
                        EXPECT_EQ(has_vmx(full_cpu(), more), !!(word.on >> bit & 1))
                                << word.msr << ' ' << bit;
                }
}

} // namespace
