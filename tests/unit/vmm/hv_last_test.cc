/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of an enlightened guest's last hypercall, and its text in reports. */
#include "hv_partition.h"

#include <functional>
#include <string>

namespace
{

constexpr uint64_t fast = 0x10000;

std::function<nova_hv_status(const nova_hv_action *)> act;

nova_hv_status function(const nova_hv_action *action)
{
        return act ? act(action) : NOVA_HV_SUCCESS;
}

constexpr uint64_t list(uint64_t count, uint64_t start)
{
        return count << 32 | start << 48;
}

struct hv_last : hv_partition {
        nova_hv_call simple = {}, rep = {}, large = {};

        void SetUp() override
        {
                hv_partition::SetUp();
                hv.enabled = true;
                simple.code = 0x9000;
                simple.name = "greet";
                simple.input = 8;
                rep.code = 0x9001;
                rep.rep = true;
                rep.input_element = 8;
                large.code = 0x9002;
                large.input = 17;
                for (auto *call : {&simple, &rep, &large}) {
                        call->fast = true;
                        call->function = function;
                        ASSERT_EQ(nova_hv_add(&hv, call), 0);
                }
        }

        void TearDown() override
        {
                act = nullptr;
        }

        nova_hv_outcome execute(uint64_t value, unsigned vcpu = 0)
        {
                nova_hv_frame frame = {};
                frame.mode = NOVA_HV_64;
                frame.value = value;
                frame.input = 0x3000;
                return nova_hv_execute(&hv, vcpu, &frame);
        }

        std::string last() const
        {
                char text[NOVA_HV_LAST_BYTES];
                nova_hv_last_text(&hv, text, sizeof(text));
                return text;
        }
};

TEST_F(hv_last, there_is_none_before_a_guest_can_call)
{
        EXPECT_EQ(last(), "none");
        hv.enabled = false;
        EXPECT_EQ(execute(simple.code), NOVA_HV_UNDEFINED);
        EXPECT_EQ(last(), "none");
}

TEST_F(hv_last, a_call_is_recorded_before_it_acts_and_again_with_its_status)
{
        std::string inside;
        act = [&](const nova_hv_action *) {
                inside = last();
                return NOVA_HV_SUCCESS;
        };
        EXPECT_EQ(execute(simple.code | fast, 1), NOVA_HV_DONE);
        EXPECT_EQ(inside, "0x9000 (greet) of vCPU 1, fast: has not returned");
        EXPECT_EQ(last(), "0x9000 (greet) of vCPU 1, fast: success");
        EXPECT_EQ(hv.last.number, 1u);
        EXPECT_EQ(hv.last.vcpu, 1u);
        EXPECT_EQ(hv.last.value, simple.code | fast);
        EXPECT_EQ(hv.last.outcome, NOVA_HV_DONE);
        EXPECT_EQ(hv.last.result, 0u);
}

TEST_F(hv_last, a_list_is_described_with_its_start_and_with_the_complete_elements)
{
        EXPECT_EQ(execute(rep.code | list(100, 5)), NOVA_HV_CONTINUES);
        EXPECT_EQ(last(), "0x9001 (unknown) of vCPU 0, 100 elements, start index 5: continues");
        act = [](const nova_hv_action *action) {
                return action->index == 80 ? NOVA_HV_INVALID_PARAMETER : NOVA_HV_SUCCESS;
        };
        EXPECT_EQ(execute(rep.code | list(100, 69)), NOVA_HV_DONE);
        EXPECT_EQ(last(), "0x9001 (unknown) of vCPU 0, 100 elements, start index 69: "
                          "invalid parameter, 80 complete");
        EXPECT_EQ(hv.last.number, 2u);
}

TEST_F(hv_last, calls_that_are_refused_are_recorded_too)
{
        EXPECT_EQ(execute(0x7777), NOVA_HV_DONE);
        EXPECT_EQ(last(), "0x7777 (unknown) of vCPU 0: unknown call");
        EXPECT_EQ(execute(large.code | fast), NOVA_HV_UNDEFINED);
        EXPECT_EQ(last(), "0x9002 (unknown) of vCPU 0, fast: raised #UD");
        char cut[8];
        nova_hv_last_text(&hv, cut, sizeof(cut));
        EXPECT_STREQ(cut, "0x9002 ");
}

} // namespace

extern "C" void novavmm_overlay_take_back(const uint8_t *, unsigned)
{
}
