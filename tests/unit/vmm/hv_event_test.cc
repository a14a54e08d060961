/* SPDX-License-Identifier: BSD-2-Clause */
/* Senders of messages and events to enlightened guests: ports, calls, synthetic timers. */
#include "synic.h"

#include <cerrno>

namespace
{

struct hv_event : synic {
};

TEST_F(hv_event, ports_are_checked_when_they_are_added)
{
        static nova_hv_port many[NOVA_HV_PORTS + 1];
        const nova_hv_port bad[] = {
                messages_to(0, 0, 0),        messages_to(0x1000000, 0, 0),
                messages_to(1, vcpus, 0),    messages_to(1, 0, 16),
                events_to(1, 0, 0, 0, 0),    events_to(1, 0, 0, 0, 2049),
                events_to(1, 0, 0, 2048, 1), events_to(1, 0, 0, ~0u, 2),
        };

        for (const auto &port : bad)
                EXPECT_EQ(nova_hv_connect(&hv, &port), EINVAL);
        for (unsigned i = 0; i <= NOVA_HV_PORTS; i++) {
                many[i].connection = i + 1;
                EXPECT_EQ(nova_hv_connect(&hv, &many[i]), i < NOVA_HV_PORTS ? 0 : ENOSPC);
        }
        EXPECT_EQ(nova_hv_connect(&hv, &many[3]), EEXIST);
}

TEST_F(hv_event, calls_check_the_connection_then_parameters_then_the_receiver)
{
        const nova_hv_port to_vp = messages_to(1, 1, 4), events = events_to(2, 1, 5, 16, 8);

        ASSERT_EQ(nova_hv_connect(&hv, &to_vp), 0);
        ASSERT_EQ(nova_hv_connect(&hv, &events), 0);

        EXPECT_EQ(call_post(3, 0, 999), unsigned{NOVA_HV_INVALID_CONNECTION_ID});
        EXPECT_EQ(call_post(0x1000001, 1, 8), unsigned{NOVA_HV_INVALID_CONNECTION_ID});
        EXPECT_EQ(call_post(2, 0, 999), unsigned{NOVA_HV_INVALID_PORT_ID});
        EXPECT_EQ(call_post(1, 0, 8), unsigned{NOVA_HV_INVALID_PARAMETER});
        EXPECT_EQ(call_post(1, 0x80000010, 8), unsigned{NOVA_HV_INVALID_PARAMETER});
        EXPECT_EQ(call_post(1, 1, 241), unsigned{NOVA_HV_INVALID_PARAMETER});
        EXPECT_EQ(call_post(1 | uint64_t{1} << 32, 1, 8), unsigned{NOVA_HV_INVALID_PARAMETER});
        EXPECT_EQ(call_post(1, 1, 8), unsigned{NOVA_HV_INVALID_SYNIC_STATE});
        EXPECT_EQ(call(signal_call, {3}), unsigned{NOVA_HV_INVALID_CONNECTION_ID});
        EXPECT_EQ(call(signal_call, {1}), unsigned{NOVA_HV_INVALID_PORT_ID});
        EXPECT_EQ(call(signal_call, {2 | uint64_t{8} << 32}), unsigned{NOVA_HV_INVALID_PARAMETER});
        EXPECT_EQ(call(signal_call, {2}), unsigned{NOVA_HV_INVALID_SYNIC_STATE});

        begin(4, 0x54, 1);
        begin(5, 0x65, 1);
        EXPECT_EQ(call_post(1, 77, 3, 0x1122334455667788), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(take(1), 0x54);
        EXPECT_EQ(slot(4, 1)->type, 77u);
        EXPECT_EQ(slot(4, 1)->bytes, 3u);
        EXPECT_EQ(slot(4, 1)->from, 1u);
        EXPECT_EQ(slot(4, 1)->data[0], 0x667788u); /* only the bytes that were sent */
        EXPECT_EQ(call(signal_call, {2 | uint64_t{0xffff0007} << 32}), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(take(1), 0x65);
        EXPECT_EQ(flags(5, 1)[2], 0x80);
        for (unsigned i = 0; i < NOVA_HV_QUEUE; i++)
                EXPECT_EQ(call_post(1, 78, 240), unsigned{NOVA_HV_SUCCESS});
        EXPECT_EQ(call_post(1, 78, 240), unsigned{NOVA_HV_INSUFFICIENT_BUFFERS});
}

TEST_F(hv_event, an_event_is_signaled_by_registers_with_the_same_result)
{
        const nova_hv_port events = events_to(2, 0, 5, 0, 2048);
        nova_hv_frame frame = {};

        frame.mode = NOVA_HV_32;
        frame.value = signal_call | 0x10000;
        frame.input = 2 | uint64_t{2047} << 32;
        ASSERT_EQ(nova_hv_connect(&hv, &events), 0);
        begin(5, 0x65);
        EXPECT_EQ(nova_hv_execute(&hv, 1, &frame), NOVA_HV_DONE);
        EXPECT_EQ(frame.result, 0u);
        EXPECT_EQ(flags(5)[255], 0x80);
        frame.value = post_call | 0x10000; /* a message is never fast */
        EXPECT_EQ(nova_hv_execute(&hv, 1, &frame), NOVA_HV_DONE);
        EXPECT_EQ(frame.result, uint64_t{NOVA_HV_INVALID_INPUT});
}

TEST_F(hv_event, calls_need_their_privileges)
{
        hv.privileges = NOVA_HV_PRIVILEGES_ALL & ~NOVA_HV_PRIVILEGE_POST_MESSAGES;
        EXPECT_EQ(call_post(3, 1, 8), unsigned{NOVA_HV_ACCESS_DENIED});
        EXPECT_EQ(call(signal_call, {3}), unsigned{NOVA_HV_INVALID_CONNECTION_ID});
        hv.privileges = NOVA_HV_PRIVILEGES_ALL & ~NOVA_HV_PRIVILEGE_SIGNAL_EVENTS;
        EXPECT_EQ(call(signal_call, {3}), unsigned{NOVA_HV_ACCESS_DENIED});
        EXPECT_EQ(call_post(3, 1, 8), unsigned{NOVA_HV_INVALID_CONNECTION_ID});
}

TEST_F(hv_event, a_function_of_the_monitor_receives_messages_and_events)
{
        struct got {
                unsigned vcpu = 9, flag = 0;
                nova_hv_message message = {};
        } got;
        const auto receive = [](void *context, unsigned vcpu, const nova_hv_message *message,
                                unsigned flag) {
                auto *const to = static_cast<struct got *>(context);
                to->vcpu = vcpu;
                to->flag = flag;
                if (message)
                        to->message = *message;
                return NOVA_HV_INSUFFICIENT_BUFFERS;
        };
        nova_hv_port messages = messages_to(1, 99, 0), events = events_to(2, 99, 0, 10, 4);

        messages.receive = events.receive = receive;
        messages.context = events.context = &got;
        ASSERT_EQ(nova_hv_connect(&hv, &messages), 0);
        ASSERT_EQ(nova_hv_connect(&hv, &events), 0);
        EXPECT_EQ(call_post(1, 42, 8, 99), unsigned{NOVA_HV_INSUFFICIENT_BUFFERS});
        EXPECT_EQ(got.vcpu, 0u);
        EXPECT_EQ(got.message.type, 42u);
        EXPECT_EQ(got.message.data[0], 99u);
        EXPECT_EQ(call(signal_call, {2 | uint64_t{3} << 32}, 1),
                  unsigned{NOVA_HV_INSUFFICIENT_BUFFERS});
        EXPECT_EQ(got.vcpu, 1u);
        EXPECT_EQ(got.flag, 13u);
}

TEST_F(hv_event, a_timer_sends_a_message)
{
        begin(2, 0x52);
        EXPECT_TRUE(set(timer_config + 2, timer_to(2) | 9));
        EXPECT_EQ(get(timer_config + 2), timer_to(2) | 9);
        EXPECT_TRUE(set(timer_count + 2, 500));
        pass_to(499);
        EXPECT_EQ(take(), -1);
        pass_to(600);
        EXPECT_EQ(take(), 0x52);
        EXPECT_EQ(slot(2)->type, NOVA_HV_MESSAGE_TIMER);
        EXPECT_EQ(slot(2)->bytes, 24u);
        EXPECT_EQ(slot(2)->data[0], 1u); /* the timer's number */
        EXPECT_EQ(slot(2)->data[1], 500u);
        EXPECT_EQ(slot(2)->data[2], 501u);
        EXPECT_EQ(get(timer_config + 2), timer_to(2) | 8);
}

TEST_F(hv_event, a_timer_has_at_most_one_message_that_waits)
{
        begin(2, 0x52);
        begin(1, 0x51); /* another source, which gets nothing */
        EXPECT_TRUE(set(timer_count, 100));
        EXPECT_TRUE(set(timer_config, timer_to(2) | 3));
        pass_to(1050);
        EXPECT_EQ(hv.vp[0].timer_interrupts, 10u);
        EXPECT_EQ(slot(2)->data[1], 100u);
        EXPECT_EQ(slot(2)->flags, 1u);
        EXPECT_EQ(receive(2), NOVA_HV_MESSAGE_TIMER);
        EXPECT_EQ(slot(2)->data[1], 200u);
        EXPECT_EQ(slot(2)->data[2], 1050u);
        EXPECT_EQ(slot(2)->flags, 0u);
        EXPECT_EQ(receive(2), NOVA_HV_MESSAGE_TIMER);
        EXPECT_EQ(slot(2)->type, 0u);
        pass_to(1101);
        EXPECT_EQ(slot(2)->data[1], 1100u);
        EXPECT_EQ(slot(1)->type, 0u);
}

TEST_F(hv_event, a_write_of_a_timer_discards_its_message_that_waits)
{
        for (const uint32_t number : {timer_config, timer_count}) {
                begin(2, 0x52);
                EXPECT_TRUE(set(timer_config, timer_to(2) | 8));
                post(2, 1);
                EXPECT_TRUE(set(timer_count, 1));
                pass_to(hv.vp[0].timer_interrupts + 100);
                EXPECT_TRUE(hv.vp[0].timer[0].waits);
                EXPECT_TRUE(set(number, 0));
                EXPECT_EQ(receive(2), 1u);
                EXPECT_EQ(slot(2)->type, 0u);
        }
}

TEST_F(hv_event, timers_without_a_source_stay_disabled)
{
        EXPECT_TRUE(set(timer_config, 9));
        EXPECT_EQ(get(timer_config), 8u);
        EXPECT_TRUE(set(timer_count, 5));
        EXPECT_EQ(get(timer_config), 8u);
        hv.privileges &= ~NOVA_HV_PRIVILEGE_SYNIC;
        EXPECT_TRUE(set(timer_config, timer_to(3) | 9));
        EXPECT_EQ(get(timer_config), timer_to(3) | 8);
}

TEST_F(hv_event, a_timer_of_a_disabled_controller_sends_its_message_when_it_is_enabled)
{
        begin(2, 0x52);
        set(control, 0);
        EXPECT_TRUE(set(timer_count, 100));
        EXPECT_TRUE(set(timer_config, timer_to(2) | 1));
        pass_to(200);
        EXPECT_EQ(slot(2)->type, 0u);
        set(control, enable);
        EXPECT_EQ(slot(2)->type, NOVA_HV_MESSAGE_TIMER);
}

TEST_F(hv_event, messages_of_all_senders_share_a_slot_in_turn)
{
        begin(2, 0x52);
        for (unsigned n = 0; n < NOVA_HV_TIMERS; n++) {
                EXPECT_TRUE(set(timer_config + 2 * n, timer_to(2) | 8));
                EXPECT_TRUE(set(timer_count + 2 * n, 10));
        }
        post(2, 1);
        post(2, 2);
        pass_to(20);
        EXPECT_EQ(receive(2), 1u);
        EXPECT_EQ(receive(2), 2u);
        for (unsigned n = 0; n < NOVA_HV_TIMERS; n++) {
                EXPECT_EQ(slot(2)->data[0], n);
                EXPECT_EQ(slot(2)->flags, n < 3 ? 1u : 0u);
                EXPECT_EQ(receive(2), NOVA_HV_MESSAGE_TIMER);
        }
        EXPECT_EQ(receive(2), 0u);
}

} // namespace
