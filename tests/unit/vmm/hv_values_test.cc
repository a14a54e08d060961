/* SPDX-License-Identifier: BSD-2-Clause */
/* Random call values and registers: each call ends with the status of the first check that fails.
 * This file implements the checks again, from the manual. */
#include "hv_partition.h"

#include <cstring>
#include <random>

namespace
{

constexpr uint64_t fast = 0x10000, overlay_at = 0x3000;

struct hv_values : hv_partition {
        std::mt19937_64 random{1};
        nova_hv_frame frame = {};

        void begin(uint64_t privileges)
        {
                SetUp();
                hv.privileges = privileges;
                hv.enabled = true;
                memory.overlays = 0;
                EXPECT_EQ(nova_overlay_map(&memory, overlay_at >> 12, &frames[0], 1), 0);
        }

        /* Returns an address, mostly in RAM, and mostly aligned. */
        uint64_t address()
        {
                const uint64_t any = random(), kind = any >> 60;

                if (kind == 0)
                        return any << 4;
                if (kind == 1)
                        return overlay_at + (any & 0xff8);
                if (kind == 2)
                        return any & 0x1ffff;
                return any & (kind < 8 ? 0x1fff8 : 0x1f0f8);
        }

        bool is_bad(uint64_t at, size_t bytes)
        {
                if (!bytes)
                        return false;
                return at >= ram.size() || bytes > frame_bytes - at % frame_bytes ||
                       at / frame_bytes == overlay_at / frame_bytes;
        }

        /* Returns whether a call value fits a call. The sizes are those of its blocks. */
        static bool fits(const nova_hv_call &call, nova_hv_mode mode, uint64_t value, size_t input,
                         size_t output)
        {
                const uint64_t count = value >> 32 & 0xfff, first = value >> 48 & 0xfff;

                if (value & 0xf000f000f8000000 || (value & fast && !call.fast) ||
                    (value >> 17 & 0x3ff && !call.variable))
                        return false;
                if (call.rep ? first >= count : count + first != 0)
                        return false;
                if (!(value & fast))
                        return true;
                if (mode == NOVA_HV_32)
                        return input <= 16 && !output;
                return output ? (input + 15) / 16 * 16 + output <= 112 : input <= 112;
        }

        /* Makes the checks that come before those of the call itself. Returns a status, -1 for
         * #UD, or 0 if all pass. */
        int first_failure(const nova_hv_frame &call_frame)
        {
                const uint64_t value = call_frame.value, count = value >> 32 & 0xfff;
                const nova_hv_call *const call = nova_hv_find(&hv, uint16_t(value));

                if (!call)
                        return 0x02;
                if (call->privilege & ~hv.privileges)
                        return 0x06;
                if (!call->function)
                        return 0x02;
                const size_t input = (call->input + 7) / 8 * 8 + (value >> 17 & 0x3ff) * 8 +
                                     count * call->input_element;
                const size_t output =
                        ((call->output + 7) / 8 * 8 + count * call->output_element + 7) / 8 * 8;
                if (!fits(*call, call_frame.mode, value, input, output))
                        return 0x03;
                if (value & fast)
                        return (input > 16 && !hv.xmm_input) || (output && !hv.xmm_output) ? -1 : 0;
                if ((input && call_frame.input % 8) || (output && call_frame.output % 8))
                        return 0x04;
                if (is_bad(call_frame.input, input) || is_bad(call_frame.output, output))
                        return 0x05;
                const bool share = input && output &&
                                   call_frame.input < call_frame.output + output &&
                                   call_frame.output < call_frame.input + input;
                return share ? 0x05 : 0;
        }

        /* Makes a call, with the expected outcome. @return whether its function ran */
        bool call(uint64_t value)
        {
                frame.mode = random() % 4 ? NOVA_HV_64 : NOVA_HV_32;
                frame.value = value;
                frame.input = address();
                frame.output = address();
                for (uint8_t &byte : frame.xmm)
                        byte = uint8_t(value);
                const int expected = first_failure(frame);
                const nova_hv_outcome outcome =
                        nova_hv_execute(&hv, unsigned(random() % 2), &frame);
                const uint64_t count = value >> 32 & 0xfff;

                hv.stale = 0;
                EXPECT_EQ(outcome == NOVA_HV_UNDEFINED, expected == -1) << std::hex << value;
                if (expected == -1)
                        return false;
                if (outcome == NOVA_HV_CONTINUES) {
                        EXPECT_TRUE(nova_hv_find(&hv, uint16_t(value))->rep);
                        EXPECT_EQ((frame.value ^ value) & ~(uint64_t{0xfff} << 48), 0u);
                        EXPECT_GT(frame.value >> 48, value >> 48);
                        EXPECT_LT(frame.value >> 48, count);
                        return true;
                }
                EXPECT_EQ(frame.result & 0xfffff000ffff0000, 0u);
                if (expected) {
                        EXPECT_EQ(frame.result, uint64_t(expected)) << std::hex << value;
                }
                EXPECT_LE(frame.result >> 32, count);
                return !expected;
        }

        /* Makes calls with all values of a code: fast or not, variable part, count, start index, a
         * reserved bit. */
        unsigned call_all(uint16_t code)
        {
                static const uint64_t bits[] = {27, 28, 29, 30, 31, 44, 45, 46, 47, 60, 61, 62, 63};
                unsigned ran = 0;

                for (const uint64_t is_fast : {uint64_t{0}, fast})
                        for (const uint64_t words : {0, 1})
                                for (const uint64_t count : {0, 1, 70})
                                        for (const uint64_t first : {0, 1})
                                                for (const bool reserved : {false, true}) {
                                                        uint64_t value = code | is_fast |
                                                                         words << 17 | count << 32 |
                                                                         first << 48;
                                                        if (reserved)
                                                                value |= uint64_t{1}
                                                                         << bits[random() % 13];
                                                        ran += call(value);
                                                }
                return ran;
        }
};

TEST_F(hv_values, each_code_with_each_kind_of_value_gets_the_status_of_the_first_check)
{
        uint64_t ran = 0;

        begin(NOVA_HV_PRIVILEGES_ALL);
        for (unsigned code = 0; code <= UINT16_MAX && !HasFailure(); code++)
                ran += call_all(uint16_t(code));
        EXPECT_GT(ran, 20u);
        for (unsigned i = 0; i < 200 && !HasFailure(); i++) {
                hv.privileges = i % 2 ? uint64_t{NOVA_HV_PRIVILEGES_ALL} : 0;
                for (const nova_hv_call *known = nova_hv_calls; known->code; known++)
                        ran += call_all(known->code);
        }
        EXPECT_GT(ran, 2000u);
}

/* If the blocks could share bytes, the output of an element could become the input of a later
 * one. */
TEST_F(hv_values, an_input_block_and_an_output_block_that_share_bytes_are_invalid_parameters)
{
        static const nova_hv_call list = {0x9000,
                                          8,
                                          8,
                                          0,
                                          16,
                                          0,
                                          true,
                                          false,
                                          false,
                                          0,
                                          [](const nova_hv_action *) { return NOVA_HV_SUCCESS; },
                                          "list"};
        const uint64_t input = 0x5400, input_bytes = 8 + 2 * 8, output_bytes = 2 * 16;

        begin(0);
        ASSERT_EQ(nova_hv_add(&hv, &list), 0);
        frame.mode = NOVA_HV_64;
        frame.input = input;
        for (uint64_t output = input - 64; output <= input + 64; output += 8) {
                const bool share = output > input - output_bytes && output < input + input_bytes;

                frame.value = 0x9000 | uint64_t{2} << 32;
                frame.output = output;
                ASSERT_EQ(nova_hv_execute(&hv, 0, &frame), NOVA_HV_DONE);
                EXPECT_EQ(frame.result & 0xffff, share ? 0x05u : 0x00u) << std::hex << output;
        }
}

/* The second virtual CPU may look at any time, and sees only complete elements. */
TEST_F(hv_values, output_of_a_slice_is_in_memory_before_the_call_ends)
{
        static const nova_hv_call list = {0x9000,
                                          0,
                                          0,
                                          0,
                                          8,
                                          3,
                                          true,
                                          false,
                                          false,
                                          0,
                                          [](const nova_hv_action *action) {
                                                  *static_cast<uint64_t *>(action->output_element) =
                                                          100 + action->index;
                                                  return NOVA_HV_SUCCESS;
                                          },
                                          "list"};

        begin(0);
        ASSERT_EQ(nova_hv_add(&hv, &list), 0);
        frame.mode = NOVA_HV_64;
        frame.value = 0x9000 | uint64_t{5} << 32;
        frame.output = 0x5000;
        ASSERT_EQ(nova_hv_execute(&hv, 0, &frame), NOVA_HV_CONTINUES);
        for (uint64_t i = 0; i < 5; i++) {
                uint64_t word;
                memcpy(&word, &ram[0x5000 + 8 * i], 8);
                EXPECT_EQ(word, i < 3 ? 100 + i : 0);
        }
        EXPECT_EQ(nova_hv_execute(&hv, 0, &frame), NOVA_HV_DONE);
}

/* Bits 48 to 55 of an open-source identity are a variant. */
TEST_F(hv_values, the_variant_of_an_identity_is_kept_and_not_printed)
{
        const uint64_t plain = 0x810000060100009b, variant = plain | uint64_t{0x5a} << 48;
        char text[2][80];

        ASSERT_TRUE(set(0x40000000, variant));
        EXPECT_EQ(get(0x40000000), variant);
        nova_hv_identity_text(plain, text[0], sizeof(text[0]));
        nova_hv_identity_text(variant, text[1], sizeof(text[1]));
        EXPECT_STREQ(text[0], text[1]);
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
