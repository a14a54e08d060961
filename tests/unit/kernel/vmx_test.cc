// SPDX-License-Identifier: BSD-2-Clause
// VMX on a host without it: the controls that a VMM may choose, injection, access rights,
// entries of extended page tables.
#include <gtest/gtest.h>

#include <set>

#include "kernel.h"

extern "C" {
#include "arch/x86/features.h"
#include "guest_msrs.h"
#include "memory/ram.h"
#include "space/second_level.h"
#include "virt/vcpu.h"
#include "virt/vmx/vmx_controls.h"
#include "virt/vmx/vmx_state.h"
}

namespace
{

// Returns the offer of a CPU that offers everything, and requires the bits that all CPUs require.
vmx_offer full_offer()
{
        vmx_offer offer{};
        offer.pin = {0x16, ~0u};
        offer.ctrl0 = {0x4006172, ~0u};
        offer.ctrl1 = {0, ~0u};
        offer.exit = {0x36dfb, ~0u};
        offer.entry = {0x11fb, ~0u};
        offer.ept = ~static_cast<uint64_t>(0);
        offer.large_code = true;
        return offer;
}

TEST(vmx, a_cpu_that_offers_all_suffices)
{
        const vmx_offer offer = full_offer();
        EXPECT_TRUE(vmx_offer_suffices(&offer));
        EXPECT_TRUE(vmx_offers_vpid(&offer));
}

// Returns a word of an offer, from which single bits can be removed.
uint32_t *word_of(vmx_offer &offer, unsigned word)
{
        vmx_range *const ranges[] = {&offer.pin, &offer.ctrl0, &offer.ctrl1, &offer.exit,
                                     &offer.entry};
        return &ranges[word]->may;
}

TEST(vmx, each_control_that_the_kernel_needs_is_asked_for)
{
        const uint32_t needed[] = {VMX_PIN,
                                   VMX_CTRL0_FORCED | VMX_CTRL0_WINDOWS | NOVA_VMX_CTRL0_DR,
                                   VMX_CTRL1_FORCED, VMX_EXIT, VMX_ENTRY};
        for (unsigned word = 0; word < 5; word++) {
                for (unsigned bit = 0; bit < 32; bit++) {
                        vmx_offer offer = full_offer();
                        *word_of(offer, word) &= ~(1u << bit);
                        EXPECT_EQ(vmx_offer_suffices(&offer), !(needed[word] >> bit & 1))
                                << word << ' ' << bit;
                }
        }
}

TEST(vmx, extended_page_tables_need_four_levels_write_back_and_INVEPT)
{
        const uint64_t needed[] = {6, 14, 20, 25, 26};
        for (const uint64_t bit : needed) {
                vmx_offer offer = full_offer();
                offer.ept &= ~(static_cast<uint64_t>(1) << bit);
                EXPECT_FALSE(vmx_offer_suffices(&offer)) << bit;
        }
}

TEST(vmx, a_cpu_without_INVVPID_gets_no_VPIDs)
{
        vmx_offer offer = full_offer();
        offer.ept &= ~(static_cast<uint64_t>(1) << 42);
        EXPECT_TRUE(vmx_offer_suffices(&offer));
        EXPECT_FALSE(vmx_offers_vpid(&offer));
        EXPECT_EQ(vmx_ctrl1(&offer, ~0u) & NOVA_VMX_CTRL1_VPID, 0u);
}

// 0x100000: the memory controller reports some machine checks to the cores.
TEST(vmx, permitting_vmx_keeps_what_firmware_has_permitted)
{
        EXPECT_EQ(vmx_lock(0), 0x5u);
        EXPECT_EQ(vmx_lock(0x100000), 0x100005u);
}

TEST(vmx, addresses_in_msrs_have_the_width_of_the_cpu)
{
        const uint64_t wide = uint64_t{1} << 55, border = uint64_t{1} << 47;
        uint32_t &word = cpu_features[WORD_7_ECX];
        const uint32_t before = word, bit = 1u << FEATURE_LA57 % 32;
        for (uint64_t guest_msrs::*const field :
             {&guest_msrs::lstar, &guest_msrs::cstar, &guest_msrs::kernel_gs_base})
                for (const bool la57 : {false, true}) {
                        word = la57 ? before | bit : before & ~bit;
                        const auto fits = [field](uint64_t value) {
                                guest_msrs msrs = {};
                                msrs.*field = value;
                                return guest_msrs_are_valid(&msrs);
                        };
                        EXPECT_TRUE(fits(border - 1));
                        EXPECT_TRUE(fits(-border));
                        EXPECT_EQ(fits(border), la57);
                        EXPECT_EQ(fits(wide), la57);
                        EXPECT_EQ(fits(-wide), la57);
                        EXPECT_FALSE(fits(wide << 1));
                }
        word = before;
}

// Neither an exit nor the kernel switches the state that KL, CET, PKS, UINTR and FRED enable, or
// that later bits may enable.
TEST(vmx, a_guest_has_only_the_bits_of_CR4_that_are_known_to_be_harmless)
{
        const std::set<unsigned> own = {0,  1,  2,  3,  4,  5,  7,  8,  9,  10, 11,
                                        12, 14, 16, 17, 18, 20, 21, 22, 27, 28};
        for (unsigned bit = 0; bit < 64; bit++) {
                EXPECT_EQ(VMX_CR4_MASK >> bit & 1, own.count(bit) ? 0u : 1u) << bit;
                EXPECT_EQ(VMX_CR4_OFF >> bit & 1, own.count(bit) || bit == 6 || bit == 13 ? 0u : 1u)
                        << bit;
        }
}

TEST(vmx, a_vmm_switches_only_controls_of_the_list)
{
        const vmx_offer offer = full_offer();
        const uint32_t none0 = vmx_ctrl0(&offer, 0), none1 = vmx_ctrl1(&offer, 0);
        const uint32_t list0 = 1u << 10 | 1u << 12 | 1u << 23 | 1u << 27 | 1u << 29 | 1u << 30;
        const uint32_t list1 =
                1u << 2 | 1u << 3 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 16;
        EXPECT_EQ(none0 & list0, 0u);
        EXPECT_EQ(none1 & list1, 1u << 6); // WBINVD always exits to the kernel
        for (unsigned bit = 0; bit < 32; bit++) {
                const uint32_t one = 1u << bit;
                EXPECT_EQ(vmx_ctrl0(&offer, one), none0 | (one & list0)) << bit;
                EXPECT_EQ(vmx_ctrl1(&offer, one), none1 | (one & list1)) << bit;
        }
        EXPECT_EQ(vmx_ctrl0(&offer, ~0u), none0 | list0);
        EXPECT_EQ(vmx_ctrl1(&offer, ~0u), none1 | list1);
}

TEST(vmx, controls_that_the_kernel_or_the_cpu_demands_are_always_on)
{
        const vmx_offer offer = full_offer();
        // TSC offset, HLT, RDPMC, CR8, I/O, secondary controls
        EXPECT_EQ(vmx_ctrl0(&offer, 0), 0x4006172u | 0x81180888u);
        // EPT, VPID, WBINVD, unrestricted guest
        EXPECT_EQ(vmx_ctrl1(&offer, 0), 0xe2u);
}

TEST(vmx, a_control_that_the_cpu_lacks_stays_off)
{
        vmx_offer offer = full_offer();
        offer.ctrl0.may &= ~NOVA_VMX_CTRL0_MONITOR;
        offer.ctrl1.may &= ~static_cast<uint32_t>(NOVA_VMX_CTRL1_RDTSCP);
        EXPECT_EQ(vmx_ctrl0(&offer, ~0u) & NOVA_VMX_CTRL0_MONITOR, 0u);
        EXPECT_EQ(vmx_ctrl1(&offer, ~0u) & NOVA_VMX_CTRL1_RDTSCP, 0u);
}

TEST(vmx, access_rights_lose_the_gap_and_find_it_again)
{
        EXPECT_EQ(vmx_ar_to_message(0xa09b), 0xa9bu);   // 64-bit code
        EXPECT_EQ(vmx_ar_to_message(0xc093), 0xc93u);   // 32-bit data
        EXPECT_EQ(vmx_ar_to_message(0x1f0ff), 0x1fffu); // all bits
        for (uint32_t ar = 0x80; ar < 0x2000; ar = (ar + 1) | 0x80)
                EXPECT_EQ(vmx_ar_to_message(vmx_ar_from_message(ar)), ar);
        EXPECT_EQ(vmx_ar_from_message(0xfe80), 0x1e080u);
}

TEST(vmx, a_segment_that_is_not_present_is_unusable)
{
        EXPECT_EQ(vmx_ar_from_message(0), 0x10000u);
        EXPECT_EQ(vmx_ar_from_message(0x13), 0x10013u);
        EXPECT_EQ(vmx_ar_from_message(0x93), 0x93u);
}

// Includes exits that no emulator raises, such as the monitor trap flag's 0x25.
TEST(vmx, an_exit_is_the_event_of_its_reason_and_reserved_ones_are_not)
{
        const std::set<uint32_t> reserved = {0x23, 0x26, 0x2a, 0x2d, 0x38, 0x3c};
        for (uint32_t reason = 0; reason < 0x3c; reason++) {
                if (reserved.count(reason) == 0) {
                        EXPECT_EQ(vmx_event_of(reason), reason);
                }
        }
        for (const uint32_t reason : reserved)
                EXPECT_EQ(vmx_event_of(reason), 0x21u) << reason;
        for (uint32_t reason = 0x3d; reason < 0x10000; reason++)
                EXPECT_EQ(vmx_event_of(reason), 0x21u) << reason;
}

TEST(vmx, an_event_is_injectable_if_its_type_and_vector_fit)
{
        EXPECT_TRUE(vmx_is_injectable(0x7ff)); // the event is not valid: nothing is injected
        for (unsigned type = 0; type < 8; type++) {
                for (unsigned vector = 0; vector < 256; vector++) {
                        const uint32_t info = 0x80000000u | type << 8 | vector;
                        const bool fits = type == 0 || type == 4 || (type == 2 && vector == 2) ||
                                          (type == 3 && vector < 32 && vector != 2) ||
                                          (type == 5 && vector == 1) ||
                                          (type == 6 && (vector == 3 || vector == 4));
                        EXPECT_EQ(vmx_is_injectable(info), fits) << type << ' ' << vector;
                }
        }
}

// A kernel with extended page tables, on a machine with this RAM.
struct Ept : Kernel {
        explicit Ept(bool large_code = true, std::vector<ram_range> ram = {{0x10000, 0x1ffff}})
        {
                vmx_offer offer = full_offer();
                offer.large_code = large_code;
                guest_format = vmx_guest_format(&offer);
                for (const ram_range &range : ram)
                        ram_add(range.first, range.last);
        }

        ~Ept()
        {
                guest_format = {};
                ram_range_count = 0;
        }

        Ept(const Ept &) = delete;
        Ept &operator=(const Ept &) = delete;
};

struct vcpu_ops vcpu_ops_of_cpus;

TEST(vmx, guest_pages_are_readable_and_have_the_permissions_of_the_mapping)
{
        Ept kernel;
        pd *domain = kernel.make_pd();
        const unsigned perms[] = {NOVA_MEM_R, NOVA_MEM_R | NOVA_MEM_W, NOVA_MEM_R | NOVA_MEM_X,
                                  NOVA_MEM_RWX};
        const uint64_t bits[] = {0x71, 0x73, 0x75, 0x77};
        for (unsigned i = 0; i < 4; i++)
                kernel.delegate(&kernel_pd, 0x10000 + 2 * i, domain, 0x200 + 2 * i, 1, NOVA_CRD_MEM,
                                perms[i], MAPPING_GUEST);
        kernel.delegate(&kernel_pd, 0x10400, domain, 0x400, 0x200, NOVA_CRD_MEM, NOVA_MEM_RWX,
                        MAPPING_GUEST);
        const uint64_t *table = domain->guest.root;
        for (unsigned level = 3; level > 1; level--) {
                EXPECT_EQ(table[0] & 0xfff, 7u);
                table = static_cast<const uint64_t *>(phys_to_pool(table[0] & ~0xfffull));
        }
        EXPECT_EQ(table[2], 0x10400ull << 12 | 0xf7); // large
        EXPECT_EQ(table[1] & 0xfff, 7u);
        table = static_cast<const uint64_t *>(phys_to_pool(table[1] & ~0xfffull));
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(table[2 * i], (0x10000ull + 2 * i) << 12 | bits[i]);
        kernel.destroy(domain);
}

// The boot CPU chose the format before the other CPUs started.
TEST(vmx, guest_page_tables_exist_only_if_all_cpus_have_virtualization)
{
        for (const bool all : {true, false}) {
                Ept kernel;
                vcpu_ops_of_cpus = {};
                vcpu_ops_of_cpus.supported = all ? [] { return true; } : [] { return false; };
                vcpu_ops = &vcpu_ops_of_cpus;
                vcpu_settle();
                EXPECT_EQ(vcpu_ops, all ? &vcpu_ops_of_cpus : nullptr);
                vcpu_ops = nullptr;
                pd *domain = kernel.make_pd();
                kernel.delegate(&kernel_pd, 0x10000, domain, 0x200, 1, NOVA_CRD_MEM, NOVA_MEM_RWX,
                                MAPPING_GUEST);
                EXPECT_EQ(domain->guest.root != nullptr, all);
                kernel.destroy(domain);
        }
}

// As many ranges as the kernel can know, with gaps between them.
TEST(vmx, ram_is_found_in_many_ranges)
{
        std::vector<ram_range> ram;
        for (uint64_t i = 0; i < RAM_RANGES; i++)
                ram.push_back({10 * i + 3, 10 * i + 3 + i % 7});
        for (const size_t count : {size_t{0}, size_t{1}, size_t{2}, ram.size() - 1, ram.size()}) {
                Ept kernel(true, {ram.begin(), ram.begin() + long(count)});
                uint64_t end = 0;
                for (uint64_t frame = 0; frame < 10 * RAM_RANGES + 9; frame++) {
                        const ram_range row = ram[std::min(frame / 10, uint64_t{RAM_RANGES - 1})];
                        const bool known = frame / 10 < count;
                        const bool is = known && frame >= row.first && frame <= row.last;
                        const uint64_t next = frame < row.first ? frame / 10 : frame / 10 + 1;
                        EXPECT_EQ(ram_contains(frame, &end), is) << frame;
                        EXPECT_EQ(end, is             ? row.last + 1
                                       : next < count ? ram[next].first
                                                      : UINT64_MAX)
                                << frame;
                }
        }
}

// Returns the entry that maps a page, in a table of level 1 or above.
uint64_t guest_entry(const pd *domain, word_t page)
{
        const uint64_t *table = domain->guest.root;
        for (unsigned level = 3; level > 1; level--)
                table = static_cast<const uint64_t *>(phys_to_pool(table[0] & ~0xfffull));
        const uint64_t entry = table[page >> 9];
        if (entry & SECOND_LEVEL_LARGE)
                return entry;
        return static_cast<const uint64_t *>(phys_to_pool(entry & ~0xfffull))[page & 511];
}

TEST(vmx, code_lies_in_small_pages_where_the_cpu_does_not_say_that_large_ones_are_safe)
{
        for (const bool safe : {true, false}) {
                Ept kernel(safe);
                pd *domain = kernel.make_pd();
                kernel.delegate(&kernel_pd, 0x10000, domain, 0x200, 0x200, NOVA_CRD_MEM,
                                NOVA_MEM_RWX, MAPPING_GUEST);
                kernel.delegate(&kernel_pd, 0x10400, domain, 0x400, 0x200, NOVA_CRD_MEM,
                                NOVA_MEM_R | NOVA_MEM_W, MAPPING_GUEST);
                EXPECT_EQ(guest_entry(domain, 0x205),
                          safe ? 0x10000ull << 12 | 0xf7 : 0x10005ull << 12 | 0x77);
                EXPECT_EQ(guest_entry(domain, 0x405), 0x10400ull << 12 | 0xf3);
                kernel.revoke(domain, 0x200, 0x5ff, NOVA_CRD_MEM, NOVA_MEM_W, true);
                EXPECT_EQ(guest_entry(domain, 0x205),
                          safe ? 0x10000ull << 12 | 0xf5 : 0x10005ull << 12 | 0x75);
                EXPECT_EQ(guest_entry(domain, 0x405), 0x10400ull << 12 | 0xf1);
                kernel.destroy(domain);
        }
}

// Returns the type of memory that the entry of a page has: 0 is uncached, 6 write-back, 14
// write-back even if the guest's tables select another type.
uint64_t type_of(const pd *domain, word_t page)
{
        return guest_entry(domain, page) >> 3 & 15;
}

TEST(vmx, only_ram_is_write_back_and_the_guest_cannot_change_that)
{
        Ept kernel(true, {{0x10000, 0x10004}, {0x10008, 0x10009}});
        pd *domain = kernel.make_pd();
        kernel.delegate(&kernel_pd, 0x10001, domain, 0x201, 0xf, NOVA_CRD_MEM, NOVA_MEM_RWX,
                        MAPPING_GUEST);
        for (word_t i = 1; i < 0x10; i++) {
                EXPECT_EQ(guest_entry(domain, 0x200 + i) >> 12, 0x10000u + i) << i;
                EXPECT_EQ(type_of(domain, 0x200 + i), i < 5 || i == 8 || i == 9 ? 14u : 0u) << i;
        }
        kernel.destroy(domain);
}

TEST(vmx, no_large_page_has_both_ram_and_memory_of_a_device)
{
        Ept kernel(true, {{0x10000, 0x103ff}, {0x10500, 0x108ff}});
        pd *domain = kernel.make_pd();
        kernel.delegate(&kernel_pd, 0x10000, domain, 0x400, 0x1000, NOVA_CRD_MEM, NOVA_MEM_RWX,
                        MAPPING_GUEST);
        const bool large[] = {true, true, false, true, false, true, true, true};
        for (word_t i = 0; i < 8; i++)
                EXPECT_EQ(!!(guest_entry(domain, 0x400 + 0x200 * i) & SECOND_LEVEL_LARGE), large[i])
                        << i;
        for (word_t i = 0; i < 0x1000; i++)
                ASSERT_EQ(type_of(domain, 0x400 + i),
                          i < 0x400 || (i >= 0x500 && i < 0x900) ? 14u : 0u)
                        << i;
        kernel.revoke(domain, 0x400, 0x13ff, NOVA_CRD_MEM, NOVA_MEM_W, true);
        for (word_t i = 0; i < 0x1000; i++)
                ASSERT_EQ(guest_entry(domain, 0x400 + i) & 0x7f,
                          i < 0x400 || (i >= 0x500 && i < 0x900) ? 0x75u : 0x5u)
                        << i;
        kernel.destroy(domain);
}

} // namespace
