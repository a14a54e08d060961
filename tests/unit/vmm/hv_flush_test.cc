/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of enlightened guests that flush translations and send interrupts, and their sets of
 * virtual processors. */
#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "devices.h"

namespace
{

constexpr uint64_t ram_bytes = 0x20000, in_at = 0x3000;
constexpr uint16_t flush_space = 0x02, flush_list = 0x03, ipi = 0x0b, flush_space_set = 0x13,
                   flush_list_set = 0x14, ipi_set = 0x15;
constexpr uint64_t all_processors = 1, all_spaces = 2, non_global = 4;
constexpr uint64_t sparse = 0, everyone = 1, fast = 0x10000;
constexpr unsigned vcpus = 5;

constexpr uint64_t variable(uint64_t words)
{
        return words << 17;
}

constexpr uint64_t list(uint64_t count, uint64_t start = 0)
{
        return count << 32 | start << 48;
}

struct hv_flush : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(ram_bytes);
        nova_guest_memory memory = {};
        nova_hv hv;
        nova_hv_frame frame = {};
        nova_lapic lapic[vcpus];
        fake_clock clock;

        void SetUp() override
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                ASSERT_EQ(nova_hv_init(&hv, &memory, NOVA_HV_PRIVILEGES_USUAL), 0);
                hv.enabled = true;
                hv.vcpus = vcpus;
                for (unsigned i = 0; i < vcpus; i++) {
                        const nova_clock time = clock.clock();
                        const nova_line out = {};
                        nova_lapic_init(&lapic[i], uint8_t(i), &time, &out);
                        nova_lapic_write(&lapic[i], 0xf0, 4, 0x1ff);
                        hv.vp[i].lapic = &lapic[i];
                }
        }

        /* Makes a call with a block of words, until it ends. @return the status */
        unsigned call(uint64_t value, const std::vector<uint64_t> &words)
        {
                memcpy(&ram[in_at], words.data(), words.size() * 8);
                frame.mode = NOVA_HV_64;
                frame.value = value;
                frame.input = in_at;
                hv.stale = 0;
                while (nova_hv_execute(&hv, 1, &frame) == NOVA_HV_CONTINUES)
                        continue;
                return frame.result & 0xffff;
        }

        /* Returns the virtual processors whose pending interrupt is @p vector, and takes it. */
        uint64_t take(int vector)
        {
                uint64_t set = 0;
                for (unsigned i = 0; i < vcpus; i++)
                        if (nova_lapic_take(&lapic[i]) == vector) {
                                set |= uint64_t{1} << i;
                                nova_lapic_end(&lapic[i]);
                        }
                return set;
        }
};

TEST_F(hv_flush, a_mask_says_which_virtual_processors_flush)
{
        for (const uint64_t mask : {0x00, 0x01, 0x12, 0x1f}) {
                EXPECT_EQ(call(flush_space, {0x1000, 0, mask}), unsigned{NOVA_HV_SUCCESS});
                EXPECT_EQ(hv.stale, mask);
                EXPECT_EQ(call(flush_list | list(1), {0x1000, all_spaces, mask, 0x5000}),
                          unsigned{NOVA_HV_SUCCESS});
                EXPECT_EQ(hv.stale, mask);
        }
        EXPECT_EQ(hv.flush_calls, 8u);
}

TEST_F(hv_flush, the_flag_for_all_processors_ignores_mask_and_set)
{
        const uint64_t flags = all_processors | non_global;

        EXPECT_EQ(call(flush_space, {0, flags, ~uint64_t{0}}), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0x1fu);
        EXPECT_EQ(call(flush_space_set | variable(1), {0, flags, 9, 1, ~uint64_t{0}}),
                  unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0x1fu);
}

TEST_F(hv_flush, other_flags_are_refused_and_nothing_is_flushed)
{
        for (unsigned bit = 3; bit < 64; bit++) {
                const uint64_t flags = uint64_t{1} << bit | all_processors;
                EXPECT_EQ(call(flush_space, {0, flags, 1}), unsigned{NOVA_HV_INVALID_PARAMETER});
                EXPECT_EQ(call(flush_space_set | variable(1), {0, flags, sparse, 1, 1}),
                          unsigned{NOVA_HV_INVALID_PARAMETER});
                EXPECT_EQ(hv.stale, 0u);
        }
}

TEST_F(hv_flush, virtual_processors_that_do_not_exist_are_refused)
{
        for (unsigned bit = vcpus; bit < 64; bit++) {
                const uint64_t mask = uint64_t{1} << bit | 1;
                EXPECT_EQ(call(flush_space, {0, 0, mask}), unsigned{NOVA_HV_INVALID_VP_INDEX});
                EXPECT_EQ(call(flush_space_set | variable(1), {0, 0, sparse, 1, mask}),
                          unsigned{NOVA_HV_INVALID_VP_INDEX});
                EXPECT_EQ(call(ipi, {0x40, mask}), unsigned{NOVA_HV_INVALID_VP_INDEX});
                EXPECT_EQ(hv.stale, 0u);
                EXPECT_EQ(take(0x40), 0u);
        }
        EXPECT_EQ(call(flush_space_set | variable(2), {0, 0, sparse, 0x8001, 1, 1}),
                  unsigned{NOVA_HV_INVALID_VP_INDEX});
}

TEST_F(hv_flush, a_set_has_the_banks_of_its_mask)
{
        EXPECT_EQ(call(flush_space_set | variable(1), {0, 0, sparse, 1, 0x12}),
                  unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0x12u);
        EXPECT_EQ(call(flush_space_set | variable(3), {0, 0, sparse, 0x4003, 0x6, 0, 0}),
                  unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0x6u);
        EXPECT_EQ(call(flush_space_set, {0, 0, sparse, 0}), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0u);
        EXPECT_EQ(call(flush_space_set, {0, 0, everyone, 0}), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0x1fu);
        EXPECT_EQ(call(flush_space_set, {0, 0, 2, 0}), unsigned{NOVA_HV_INVALID_PARAMETER});
        std::vector<uint64_t> full = {0, 0, sparse, ~uint64_t{0}, 0x1f};
        full.resize(4 + 64);
        EXPECT_EQ(call(flush_space_set | variable(64), full), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0x1fu);
}

TEST_F(hv_flush, a_set_with_one_bank_less_or_more_than_its_mask_says_is_invalid_input)
{
        for (const uint64_t banks : {uint64_t{0}, uint64_t{1}, uint64_t{0x8001}, ~uint64_t{0}}) {
                std::vector<uint64_t> words = {0, all_processors, sparse, banks};
                words.resize(4 + 65);
                const auto count = unsigned(__builtin_popcountll(banks));
                for (const unsigned wrong : {count - 1, count + 1}) {
                        if (wrong > 65)
                                continue;
                        EXPECT_EQ(call(flush_space_set | variable(wrong), words),
                                  unsigned{NOVA_HV_INVALID_INPUT});
                        EXPECT_EQ(call(flush_list_set | variable(wrong) | list(1), words),
                                  unsigned{NOVA_HV_INVALID_INPUT});
                        EXPECT_EQ(call(ipi_set | variable(wrong), {0x40, sparse, banks}),
                                  unsigned{NOVA_HV_INVALID_INPUT});
                }
        }
}

TEST_F(hv_flush, a_list_continues_after_256_elements_and_completes_all)
{
        std::vector<uint64_t> words = {0, 0, 0x1f};
        words.resize(3 + 400, 0xfff);
        memcpy(&ram[in_at], words.data(), words.size() * 8);
        frame.mode = NOVA_HV_64;
        frame.value = flush_list | list(400);
        frame.input = in_at;
        EXPECT_EQ(nova_hv_execute(&hv, 0, &frame), NOVA_HV_CONTINUES);
        EXPECT_EQ(frame.value, flush_list | list(400, 256));
        EXPECT_EQ(nova_hv_execute(&hv, 0, &frame), NOVA_HV_DONE);
        EXPECT_EQ(frame.result, uint64_t{400} << 32);
        EXPECT_EQ(hv.stale, 0x1fu);
        EXPECT_EQ(hv.flush_calls, 1u);
}

TEST_F(hv_flush, a_list_of_a_set_has_its_elements_after_the_banks)
{
        EXPECT_EQ(call(flush_list_set | variable(1) | list(2),
                       {0, 0, sparse, 1, 0x3, 0x1000, 0x2000}),
                  unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(hv.stale, 0x3u);
        EXPECT_EQ(frame.result >> 32, 2u);
        EXPECT_EQ(call(flush_list_set | variable(1), {0, 0, sparse, 1, 0x3}),
                  unsigned{NOVA_HV_INVALID_INPUT});
}

TEST_F(hv_flush, interrupts_reach_the_virtual_processors_of_a_mask_or_a_set)
{
        EXPECT_EQ(call(ipi, {0x41, 0x15}), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(take(0x41), 0x15u);
        EXPECT_EQ(call(ipi_set | variable(1), {0xff, sparse, 1, 0x02}), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(take(0xff), 0x02u);
        EXPECT_EQ(call(ipi_set, {0x10, everyone, 0}), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(take(0x10), 0x1fu);
        EXPECT_EQ(hv.ipi_calls, 3u);
}

TEST_F(hv_flush, interrupts_are_sent_by_registers_with_the_same_result)
{
        frame.mode = NOVA_HV_32;
        frame.value = ipi | fast;
        frame.input = 0x51;
        frame.output = 0x09;
        EXPECT_EQ(nova_hv_execute(&hv, 0, &frame), NOVA_HV_DONE);
        EXPECT_EQ(frame.result, 0u);
        EXPECT_EQ(take(0x51), 0x09u);
}

TEST_F(hv_flush, vectors_below_16_and_above_255_and_other_trust_levels_are_refused)
{
        for (const uint64_t command : {uint64_t{0}, uint64_t{15}, uint64_t{256},
                                       uint64_t{0x80000040}, uint64_t{0x40} | uint64_t{1} << 32})
                EXPECT_EQ(call(ipi, {command, 1}), unsigned{NOVA_HV_INVALID_PARAMETER});
        EXPECT_EQ(take(0x40), 0u);
        EXPECT_EQ(call(ipi, {uint64_t{0x40} | uint64_t{0xabcdef} << 40, 1}),
                  unsigned{NOVA_HV_SUCCESS}); /* padding */
        EXPECT_EQ(take(0x40), 1u);
}

TEST_F(hv_flush, without_local_apics_no_interrupt_is_sent)
{
        hv.vp[0].lapic = nullptr;
        EXPECT_EQ(call(ipi, {0x40, 1}), unsigned{NOVA_HV_OPERATION_DENIED});
}

TEST_F(hv_flush, random_sets_are_those_of_a_model)
{
        std::mt19937_64 random(20);
        unsigned good = 0;

        for (unsigned i = 0; i < 20000; i++) {
                const uint64_t banks = random() % 4 ? random() % 8 : random() & random() & random();
                const auto words = unsigned(__builtin_popcountll(banks));
                std::vector<uint64_t> block = {random(), random() % 8 & ~all_processors,
                                               random() % 3, banks};
                uint64_t first = 0, others = 0;

                for (unsigned n = 0; n < words; n++)
                        block.push_back(random() % 3 ? 0 : random() % 48);
                for (unsigned n = 0; n < words; n++)
                        (n == 0 && banks & 1 ? first : others) |= block[4 + n];

                const unsigned status = call(flush_space_set | variable(words), block);
                const bool unknown = others || first >> vcpus;
                const unsigned expected = block[2] == everyone ? NOVA_HV_SUCCESS
                                          : block[2] != sparse ? NOVA_HV_INVALID_PARAMETER
                                          : unknown            ? NOVA_HV_INVALID_VP_INDEX
                                                               : NOVA_HV_SUCCESS;
                ASSERT_EQ(status, expected);
                if (!status) {
                        ASSERT_EQ(hv.stale, block[2] == everyone ? 0x1f : first);
                        good++;
                }
        }
        EXPECT_GT(good, 5000u);
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
