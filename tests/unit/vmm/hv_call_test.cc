/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls of enlightened guests: registers, call values, parameter blocks, lists, statuses. */
#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

namespace
{

constexpr uint64_t fast = 0x10000;
constexpr uint64_t ram_bytes = 0x20000, in_at = 0x3000, out_at = 0x5000;

/* The actions of the test's calls, and the parameters that they received. */
std::function<nova_hv_status(const nova_hv_action *)> act;
unsigned actions;

nova_hv_status function(const nova_hv_action *action)
{
        actions++;
        return act ? act(action) : NOVA_HV_SUCCESS;
}

constexpr uint64_t variable(uint64_t words)
{
        return words << 17;
}

constexpr uint64_t list(uint64_t count, uint64_t start = 0)
{
        return count << 32 | start << 48;
}

constexpr uint64_t done(nova_hv_status status, uint64_t completed = 0)
{
        return status | completed << 32;
}

struct hv_call : testing::Test {
        std::vector<uint8_t> ram = std::vector<uint8_t>(ram_bytes);
        nova_guest_memory memory = {};
        nova_hv hv;
        nova_hv_frame frame = {};
        std::vector<nova_hv_call> calls = std::vector<nova_hv_call>(NOVA_HV_OWN_CALLS);
        unsigned added = 0;

        void SetUp() override
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                ASSERT_EQ(nova_hv_init(&hv, &memory, 0), 0);
                hv.enabled = true;
                hv.xmm_input = hv.xmm_output = true;
                act = nullptr;
                actions = 0;
                frame.mode = NOVA_HV_64;
                frame.input = in_at;
                frame.output = out_at;
        }

        void TearDown() override
        {
                act = nullptr;
        }

        /* Adds a call; the first one has code 0x9000. */
        nova_hv_call *add(nova_hv_call call)
        {
                calls[added] = call;
                calls[added].code = static_cast<uint16_t>(0x9000 + added);
                if (!calls[added].function)
                        calls[added].function = function;
                EXPECT_EQ(nova_hv_add(&hv, &calls[added]), 0);
                return &calls[added++];
        }

        static nova_hv_call sizes(uint16_t input, uint16_t output, uint16_t input_element = 0,
                                  uint16_t output_element = 0)
        {
                nova_hv_call call = {};

                call.input = input;
                call.output = output;
                call.input_element = input_element;
                call.output_element = output_element;
                call.rep = input_element || output_element;
                call.fast = true;
                return call;
        }

        nova_hv_outcome execute(uint64_t value)
        {
                frame.value = value;
                return nova_hv_execute(&hv, 0, &frame);
        }

        /* Executes until the call ends, as a guest does. */
        uint64_t run(uint64_t value)
        {
                frame.value = value;
                nova_hv_outcome outcome;
                do
                        outcome = nova_hv_execute(&hv, 0, &frame);
                while (outcome == NOVA_HV_CONTINUES);
                EXPECT_EQ(outcome, NOVA_HV_DONE);
                return frame.result;
        }
};

TEST_F(hv_call, blocks_are_padded_to_8_bytes_and_the_padding_is_ignored_and_becomes_zeros)
{
        const auto *call = add(sizes(5, 3, 2, 3));
        act = [](const nova_hv_action *action) {
                EXPECT_EQ(memcmp(action->input, "input", 5), 0);
                memset(action->output, 'o', 3);
                memset(action->output_element, 'e', 3);
                return NOVA_HV_SUCCESS;
        };
        memset(ram.data(), 0xcc, ram.size());
        memcpy(&ram[in_at], "input", 5); /* 3 bytes of padding; elements of 2 bytes begin at 8 */
        EXPECT_EQ(run(call->code | list(2)), done(NOVA_HV_SUCCESS, 2));
        const uint8_t expected[] = {'o', 'o', 'o', 0,   0,   0, 0, 0,   'e',
                                    'e', 'e', 'e', 'e', 'e', 0, 0, 0xcc};
        EXPECT_EQ(memcmp(&ram[out_at], expected, sizeof(expected)), 0);
        EXPECT_EQ(ram[out_at - 1], 0xcc);
}

TEST_F(hv_call, blocks_that_are_1_to_7_bytes_off_are_not_aligned)
{
        const auto *call = add(sizes(8, 8));
        for (unsigned off = 1; off < 8; off++) {
                frame.input = in_at + off;
                frame.output = out_at;
                EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_ALIGNMENT));
                frame.input = in_at;
                frame.output = out_at + off;
                EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_ALIGNMENT));
        }
        EXPECT_EQ(actions, 0u);
}

TEST_F(hv_call, addresses_of_blocks_that_a_call_lacks_are_ignored)
{
        frame.input = frame.output = UINT64_MAX;
        EXPECT_EQ(run(add(sizes(0, 0))->code), done(NOVA_HV_SUCCESS));
}

TEST_F(hv_call, blocks_may_end_at_the_end_of_ram_and_of_a_page)
{
        const auto *call = add(sizes(16, 16));
        frame.input = ram_bytes - 16;
        frame.output = out_at + 0xff0;
        EXPECT_EQ(run(call->code), done(NOVA_HV_SUCCESS));
        for (uint64_t at : {ram_bytes - 8, ram_bytes, in_at + 0xff8, uint64_t{0x100000000},
                            uint64_t{0xfee00000}, ~uint64_t{7}, uint64_t{1} << 63}) {
                frame.input = at;
                frame.output = out_at;
                EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_PARAMETER)) << std::hex << at;
                frame.input = in_at;
                frame.output = at;
                EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_PARAMETER)) << std::hex << at;
        }
        EXPECT_EQ(actions, 1u);
}

TEST_F(hv_call, blocks_in_overlay_pages_are_invalid_parameters)
{
        const auto *call = add(sizes(8, 8));
        memory.overlay[memory.overlays++].page = 0x1;
        memory.overlay[memory.overlays++].page = in_at >> 12;
        EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_PARAMETER));
        frame.input = out_at;
        frame.output = in_at + 0xff8;
        EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_PARAMETER));
        frame.output = in_at + 0x1000;
        EXPECT_EQ(run(call->code), done(NOVA_HV_SUCCESS));
}

TEST_F(hv_call, fast_parameters_are_those_of_memory)
{
        const auto *call = add(sizes(16, 0));
        std::vector<uint64_t> seen;
        act = [&](const nova_hv_action *action) {
                const auto *words = static_cast<const uint64_t *>(action->input);
                seen.insert(seen.end(), words, words + 2);
                return NOVA_HV_INVALID_VP_INDEX;
        };
        const uint64_t words[] = {0x1122334455667788, 0x99aabbccddeeff00};
        memcpy(&ram[in_at], words, 16);
        EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_VP_INDEX));
        for (nova_hv_mode mode : {NOVA_HV_64, NOVA_HV_32}) {
                frame.mode = mode;
                frame.input = words[0];
                frame.output = words[1];
                EXPECT_EQ(run(call->code | fast), done(NOVA_HV_INVALID_VP_INDEX));
                EXPECT_EQ(frame.input, words[0]);
                EXPECT_EQ(frame.output, words[1]);
        }
        ASSERT_EQ(seen.size(), 6u);
        for (size_t i = 0; i < seen.size(); i++)
                EXPECT_EQ(seen[i], words[i % 2]);
}

TEST_F(hv_call, fast_parameters_continue_in_xmm_registers_up_to_112_bytes)
{
        for (uint16_t bytes : {17, 20, 31, 32, 33, 48, 111, 112}) {
                added = hv.owns = 0;
                const auto *call = add(sizes(bytes, 0));
                frame.input = 0x0706050403020100;
                frame.output = 0x0f0e0d0c0b0a0908;
                for (unsigned i = 0; i < sizeof(frame.xmm); i++)
                        frame.xmm[i] = static_cast<uint8_t>(16 + i);
                act = [=](const nova_hv_action *action) {
                        for (uint8_t i = 0; i < bytes; i++)
                                EXPECT_EQ(static_cast<const uint8_t *>(action->input)[i], i);
                        return NOVA_HV_SUCCESS;
                };
                EXPECT_EQ(run(call->code | fast), done(NOVA_HV_SUCCESS)) << bytes;
                EXPECT_FALSE(frame.xmm_changed);
        }
        added = hv.owns = 0;
        EXPECT_EQ(run(add(sizes(113, 0))->code | fast), done(NOVA_HV_INVALID_INPUT));
}

TEST_F(hv_call, fast_output_begins_in_the_register_after_the_input)
{
        const auto *call = add(sizes(20, 80)); /* input ends in XMM0, output fills XMM1 to XMM5 */
        act = [](const nova_hv_action *action) {
                memset(action->output, 0xab, 80);
                return NOVA_HV_SUCCESS;
        };
        memset(frame.xmm, 0x11, sizeof(frame.xmm));
        EXPECT_EQ(run(call->code | fast), done(NOVA_HV_SUCCESS));
        EXPECT_TRUE(frame.xmm_changed);
        EXPECT_EQ(frame.input, in_at);
        for (unsigned i = 0; i < sizeof(frame.xmm); i++)
                EXPECT_EQ(frame.xmm[i], i < 16 ? 0x11 : 0xab);
        EXPECT_EQ(run(add(sizes(20, 88))->code | fast), done(NOVA_HV_INVALID_INPUT));

        const auto *out = add(sizes(0, 8)); /* without input, the output begins in RDX */
        act = [](const nova_hv_action *action) {
                *static_cast<uint64_t *>(action->output) = 77;
                return NOVA_HV_SUCCESS;
        };
        EXPECT_EQ(run(out->code | fast), done(NOVA_HV_SUCCESS));
        EXPECT_EQ(frame.input, 77u);
        EXPECT_EQ(frame.output, out_at);
}

TEST_F(hv_call, a_call_that_fails_leaves_fast_output_as_it_was)
{
        const auto *call = add(sizes(0, 8));
        act = [](const nova_hv_action *action) {
                *static_cast<uint64_t *>(action->output) = 77;
                return NOVA_HV_INVALID_PARAMETER;
        };
        EXPECT_EQ(run(call->code | fast), done(NOVA_HV_INVALID_PARAMETER));
        EXPECT_EQ(frame.input, in_at);
        EXPECT_FALSE(frame.xmm_changed);
        EXPECT_EQ(run(call->code), done(NOVA_HV_INVALID_PARAMETER));
        EXPECT_EQ(ram[out_at], 0);
}

TEST_F(hv_call, registers_of_xmm_that_are_not_announced_are_undefined)
{
        const auto *in = add(sizes(17, 0)), *small = add(sizes(16, 0)), *out = add(sizes(0, 8));
        hv.xmm_input = false;
        EXPECT_EQ(execute(in->code | fast), NOVA_HV_UNDEFINED);
        EXPECT_EQ(execute(small->code | fast), NOVA_HV_DONE);
        EXPECT_EQ(execute(out->code | fast), NOVA_HV_DONE);
        hv.xmm_output = false;
        EXPECT_EQ(execute(out->code | fast), NOVA_HV_UNDEFINED);
        frame.mode = NOVA_HV_32; /* has no XMM parameters at all */
        hv.xmm_input = hv.xmm_output = true;
        EXPECT_EQ(run(in->code | fast), done(NOVA_HV_INVALID_INPUT));
        EXPECT_EQ(run(out->code | fast), done(NOVA_HV_INVALID_INPUT));
}

TEST_F(hv_call, rep_counts_and_start_indices_fit_the_kind_of_call)
{
        const auto *simple = add(sizes(8, 0)), *rep = add(sizes(0, 0, 1));
        EXPECT_EQ(run(simple->code | list(1)), done(NOVA_HV_INVALID_INPUT));
        EXPECT_EQ(run(simple->code | list(0, 1)), done(NOVA_HV_INVALID_INPUT));
        EXPECT_EQ(run(rep->code), done(NOVA_HV_INVALID_INPUT));
        EXPECT_EQ(run(rep->code | list(3, 3)), done(NOVA_HV_INVALID_INPUT));
        EXPECT_EQ(run(rep->code | list(3, 4)), done(NOVA_HV_INVALID_INPUT));
        EXPECT_EQ(actions, 0u);
        EXPECT_EQ(run(rep->code | list(3, 2)), done(NOVA_HV_SUCCESS, 3));
        EXPECT_EQ(actions, 1u);
}

TEST_F(hv_call, a_list_is_performed_in_its_order_and_in_slices)
{
        auto description = sizes(8, 0, 8, 8);
        description.slice = 20;
        const auto *call = add(description);
        std::vector<uint64_t> seen;
        for (uint64_t i = 0; i < 25; i++)
                memcpy(&ram[in_at + 8 + 8 * i], &i, 8);
        act = [&](const nova_hv_action *action) {
                seen.push_back(*static_cast<const uint64_t *>(action->element));
                *static_cast<uint64_t *>(action->output_element) = 100 + action->index;
                return NOVA_HV_SUCCESS;
        };
        const uint64_t value = call->code | list(25);
        EXPECT_EQ(execute(value), NOVA_HV_CONTINUES);
        EXPECT_EQ(seen.size(), 20u);
        EXPECT_EQ(frame.value, call->code | list(25, 20)); /* only the start index has changed */
        EXPECT_EQ(frame.input, in_at);
        EXPECT_EQ(nova_hv_execute(&hv, 0, &frame), NOVA_HV_DONE);
        EXPECT_EQ(frame.result, done(NOVA_HV_SUCCESS, 25));
        EXPECT_EQ(frame.value, call->code | list(25, 20));
        ASSERT_EQ(seen.size(), 25u);
        for (uint64_t i = 0; i < 25; i++) {
                uint64_t out;
                memcpy(&out, &ram[out_at + 8 * i], 8);
                EXPECT_EQ(seen[i], i);
                EXPECT_EQ(out, 100 + i);
        }
}

TEST_F(hv_call, an_error_at_each_place_of_a_list_of_4095_counts_from_the_list_s_start)
{
        const auto *call = add(sizes(0, 0, 1));
        frame.input = in_at;
        for (unsigned bad = 0; bad < 4095; bad++) {
                ram[in_at + bad] = 1;
                act = [](const nova_hv_action *action) {
                        return *static_cast<const uint8_t *>(action->element)
                                       ? NOVA_HV_INVALID_PARAMETER
                                       : NOVA_HV_SUCCESS;
                };
                actions = 0;
                ASSERT_EQ(run(call->code | list(4095)), done(NOVA_HV_INVALID_PARAMETER, bad));
                ASSERT_EQ(actions, bad + 1); /* this element was tried, and the next one was not */
                ASSERT_EQ(run(call->code | list(4095, bad)), done(NOVA_HV_INVALID_PARAMETER, bad));
                ram[in_at + bad] = 0;
        }
        EXPECT_EQ(run(call->code | list(4095)), done(NOVA_HV_SUCCESS, 4095));
}

TEST_F(hv_call, each_parameter_is_read_once_even_if_the_guest_changes_it)
{
        const auto *call = add(sizes(8, 0, 8));
        memset(&ram[in_at], 1, 24);
        act = [&](const nova_hv_action *action) {
                const uint64_t first = *static_cast<const uint64_t *>(action->input);
                const uint64_t element = *static_cast<const uint64_t *>(action->element);
                memset(&ram[in_at], 0xff, 16); /* as another virtual CPU could do */
                EXPECT_EQ(*static_cast<const uint64_t *>(action->input), first);
                EXPECT_EQ(*static_cast<const uint64_t *>(action->element), element);
                return element == 0x0101010101010101 ? NOVA_HV_SUCCESS : NOVA_HV_INVALID_PARAMETER;
        };
        EXPECT_EQ(run(call->code | list(2)), done(NOVA_HV_SUCCESS, 2));
}

TEST_F(hv_call, the_caller_s_mode_determines_the_registers)
{
        nova_utcb_state state = {};
        constexpr uint64_t lma = 0x400;

        EXPECT_EQ(nova_hv_mode_of(&state, 0), NOVA_HV_NOT_ALLOWED); /* real mode */
        state.cr0 = 1;
        EXPECT_EQ(nova_hv_mode_of(&state, 0), NOVA_HV_32);
        state.cs.ar = 0x200; /* L means nothing outside of long mode */
        EXPECT_EQ(nova_hv_mode_of(&state, 0), NOVA_HV_32);
        EXPECT_EQ(nova_hv_mode_of(&state, lma), NOVA_HV_64);
        state.cs.ar = 0x400;
        EXPECT_EQ(nova_hv_mode_of(&state, lma), NOVA_HV_32); /* compatibility mode */
        state.flags = 0x20000;
        EXPECT_EQ(nova_hv_mode_of(&state, 0), NOVA_HV_NOT_ALLOWED); /* virtual-8086 mode */
        state.flags = 0;
        for (uint16_t ring = 1; ring < 4; ring++) {
                state.ss.ar = static_cast<uint16_t>(ring << 5);
                EXPECT_EQ(nova_hv_mode_of(&state, lma), NOVA_HV_NOT_ALLOWED);
        }
}

TEST_F(hv_call, callers_that_may_not_call_and_a_page_that_is_not_enabled_are_undefined)
{
        const auto *call = add(sizes(0, 0));
        frame.mode = NOVA_HV_NOT_ALLOWED;
        EXPECT_EQ(execute(call->code), NOVA_HV_UNDEFINED);
        EXPECT_EQ(execute(0), NOVA_HV_UNDEFINED);
        frame.mode = NOVA_HV_64;
        hv.enabled = false;
        EXPECT_EQ(execute(call->code), NOVA_HV_UNDEFINED);
        EXPECT_EQ(actions, 0u);
}

TEST_F(hv_call, each_reserved_bit_of_the_call_value_is_refused_and_the_result_has_none)
{
        const auto *call = add(sizes(8, 0));
        for (unsigned bit : {27, 28, 29, 30, 31, 44, 45, 46, 47, 60, 61, 62, 63})
                EXPECT_EQ(run(call->code | uint64_t{1} << bit), done(NOVA_HV_INVALID_INPUT)) << bit;
        EXPECT_EQ(actions, 0u);
        EXPECT_EQ(run(call->code), 0u);
}

/* All registers but the ones of the convention keep their values. */
TEST_F(hv_call, only_the_registers_of_the_convention_change)
{
        nova_utcb_state state, before;
        memset(&state, 0x5a, sizeof(state));
        before = state;

        nova_hv_frame_load(&frame, NOVA_HV_64, &state);
        EXPECT_EQ(frame.value, state.cx);
        EXPECT_EQ(frame.input, state.dx);
        EXPECT_EQ(frame.output, state.r8);
        frame.result = 0x300000005;
        EXPECT_EQ(nova_hv_frame_store(&frame, NOVA_HV_DONE, &state), NOVA_MTD_ACDB);
        before.ax = 0x300000005;
        EXPECT_EQ(memcmp(&state, &before, sizeof(state)), 0);
        frame.value = 0x1234;
        nova_hv_frame_store(&frame, NOVA_HV_CONTINUES, &state);
        before.cx = 0x1234;
        EXPECT_EQ(memcmp(&state, &before, sizeof(state)), 0);
        EXPECT_EQ(nova_hv_frame_store(&frame, NOVA_HV_UNDEFINED, &state), 0u);
        EXPECT_EQ(memcmp(&state, &before, sizeof(state)), 0);
        frame.xmm_changed = true;
        frame.input = 1;
        frame.output = 2;
        EXPECT_EQ(nova_hv_frame_store(&frame, NOVA_HV_DONE, &state),
                  NOVA_MTD_ACDB | NOVA_MTD_R8_R15);
        before.dx = 1;
        before.r8 = 2;
        EXPECT_EQ(memcmp(&state, &before, sizeof(state)), 0);
}

TEST_F(hv_call, protected_mode_uses_pairs_of_32_bit_registers)
{
        nova_utcb_state state, before;
        memset(&state, 0x5a, sizeof(state));
        state.dx = 0xffffffff11111111;
        state.ax = 0xffffffff22222222;
        state.bx = 0x33333333;
        state.cx = 0x44444444;
        state.di = 0x55555555;
        state.si = 0x66666666;
        before = state;
        nova_hv_frame_load(&frame, NOVA_HV_32, &state);
        EXPECT_EQ(frame.value, 0x1111111122222222u);
        EXPECT_EQ(frame.input, 0x3333333344444444u);
        EXPECT_EQ(frame.output, 0x5555555566666666u);
        frame.result = 0x700000003;
        for (nova_hv_outcome outcome : {NOVA_HV_DONE, NOVA_HV_CONTINUES}) {
                EXPECT_EQ(nova_hv_frame_store(&frame, outcome, &state), NOVA_MTD_ACDB);
                before.dx = outcome == NOVA_HV_DONE ? 7 : 0x11111111;
                before.ax = outcome == NOVA_HV_DONE ? 3 : 0x22222222;
                EXPECT_EQ(memcmp(&state, &before, sizeof(state)), 0);
        }
}

TEST_F(hv_call, variable_headers_count_words_of_the_variable_part_only)
{
        auto description = sizes(16, 0, 8);
        description.variable = true;
        const auto *call = add(description), *fixed = add(sizes(16, 0, 8));
        size_t words = 0;
        uint64_t last = 0;
        for (uint64_t i = 0; i < 512; i++)
                memcpy(&ram[in_at + 8 * i], &i, 8);
        act = [&](const nova_hv_action *action) {
                words = action->variable;
                last = static_cast<const uint64_t *>(action->input)[1 + words];
                return *static_cast<const uint64_t *>(action->element) == last + 1
                               ? NOVA_HV_SUCCESS
                               : NOVA_HV_INVALID_PARAMETER;
        };
        for (uint64_t size : {0, 1, 2, 508, 509}) {
                EXPECT_EQ(run(call->code | variable(size) | list(1)), done(NOVA_HV_SUCCESS, 1));
                EXPECT_EQ(words, size);
                EXPECT_EQ(last, size + 1);
        }
        for (uint64_t size : {510, 511, 1023}) /* more than a page */
                EXPECT_EQ(run(call->code | variable(size) | list(1)),
                          done(NOVA_HV_INVALID_PARAMETER));
        EXPECT_EQ(run(fixed->code | variable(1) | list(1)), done(NOVA_HV_INVALID_INPUT));
}

TEST_F(hv_call, calls_of_a_parent_are_denied_and_missing_ones_are_unknown)
{
        EXPECT_EQ(nova_hv_init(&hv, &memory, NOVA_HV_PRIVILEGES_OF_PARENT), EINVAL);
        for (unsigned bit = 32; bit < 49; bit++) {
                const uint64_t one = uint64_t{1} << bit;
                EXPECT_EQ(nova_hv_init(&hv, &memory, one),
                          one & NOVA_HV_PRIVILEGES_OF_PARENT ? EINVAL : 0);
        }
        for (uint64_t privileges : {uint64_t{0}, ~NOVA_HV_PRIVILEGES_OF_PARENT}) {
                ASSERT_EQ(nova_hv_init(&hv, &memory, privileges), 0);
                hv.enabled = true;
                for (unsigned code = 0; code < 0x10000; code++) {
                        const nova_hv_call *call = nova_hv_find(&hv, static_cast<uint16_t>(code));
                        const nova_hv_status expected = !call ? NOVA_HV_INVALID_CODE
                                                        : call->privilege & ~privileges
                                                                ? NOVA_HV_ACCESS_DENIED
                                                        : !call->function ? NOVA_HV_INVALID_CODE
                                                                          : NOVA_HV_SUCCESS;
                        if (expected == NOVA_HV_SUCCESS)
                                continue; /* these calls have tests of their own */
                        ASSERT_EQ(run(code), done(expected)) << std::hex << code;
                }
        }
        for (const nova_hv_call *call = nova_hv_calls; call->code; call++)
                EXPECT_LT(call->code, call[1].code ? call[1].code : 0x10000);
}

/* Two errors at once: the earlier check determines the status. */
TEST_F(hv_call, the_order_of_checks_is_that_of_the_manual)
{
        auto description = sizes(24, 0);
        const uint64_t privilege = NOVA_HV_PRIVILEGE_POST_MESSAGES;
        description.privilege = privilege;
        description.fast = false;
        const auto *call = add(description);
        act = [](const nova_hv_action *) { return NOVA_HV_INVALID_VP_INDEX; };
        const std::vector<std::pair<nova_hv_status, std::function<void(uint64_t &)>>> steps = {
                {NOVA_HV_SUCCESS, [&](uint64_t &) { hv.enabled = false; }},
                {NOVA_HV_INVALID_CODE, [&](uint64_t &value) { value ^= 0x4000; }},
                {NOVA_HV_ACCESS_DENIED, [&](uint64_t &) { hv.privileges = 0; }},
                {NOVA_HV_INVALID_INPUT, [&](uint64_t &value) { value |= fast; }},
                {NOVA_HV_INVALID_ALIGNMENT, [&](uint64_t &) { frame.input |= 4; }},
                {NOVA_HV_INVALID_PARAMETER, [&](uint64_t &) { frame.input += ram_bytes; }},
                {NOVA_HV_INVALID_VP_INDEX, [&](uint64_t &) {}},
        };
        for (size_t first = 0; first < steps.size(); first++) {
                for (size_t second = first; second < steps.size(); second++) {
                        uint64_t value = call->code;
                        hv.enabled = true;
                        hv.privileges = privilege;
                        frame.input = in_at;
                        steps[first].second(value);
                        if (second != first)
                                steps[second].second(value);
                        if (first == 0)
                                EXPECT_EQ(execute(value), NOVA_HV_UNDEFINED);
                        else
                                EXPECT_EQ(run(value), done(steps[first].first)) << first << second;
                }
        }
}

TEST_F(hv_call, a_monitor_adds_calls_up_to_a_limit)
{
        nova_hv_call wrong = sizes(8, 8);
        EXPECT_EQ(nova_hv_add(&hv, &wrong), EINVAL); /* code 0 */
        wrong.code = 0x9100;
        EXPECT_EQ(nova_hv_add(&hv, &wrong), EINVAL); /* no function */
        wrong.function = function;
        wrong.rep = true;
        EXPECT_EQ(nova_hv_add(&hv, &wrong), EINVAL);
        wrong.rep = false;
        wrong.output_element = 8;
        EXPECT_EQ(nova_hv_add(&hv, &wrong), EINVAL);
        wrong.output_element = 0;
        wrong.output = NOVA_HV_BLOCK_MAX + 1;
        EXPECT_EQ(nova_hv_add(&hv, &wrong), EINVAL);
        wrong.output = 8;
        for (uint16_t code : {0x0002, 0x005c, 0x0040, 0x8001}) {
                wrong.code = code;
                EXPECT_EQ(nova_hv_add(&hv, &wrong), EEXIST);
        }
        while (added < NOVA_HV_OWN_CALLS)
                add(sizes(0, 8));
        wrong.code = 0x9100;
        EXPECT_EQ(nova_hv_add(&hv, &wrong), ENOSPC);
        wrong.code = calls[3].code;
        EXPECT_EQ(nova_hv_add(&hv, &wrong), EEXIST);
        EXPECT_EQ(run(calls[NOVA_HV_OWN_CALLS - 1].code), done(NOVA_HV_SUCCESS));
}

TEST_F(hv_call, the_library_s_calls_need_their_privilege)
{
        EXPECT_EQ(run(0x8001), done(NOVA_HV_ACCESS_DENIED));
        hv.privileges = NOVA_HV_PRIVILEGE_EXTENDED_CALLS;
        memset(&ram[out_at], 0xcc, 16);
        EXPECT_EQ(run(0x8001), done(NOVA_HV_SUCCESS)); /* no extended call exists: all bits are 0 */
        EXPECT_EQ(ram[out_at] | ram[out_at + 7], 0);
        EXPECT_EQ(ram[out_at + 8], 0xcc);
        EXPECT_EQ(run(0x0008 | fast), done(NOVA_HV_SUCCESS));
        EXPECT_EQ(run(0x0008), done(NOVA_HV_SUCCESS));
}

TEST_F(hv_call, statuses_have_words)
{
        EXPECT_STREQ(nova_hv_status_text(NOVA_HV_SUCCESS), "success");
        EXPECT_STREQ(nova_hv_status_text(NOVA_HV_INVALID_CODE), "unknown call");
        EXPECT_STREQ(nova_hv_status_text(static_cast<nova_hv_status>(0x7777)), "unknown status");
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
