// SPDX-License-Identifier: BSD-2-Clause
// The flaws that the kernel assumes in a CPU, and the treatments that it chooses.
#include <string>

#include <gtest/gtest.h>

extern "C" {
#include "arch/x86/errata.h"
#include "arch/x86/flaws.h"
}

namespace
{

constexpr uint32_t SETTINGS = TREAT_IBRS_ON | TREAT_AUTO_IBRS | TREAT_BHI_DIS;
constexpr uint32_t AT_ENTRY =
        TREAT_IBRS_ENTRY | TREAT_IBPB_ENTRY | TREAT_RSB_ENTRY | TREAT_HISTORY_LOOP;

// IA32_ARCH_CAPABILITIES.
constexpr uint32_t RDCL_NO = 0x1, SSB_NO = 0x10, MDS_NO = 0x20, TAA_NO = 0x100, MMIO_NO = 0xe000,
                   FB_CLEAR = 0x20000, FB_CLEAR_CTRL = 0x40000, BHI_NO = 0x100000,
                   GDS_CTRL = 0x2000000, GDS_NO = 0x4000000, RFDS_NO = 0x8000000,
                   RFDS_CLEAR = 0x10000000;
constexpr uint64_t ITS_NO = 1ull << 62;

uint32_t set(std::initializer_list<flaw> flaws)
{
        uint32_t bits = 0;

        for (flaw f : flaws)
                bits |= 1u << f;
        return bits;
}

cpu_facts cpu(cpu_vendor vendor, unsigned family, unsigned model, uint32_t can,
              uint64_t capabilities = 0)
{
        cpu_facts facts = {};

        facts.vendor = vendor;
        facts.family = family;
        facts.model = model;
        facts.can = can;
        facts.capabilities = capabilities;
        facts.sse2 = facts.smep = true;
        return facts;
}

flaws_choice choose(const cpu_facts &facts, mitigations mode = MITIGATIONS_AUTO)
{
        const flaws_choice choice = flaws_choose(&facts, mode);

        // Each treated flaw is among the CPU's flaws, and each flaw has a text.
        EXPECT_EQ(choice.treated & ~choice.flaws, 0u);
        for (unsigned i = 0; i < FLAWS; i++) {
                EXPECT_EQ(choice.done[i] != nullptr, (choice.flaws >> i & 1) != 0) << i;
                EXPECT_NE(flaws_name((flaw)i), nullptr);
                if (choice.done[i]) {
                        const std::string words = choice.done[i];
                        const bool not_whole =
                                !words.find("not treated: ") || !words.find("treated in part: ");
                        EXPECT_EQ(not_whole, !(choice.treated >> i & 1)) << words;
                }
        }
        return choice;
}

TEST(speculation, treats_nothing_if_it_is_off)
{
        const auto choice =
                choose(cpu(VENDOR_INTEL, 6, 0x5e, CAN_IBRS | CAN_IBPB), MITIGATIONS_OFF);

        EXPECT_EQ(choice.treatments, 0u);
        EXPECT_EQ(choice.flaws, 0u);
}

TEST(speculation, expects_no_flaw_of_an_emulated_cpu)
{
        cpu_facts facts = cpu(VENDOR_AMD, 15, 107, CAN_IBRS | CAN_IBPB | CAN_VERW | CAN_L1D_FLUSH);

        facts.emulated = true;
        EXPECT_EQ(choose(facts).treatments, 0u);
        EXPECT_EQ(choose(facts).flaws, 0u);
}

TEST(speculation, treats_skylake)
{
        cpu_facts facts =
                cpu(VENDOR_INTEL, 6, 0x5e,
                    CAN_IBRS | CAN_IBPB | CAN_VERW | CAN_L1D_FLUSH | CAN_SRBDS_CTRL | CAN_MCU_OPT,
                    GDS_CTRL);

        facts.avx2 = facts.rtm = true;
        const auto choice = choose(facts);
        EXPECT_EQ(choice.treatments, TREAT_IBRS_ENTRY | TREAT_IBPB_SWITCH | TREAT_IBPB_GUEST |
                                             TREAT_RSB_GUEST | TREAT_VERW | TREAT_L1D_FLUSH |
                                             TREAT_HIDE_FPU | TREAT_MICROCODE);
        EXPECT_EQ(choice.flaws & ~choice.treated, set({FLAW_MELTDOWN, FLAW_STORES}));
        EXPECT_EQ(choice.treated, set({FLAW_BRANCHES, FLAW_RETURNS, FLAW_L1TF, FLAW_BUFFERS,
                                       FLAW_LAZY_FPU, FLAW_GATHER, FLAW_MONITOR, FLAW_RANDOM}));
}

TEST(speculation, treats_skylake_with_old_microcode_in_part)
{
        cpu_facts facts = cpu(VENDOR_INTEL, 6, 0x5e, 0);

        facts.avx2 = true;
        const auto choice = choose(facts);
        EXPECT_EQ(choice.treated, set({FLAW_LAZY_FPU}));
        EXPECT_EQ(choice.treatments, TREAT_RSB_GUEST | TREAT_HIDE_FPU);
        EXPECT_EQ(choice.flaws & ~choice.treated,
                  set({FLAW_BRANCHES, FLAW_RETURNS, FLAW_MELTDOWN, FLAW_L1TF, FLAW_BUFFERS,
                       FLAW_GATHER, FLAW_STORES, FLAW_MONITOR, FLAW_RANDOM}));
}

TEST(speculation, treats_ice_lake)
{
        cpu_facts facts = cpu(VENDOR_INTEL, 6, 0x6a, CAN_IBRS | CAN_IBRS_ON | CAN_IBPB | CAN_VERW,
                              RDCL_NO | MDS_NO | TAA_NO | FB_CLEAR | GDS_CTRL);

        facts.avx2 = true;
        const auto choice = choose(facts);
        EXPECT_EQ(choice.treatments, TREAT_IBRS_ON | TREAT_IBPB_SWITCH | TREAT_IBPB_GUEST |
                                             TREAT_RSB_GUEST | TREAT_HISTORY_LOOP | TREAT_VERW);
        EXPECT_EQ(choice.flaws & ~choice.treated, set({FLAW_STORES, FLAW_TARGETS}));
        facts.capabilities |= ITS_NO;
        EXPECT_EQ(choose(facts).flaws & set({FLAW_TARGETS}), 0u);
}

TEST(speculation, treats_alder_lake)
{
        cpu_facts facts = cpu(VENDOR_INTEL, 6, 0x97,
                              CAN_IBRS | CAN_IBRS_ON | CAN_IBPB | CAN_BHI_DIS | CAN_VERW,
                              RDCL_NO | MDS_NO | TAA_NO | MMIO_NO | GDS_NO | RFDS_CLEAR);

        facts.avx2 = true;
        const auto choice = choose(facts);
        EXPECT_EQ(choice.treatments, TREAT_IBRS_ON | TREAT_BHI_DIS | TREAT_IBPB_SWITCH |
                                             TREAT_IBPB_GUEST | TREAT_RSB_GUEST | TREAT_VERW);
        EXPECT_EQ(choice.treated, set({FLAW_BRANCHES, FLAW_HISTORY, FLAW_BUFFERS, FLAW_MONITOR}));
}

TEST(speculation, finds_a_cpu_with_only_two_flaws)
{
        const auto choice = choose(
                cpu(VENDOR_INTEL, 6, 0xcf, CAN_IBRS | CAN_IBRS_ON | CAN_IBPB,
                    RDCL_NO | SSB_NO | MDS_NO | TAA_NO | MMIO_NO | BHI_NO | GDS_NO | RFDS_NO));

        EXPECT_EQ(choice.flaws, set({FLAW_BRANCHES, FLAW_MONITOR}));
        EXPECT_EQ(choice.treatments & AT_ENTRY, 0u);
        EXPECT_EQ(choice.treatments & SETTINGS, TREAT_IBRS_ON);
}

TEST(speculation, fills_the_return_stack_at_entries_without_smep)
{
        cpu_facts facts = cpu(VENDOR_INTEL, 6, 0x2a, CAN_IBRS | CAN_IBPB);

        facts.smep = false;
        EXPECT_NE(choose(facts).treatments & TREAT_RSB_ENTRY, 0u);
        facts.smep = true;
        EXPECT_EQ(choose(facts).treatments & TREAT_RSB_ENTRY, 0u);
}

TEST(speculation, treats_zen_2_at_each_entry_only_on_request)
{
        const cpu_facts facts = cpu(VENDOR_AMD, 0x17, 0x31, CAN_IBRS | CAN_IBPB | CAN_KEEP_UPPER);
        const auto choice = choose(facts), full = choose(facts, MITIGATIONS_FULL);

        EXPECT_EQ(choice.treatments, TREAT_IBRS_ENTRY | TREAT_IBPB_SWITCH | TREAT_IBPB_GUEST |
                                             TREAT_RSB_GUEST | TREAT_KEEP_UPPER);
        EXPECT_EQ(choice.flaws & ~choice.treated, set({FLAW_RETURNS, FLAW_STACK, FLAW_STORES}));
        EXPECT_NE(full.treatments & TREAT_IBPB_ENTRY, 0u);
        EXPECT_NE(full.treatments & TREAT_EACH_PD, 0u);
        EXPECT_EQ(full.treated & set({FLAW_RETURNS, FLAW_STACK}), set({FLAW_RETURNS, FLAW_STACK}));
}

TEST(speculation, treats_zen_4)
{
        cpu_facts facts =
                cpu(VENDOR_AMD, 0x19, 0x11, CAN_IBRS | CAN_AUTO_IBRS | CAN_IBPB | CAN_VERW);
        const auto choice = choose(facts);

        EXPECT_EQ(choice.treatments, TREAT_AUTO_IBRS | TREAT_IBPB_SWITCH | TREAT_IBPB_GUEST |
                                             TREAT_RSB_GUEST | TREAT_VERW);
        facts.srso_no = facts.tsa_no = facts.ssb_no = true;
        EXPECT_EQ(choose(facts).flaws, set({FLAW_BRANCHES, FLAW_MONITOR}));
}

// VERW with old microcode leaves some buffers as they are.
TEST(speculation, treats_buffers_in_part_if_the_microcode_is_too_old)
{
        const uint32_t others = RDCL_NO | TAA_NO | GDS_NO;
        const struct {
                unsigned model;
                uint64_t old, with_new;
        } rows[] = {
                {0x6a, MDS_NO, FB_CLEAR},             // Ice Lake: MMIO
                {0xa7, MDS_NO, MMIO_NO},              // Rocket Lake
                {0x97, MDS_NO | MMIO_NO, RFDS_CLEAR}, // Alder Lake: RFDS
                {0xbe, MDS_NO | MMIO_NO, RFDS_NO},    // Gracemont
                {0x5c, 0, RFDS_CLEAR},                // Goldmont
        };

        for (const auto &row : rows) {
                const uint64_t with_old = others | row.old;
                const auto bad =
                        choose(cpu(VENDOR_INTEL, 6, row.model, CAN_IBPB | CAN_VERW, with_old));
                const auto good = choose(cpu(VENDOR_INTEL, 6, row.model, CAN_IBPB | CAN_VERW,
                                             with_old | row.with_new));

                EXPECT_NE(bad.treatments & TREAT_VERW, 0u) << row.model;
                EXPECT_NE((bad.flaws & ~bad.treated) & set({FLAW_BUFFERS}), 0u) << row.model;
                EXPECT_EQ((good.flaws & ~good.treated) & set({FLAW_BUFFERS}), 0u) << row.model;
        }
        // A CPU with MDS clears its fill buffers with any microcode that knows MDS, and a model
        // that is not listed has neither flaw.
        for (const auto &facts : {cpu(VENDOR_INTEL, 6, 0x5e, CAN_VERW, others),
                                  cpu(VENDOR_INTEL, 6, 0xcf, CAN_VERW, others | MDS_NO)})
                EXPECT_EQ((choose(facts).flaws & ~choose(facts).treated) & set({FLAW_BUFFERS}), 0u);
        EXPECT_EQ(choose(cpu(VENDOR_INTEL, 6, 0xcf, CAN_VERW, others | MDS_NO)).flaws &
                          set({FLAW_BUFFERS}),
                  0u);
}

TEST(speculation, leaves_random_numbers_to_the_microcode)
{
        for (const auto mode : {MITIGATIONS_AUTO, MITIGATIONS_FULL}) {
                const auto by_model = choose(cpu(VENDOR_INTEL, 6, 0x3a, 0), mode);
                const auto by_report =
                        choose(cpu(VENDOR_INTEL, 6, 0xcf, CAN_SRBDS_CTRL | CAN_MCU_OPT), mode);

                EXPECT_NE((by_model.flaws & ~by_model.treated) & set({FLAW_RANDOM}), 0u);
                EXPECT_EQ(by_model.treatments & TREAT_MICROCODE, 0u);
                EXPECT_NE(by_report.treated & set({FLAW_RANDOM}), 0u);
                EXPECT_NE(by_report.treatments & TREAT_MICROCODE, 0u);
                EXPECT_EQ(choose(cpu(VENDOR_INTEL, 6, 0x2a, 0), mode).flaws & set({FLAW_RANDOM}),
                          0u);
                EXPECT_EQ(choose(cpu(VENDOR_AMD, 0x17, 0x31, 0), mode).flaws & set({FLAW_RANDOM}),
                          0u);
        }
}

// IA32_MCU_OPT_CTRL: the firmware may have locked GDS_MITG_DIS.
TEST(speculation, admits_the_flaws_whose_treatment_the_firmware_keeps_off)
{
        cpu_facts facts = cpu(VENDOR_INTEL, 6, 0x5e, CAN_VERW | CAN_SRBDS_CTRL | CAN_MCU_OPT,
                              GDS_CTRL | FB_CLEAR_CTRL);
        const struct {
                uint64_t off;
                uint32_t flaws;
        } rows[] = {{0x0, 0},
                    {0x1, set({FLAW_RANDOM})},
                    {0x8, set({FLAW_BUFFERS})},
                    {0x10, set({FLAW_GATHER})},
                    {0x26, 0},
                    {0x39, set({FLAW_RANDOM, FLAW_BUFFERS, FLAW_GATHER})}};

        facts.avx2 = true;
        for (const auto &row : rows) {
                flaws_choice choice = choose(facts);
                const uint32_t flaws = choice.flaws, treated = choice.treated;

                ASSERT_EQ(treated & row.flaws, row.flaws);
                flaws_refuse_microcode(&choice, row.off);
                EXPECT_EQ(choice.flaws, flaws);
                EXPECT_EQ(choice.treated, treated & ~row.flaws);
                for (const flaw f : {FLAW_RANDOM, FLAW_BUFFERS, FLAW_GATHER})
                        EXPECT_EQ(std::string(choice.done[f]).find("not treated: ") == 0,
                                  (row.flaws & set({f})) != 0);
        }
        // If the CPU does not have a flaw, a refused bit for this flaw does not add it.
        flaws_choice choice = choose(cpu(VENDOR_INTEL, 6, 0xcf, CAN_MCU_OPT, GDS_NO));
        const uint32_t flaws = choice.flaws;
        flaws_refuse_microcode(&choice, 0x10);
        EXPECT_EQ(choice.flaws, flaws);
}

// The first and the last model of each range, and their neighbours. Hygon has family 0x18.
TEST(speculation, divides_between_programs_on_zen_1)
{
        const auto divides = [](cpu_vendor vendor, unsigned family, unsigned model) {
                const auto choice = choose(cpu(vendor, family, model, 0));

                EXPECT_EQ((choice.treated & set({FLAW_DIVIDER})) != 0,
                          (choice.treatments & TREAT_DIVIDE) != 0);
                return (choice.treatments & TREAT_DIVIDE) != 0;
        };

        for (unsigned model : {0x00, 0x2f, 0x50, 0x5f})
                EXPECT_TRUE(divides(VENDOR_AMD, 0x17, model)) << model;
        for (unsigned model : {0x30, 0x4f, 0x60})
                EXPECT_FALSE(divides(VENDOR_AMD, 0x17, model)) << model;
        EXPECT_TRUE(divides(VENDOR_AMD, 0x18, 0x02));
        EXPECT_FALSE(divides(VENDOR_AMD, 0x19, 0x01));
        EXPECT_FALSE(divides(VENDOR_AMD, 0x16, 0x01));
        EXPECT_FALSE(divides(VENDOR_INTEL, 0x17, 0x01));
        EXPECT_NE(choose(cpu(VENDOR_INTEL, 6, 0xcf, 0), MITIGATIONS_FULL).treatments & TREAT_DIVIDE,
                  0u);
}

// A guest of a hypervisor cannot write DE_CFG.
TEST(speculation, treats_zenbleed_only_if_no_hypervisor_is_below)
{
        cpu_facts facts = cpu(VENDOR_AMD, 0x17, 0x31, CAN_IBRS | CAN_IBPB | CAN_KEEP_UPPER);

        EXPECT_NE(choose(facts).treatments & TREAT_KEEP_UPPER, 0u);
        EXPECT_NE(choose(facts).treated & set({FLAW_UPPER}), 0u);
        facts.can &= ~CAN_KEEP_UPPER;
        EXPECT_EQ(choose(facts).treatments & TREAT_KEEP_UPPER, 0u);
        EXPECT_NE((choose(facts).flaws & ~choose(facts).treated) & set({FLAW_UPPER}), 0u);
        EXPECT_NE(choose(facts, MITIGATIONS_FULL).flaws & set({FLAW_UPPER}), 0u);
}

// The first and the last model of each range, and their neighbours.
TEST(speculation, expects_zenbleed_of_the_models_of_zen_2)
{
        const struct {
                unsigned first, last;
        } ranges[] = {{0x30, 0x4f}, {0x60, 0x7f}, {0x90, 0x91}, {0xa0, 0xaf}};
        const auto bleeds = [](cpu_vendor vendor, unsigned family, unsigned model) {
                const cpu_facts facts = cpu(vendor, family, model, 0);
                const uint32_t flaws = choose(facts).flaws;

                EXPECT_EQ((flaws ^ choose(facts, MITIGATIONS_FULL).flaws) & set({FLAW_UPPER}), 0u);
                return (flaws & set({FLAW_UPPER})) != 0;
        };

        for (const auto &range : ranges) {
                for (unsigned model : {range.first, range.last}) {
                        EXPECT_TRUE(bleeds(VENDOR_AMD, 0x17, model)) << model;
                        EXPECT_FALSE(bleeds(VENDOR_AMD, 0x19, model)) << model;
                        EXPECT_FALSE(bleeds(VENDOR_OTHER, 0x17, model)) << model;
                }
                for (unsigned model : {range.first - 1, range.last + 1})
                        EXPECT_FALSE(bleeds(VENDOR_AMD, 0x17, model)) << model;
        }
}

TEST(speculation, admits_zenbleed_if_the_write_of_de_cfg_is_refused)
{
        flaws_choice choice = choose(cpu(VENDOR_AMD, 0x17, 0x31, CAN_IBPB | CAN_KEEP_UPPER));
        const uint32_t others = choice.treated & ~set({FLAW_UPPER});

        flaws_refuse_upper(&choice);
        EXPECT_EQ(choice.treated, others);
        EXPECT_NE(choice.flaws & set({FLAW_UPPER}), 0u);
        EXPECT_EQ(std::string(choice.done[FLAW_UPPER]).find("not treated: "), 0u);
}

TEST(speculation, separates_guests_from_their_monitors_since_zen_1)
{
        const uint32_t can = CAN_IBRS | CAN_IBPB;

        EXPECT_EQ(choose(cpu(VENDOR_AMD, 0x16, 0, can)).flaws & set({FLAW_MONITOR}), 0u);
        for (unsigned family = 0x17; family <= 0x1a; family++) {
                const auto choice = choose(cpu(VENDOR_AMD, family, 0, can));
                EXPECT_NE(choice.treated & set({FLAW_MONITOR}), 0u) << family;
                EXPECT_NE(choice.treatments & TREAT_IBPB_GUEST, 0u) << family;
        }
}

// The older steppings of these models have no IBRS that is always on.
TEST(speculation, admits_indirect_target_selection_of_the_models_that_have_it)
{
        const uint32_t can = CAN_IBRS | CAN_IBRS_ON | CAN_IBPB;

        for (unsigned model : {0x55, 0x6a, 0x6c, 0x7e, 0x8c, 0x8d, 0x8e, 0x9e, 0xa5, 0xa6, 0xa7}) {
                const auto choice = choose(cpu(VENDOR_INTEL, 6, model, can));
                EXPECT_NE((choice.flaws & ~choice.treated) & set({FLAW_TARGETS}), 0u) << model;
        }
        EXPECT_EQ(choose(cpu(VENDOR_INTEL, 6, 0x97, can)).flaws & set({FLAW_TARGETS}), 0u);
        EXPECT_EQ(choose(cpu(VENDOR_INTEL, 6, 0x55, CAN_IBRS)).flaws & set({FLAW_TARGETS}), 0u);
}

TEST(speculation, reports_gather_data_sampling_with_full)
{
        cpu_facts facts = cpu(VENDOR_INTEL, 6, 0x6a, CAN_IBRS | CAN_IBPB, GDS_NO);

        EXPECT_EQ(choose(facts, MITIGATIONS_FULL).flaws & set({FLAW_GATHER}), 0u);
        facts.avx2 = true;
        EXPECT_NE(choose(facts, MITIGATIONS_FULL).flaws & set({FLAW_GATHER}), 0u);
        facts.capabilities = GDS_CTRL;
        EXPECT_NE(choose(facts, MITIGATIONS_FULL).treated & set({FLAW_GATHER}), 0u);
}

TEST(speculation, expects_the_worst_of_an_unknown_vendor)
{
        const auto choice = choose(cpu(VENDOR_OTHER, 6, 0x0f, 0));

        EXPECT_NE(choice.flaws & set({FLAW_MELTDOWN}), 0u);
        EXPECT_NE(choice.treatments & TREAT_HIDE_FPU, 0u);
}

bool suits(const cpu_facts &boot, const cpu_facts &other, mitigations mode = MITIGATIONS_AUTO)
{
        const flaws_choice chosen = choose(boot, mode);

        return flaws_suit(&chosen, &other, mode);
}

TEST(speculation, of_the_boot_cpu_suits_an_equal_cpu)
{
        const cpu_facts skylake =
                cpu(VENDOR_INTEL, 6, 0x5e, CAN_IBRS | CAN_IBPB | CAN_VERW | CAN_L1D_FLUSH);

        EXPECT_TRUE(suits(skylake, skylake));
        EXPECT_TRUE(suits(skylake, skylake, MITIGATIONS_FULL));
}

// Takes away each single feature that a treatment needs. A CPU without it would raise #GP, or do
// nothing.
TEST(speculation, of_the_boot_cpu_does_not_suit_a_cpu_that_lacks_its_features)
{
        const cpu_facts skylake =
                cpu(VENDOR_INTEL, 6, 0x5e, CAN_IBRS | CAN_IBPB | CAN_VERW | CAN_L1D_FLUSH);
        const cpu_facts alder_lake = cpu(VENDOR_INTEL, 6, 0x97,
                                         CAN_IBRS | CAN_IBRS_ON | CAN_IBPB | CAN_BHI_DIS, RDCL_NO);
        const cpu_facts zen_4 = cpu(VENDOR_AMD, 0x19, 0x11, CAN_IBRS | CAN_AUTO_IBRS | CAN_IBPB);
        const cpu_facts zen_2 = cpu(VENDOR_AMD, 0x17, 0x31, CAN_IBPB | CAN_KEEP_UPPER);
        const cpu_facts haswell = cpu(VENDOR_INTEL, 6, 0x3c, CAN_SRBDS_CTRL | CAN_MCU_OPT);

        for (const cpu_facts &boot : {skylake, alder_lake, zen_4, zen_2, haswell})
                for (uint32_t bit = 1; bit <= boot.can; bit <<= 1)
                        if (boot.can & bit && (bit != CAN_IBRS || boot.vendor != VENDOR_AMD)) {
                                cpu_facts other = boot;
                                other.can &= ~bit;
                                EXPECT_FALSE(suits(boot, other)) << boot.model << " " << bit;
                                EXPECT_TRUE(suits(boot, other, MITIGATIONS_OFF));
                        }
        cpu_facts other = cpu(VENDOR_INTEL, 6, 0x6a, CAN_IBRS | CAN_IBRS_ON | CAN_IBPB, RDCL_NO);
        const cpu_facts ice_lake = other;
        other.sse2 = false;
        EXPECT_FALSE(suits(ice_lake, other));
}

TEST(speculation, of_the_boot_cpu_does_not_suit_a_cpu_with_more_flaws)
{
        const uint32_t can = CAN_IBRS | CAN_IBPB;
        const cpu_facts haswell = cpu(VENDOR_INTEL, 6, 0x3c, can);
        const cpu_facts skylake = cpu(VENDOR_INTEL, 6, 0x5e, can);

        EXPECT_FALSE(suits(haswell, skylake));
        EXPECT_TRUE(suits(skylake, haswell));
        // This CPU needs a treatment that the boot CPU does not need.
        cpu_facts without_smep = haswell;
        without_smep.smep = false;
        EXPECT_FALSE(suits(haswell, without_smep));
}

// For each set of CPU features, no treatment needs a feature that the CPU lacks.
TEST(speculation, uses_only_features_of_the_cpu)
{
        for (unsigned bits = 0; bits < 0x400 * 8; bits++)
                for (int mode = MITIGATIONS_AUTO; mode <= MITIGATIONS_FULL; mode++)
                        for (int vendor = VENDOR_OTHER; vendor <= VENDOR_AMD; vendor++) {
                                cpu_facts facts =
                                        cpu((cpu_vendor)vendor, vendor == VENDOR_AMD ? 0x17 : 6,
                                            0x5e, bits & 0x3ff);
                                facts.sse2 = bits & 0x400;
                                facts.smep = bits & 0x800;
                                facts.capabilities = bits & 0x1000 ? 0 : RDCL_NO;
                                const auto choice = choose(facts, (mitigations)mode);
                                const uint32_t t = choice.treatments;
                                ASSERT_TRUE(!(t & (TREAT_IBRS_ON | TREAT_IBRS_ENTRY)) ||
                                            bits & (CAN_IBRS | CAN_IBRS_ON));
                                ASSERT_TRUE(!(t & TREAT_AUTO_IBRS) || bits & CAN_AUTO_IBRS);
                                ASSERT_TRUE(!(t & (TREAT_IBPB_SWITCH | TREAT_IBPB_ENTRY |
                                                   TREAT_IBPB_GUEST)) ||
                                            bits & CAN_IBPB);
                                ASSERT_TRUE(!(t & TREAT_BHI_DIS) || bits & CAN_BHI_DIS);
                                ASSERT_TRUE(!(t & TREAT_VERW) || bits & CAN_VERW);
                                ASSERT_TRUE(!(t & TREAT_L1D_FLUSH) || bits & CAN_L1D_FLUSH);
                                ASSERT_TRUE(!(t & TREAT_KEEP_UPPER) || bits & CAN_KEEP_UPPER);
                                ASSERT_TRUE(!(t & TREAT_HISTORY_LOOP) || facts.sse2);
                                ASSERT_TRUE(!(t & TREAT_MICROCODE) || bits & CAN_MCU_OPT);
                        }
}

constexpr uint32_t AMD = 0x444d4163, INTEL = 0x6c65746e; // ECX of CPUID leaf 0

TEST(errata, family_10h_checks_page_sizes)
{
        EXPECT_EQ(errata_of(AMD, 0x00100f42, 0), ERRATUM_383);
        EXPECT_EQ(errata_of(AMD, 0x00200f31, 0), 0u); // family 11h
        EXPECT_EQ(errata_of(INTEL, 0x00100f42, 0), 0u);
}

TEST(errata, the_first_models_of_family_16h_hang_unless_a_bit_is_set)
{
        EXPECT_EQ(errata_of(AMD, 0x00700f01, 0), ERRATUM_793); // model 0
        EXPECT_EQ(errata_of(AMD, 0x00700ff1, 0), ERRATUM_793); // model 0xf
        EXPECT_EQ(errata_of(AMD, 0x00730f01, 0), 0u);          // model 0x30
        EXPECT_EQ(errata_of(AMD, 0x00800f11, 0), 0u);          // family 17h
        EXPECT_EQ(errata_of(INTEL, 0x00700f01, 0), 0u);
        EXPECT_EQ(errata_of(AMD, 0x00700600, 0), 0u); // family 6
}

TEST(errata, code_pages_of_two_sizes_are_checked_by_most_models_of_intel)
{
        EXPECT_EQ(errata_of(INTEL, 0x000106a5, 0), ERRATUM_CODE); // Nehalem
        EXPECT_EQ(errata_of(INTEL, 0x000906ea, 0), ERRATUM_CODE); // Coffee Lake
        EXPECT_EQ(errata_of(INTEL, 0x000906ea, ~0ull & ~0x40ull), ERRATUM_CODE);
        EXPECT_EQ(errata_of(INTEL, 0x000706e5, 0x40), 0u); // Ice Lake reports PSCHANGE_MC_NO
        EXPECT_EQ(errata_of(INTEL, 0x000706a1, 0), 0u);    // Goldmont Plus
        EXPECT_EQ(errata_of(INTEL, 0x00050671, 0), 0u);    // Xeon Phi
        EXPECT_EQ(errata_of(INTEL, 0x00000f4a, 0), 0u);    // Pentium 4
        EXPECT_EQ(errata_of(AMD, 0x000906ea, 0), 0u);
}

} // namespace
