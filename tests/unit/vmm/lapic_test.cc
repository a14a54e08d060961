/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: priorities, ends, messages, the timer. */
#include "novavmm/lapic.h"

#include <gtest/gtest.h>
#include <vector>

#include "devices.h"

namespace
{

struct lapic : testing::Test {
        probe out;
        fake_clock time;
        nova_lapic apic;
        std::vector<nova_apic_message> sent;
        std::vector<unsigned> shorthands;
        std::vector<uint8_t> over;

        static void send(void *context, unsigned, const nova_apic_message *message,
                         unsigned shorthand)
        {
                lapic *const self = static_cast<lapic *>(context);
                self->sent.push_back(*message);
                self->shorthands.push_back(shorthand);
        }

        static void ended(void *context, uint8_t vector)
        {
                static_cast<lapic *>(context)->over.push_back(vector);
        }

        void SetUp() override
        {
                const nova_line line = out.line();
                const nova_clock clock = time.clock();
                nova_lapic_init(&apic, 2, &clock, &line);
                apic.send = send;
                apic.ended = ended;
                apic.context = this;
                put(0xf0, 0x1ff);
        }

        void put(unsigned at, uint32_t value)
        {
                nova_lapic_write(&apic, NOVA_LAPIC_AT + at, 4, value);
        }

        uint32_t get(unsigned at)
        {
                return static_cast<uint32_t>(nova_lapic_read(&apic, NOVA_LAPIC_AT + at, 4));
        }

        void run_until(uint64_t ns)
        {
                while (apic.alarm.deadline <= ns) {
                        time.ns = apic.alarm.deadline;
                        apic.alarm.deadline = NOVA_NEVER;
                        apic.alarm.expire(apic.alarm.device, time.ns);
                }
                time.ns = ns;
        }
};

TEST_F(lapic, the_highest_vector_comes_first)
{
        nova_lapic_accept(&apic, 0x31, false);
        nova_lapic_accept(&apic, 0xef, false);
        EXPECT_TRUE(out.level);
        EXPECT_EQ(nova_lapic_take(&apic), 0xef);
        EXPECT_EQ(nova_lapic_take(&apic), -1); /* held back */
        EXPECT_EQ(get(0xa0), 0xe0u);
        put(0xb0, 0);
        EXPECT_EQ(nova_lapic_take(&apic), 0x31);
        EXPECT_EQ(nova_lapic_take(&apic), -1);
}

TEST_F(lapic, task_priority_holds_back)
{
        put(0x80, 0x40);
        nova_lapic_accept(&apic, 0x41, false);
        EXPECT_FALSE(nova_lapic_pending(&apic));
        nova_lapic_accept(&apic, 0x51, false);
        EXPECT_EQ(nova_lapic_take(&apic), 0x51);
        put(0xb0, 0);
        put(0x80, 0);
        EXPECT_EQ(nova_lapic_take(&apic), 0x41);
}

TEST_F(lapic, cr8_is_the_upper_half_of_the_task_priority)
{
        put(0x80, 0xf7);
        EXPECT_EQ(nova_lapic_cr8(&apic), 15u);
        nova_lapic_set_cr8(&apic, 15); /* nothing was written */
        EXPECT_EQ(get(0x80), 0xf7u);
        nova_lapic_set_cr8(&apic, 5);
        EXPECT_EQ(get(0x80), 0x50u);
        EXPECT_EQ(get(0xa0), 0x50u);
}

TEST_F(lapic, each_priority_is_held_back_by_cr8_that_is_not_below_it)
{
        for (unsigned cr8 = 0; cr8 < 16; cr8++) {
                for (unsigned priority = 1; priority < 16; priority++) {
                        const auto vector = static_cast<uint8_t>(priority << 4);
                        nova_lapic_set_cr8(&apic, cr8);
                        nova_lapic_accept(&apic, vector, false);
                        EXPECT_EQ(nova_lapic_pending(&apic), priority > cr8);
                        EXPECT_EQ(nova_lapic_held_back(&apic), priority <= cr8);
                        EXPECT_EQ(nova_lapic_take(&apic), priority > cr8 ? vector : -1);
                        nova_lapic_set_cr8(&apic, 0);
                        nova_lapic_take(&apic);
                        put(0xb0, 0);
                }
        }
}

TEST_F(lapic, an_interrupt_below_the_one_in_service_is_not_held_back_by_the_task_priority)
{
        nova_lapic_accept(&apic, 0x51, false);
        EXPECT_EQ(nova_lapic_take(&apic), 0x51);
        put(0x80, 0x70);
        nova_lapic_accept(&apic, 0x52, false);
        EXPECT_FALSE(nova_lapic_held_back(&apic));
        nova_lapic_accept(&apic, 0x61, false);
        EXPECT_TRUE(nova_lapic_held_back(&apic));
        put(0xf0, 0xff);
        EXPECT_FALSE(nova_lapic_held_back(&apic));
}

TEST_F(lapic, an_accepted_interrupt_is_reported_at_any_task_priority)
{
        put(0x80, 0xf0);
        nova_lapic_accept(&apic, 0x51, false);
        EXPECT_TRUE(out.level);
}

TEST_F(lapic, sets_can_be_read)
{
        nova_lapic_accept(&apic, 0x45, true);
        EXPECT_EQ(get(0x220), 1u << 5);
        EXPECT_EQ(get(0x1a0), 1u << 5);
        nova_lapic_take(&apic);
        EXPECT_EQ(get(0x220), 0u);
        EXPECT_EQ(get(0x120), 1u << 5);
}

TEST_F(lapic, the_end_of_a_level_is_reported)
{
        nova_lapic_accept(&apic, 0x45, true);
        nova_lapic_accept(&apic, 0x35, false);
        nova_lapic_take(&apic);
        put(0xb0, 0);
        nova_lapic_take(&apic);
        put(0xb0, 0);
        put(0xb0, 0); /* one end of interrupt too many */
        EXPECT_EQ(over, std::vector<uint8_t>{0x45});
}

TEST_F(lapic, an_edge_at_the_vector_of_a_level_that_was_is_an_edge)
{
        for (const bool level : {true, false}) {
                nova_lapic_accept(&apic, 0x45, level);
                EXPECT_EQ(get(0x1a0), level ? 1u << 5 : 0u);
                nova_lapic_take(&apic);
                put(0xb0, 0);
        }
        EXPECT_EQ(over, std::vector<uint8_t>{0x45});
}

TEST_F(lapic, switched_off_it_takes_nothing_and_lets_the_8259s_through)
{
        EXPECT_FALSE(nova_lapic_passes_external(&apic));
        put(0x350, 0x700);
        EXPECT_TRUE(nova_lapic_passes_external(&apic));
        put(0x350, 0x10700);
        EXPECT_FALSE(nova_lapic_passes_external(&apic));
        put(0xf0, 0xff);
        EXPECT_TRUE(nova_lapic_passes_external(&apic));
        nova_lapic_accept(&apic, 0x45, false);
        EXPECT_FALSE(nova_lapic_pending(&apic));
        put(0x320, 0x30);
        EXPECT_EQ(get(0x320), 0x10030u);
        put(0x350, ~0u); /* polarity and trigger mode can be written, the delivery status cannot */
        EXPECT_EQ(get(0x350) & 0xf7ffu, 0xa7ffu);
}

TEST_F(lapic, an_interrupt_that_arrives_while_it_is_off_is_lost)
{
        put(0xf0, 0xff);
        nova_lapic_accept(&apic, 0x45, false);
        put(0xf0, 0x1ff);
        EXPECT_FALSE(nova_lapic_pending(&apic));
        EXPECT_EQ(nova_lapic_take(&apic), -1);
}

TEST_F(lapic, vectors_below_16_are_errors)
{
        nova_lapic_accept(&apic, 15, false);
        EXPECT_FALSE(nova_lapic_pending(&apic));
        EXPECT_EQ(get(0x280), 0u);
        put(0x280, 0);
        EXPECT_EQ(get(0x280), 0x40u);
}

TEST_F(lapic, a_command_sends_a_message)
{
        put(0x310, 0x05000000);
        put(0x300, 0x00000608);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].destination, 5);
        EXPECT_EQ(sent[0].delivery, NOVA_DELIVER_STARTUP);
        EXPECT_EQ(sent[0].vector, 8);
        put(0x300, 0x000c00fd);
        EXPECT_EQ(shorthands.back(), 3u);
        put(0x300, 0x00008500); /* the end of an INIT */
        EXPECT_EQ(sent.size(), 2u);
}

TEST_F(lapic, destinations)
{
        nova_apic_message message = {0x30, NOVA_DELIVER_FIXED, false, 2, false};
        EXPECT_TRUE(nova_lapic_matches(&apic, &message));
        message.destination = 3;
        EXPECT_FALSE(nova_lapic_matches(&apic, &message));
        message.destination = 0xff;
        EXPECT_TRUE(nova_lapic_matches(&apic, &message));
        message.logical = true;
        message.destination = 0x06;
        put(0xd0, 0x04000000);
        EXPECT_TRUE(nova_lapic_matches(&apic, &message));
        message.destination = 0x0a;
        EXPECT_FALSE(nova_lapic_matches(&apic, &message));
        put(0xe0, 0x0fffffff); /* clusters */
        put(0xd0, 0x14000000);
        message.destination = 0x06;
        EXPECT_FALSE(nova_lapic_matches(&apic, &message));
        message.destination = 0x14;
        EXPECT_TRUE(nova_lapic_matches(&apic, &message));
}

TEST_F(lapic, the_timer_fires_once)
{
        put(0x320, 0xec);
        put(0x3e0, 0xb); /* by 1 */
        put(0x380, 1000);
        EXPECT_EQ(get(0x390), 1000u);
        run_until(5000);
        EXPECT_EQ(get(0x390), 500u);
        EXPECT_FALSE(nova_lapic_pending(&apic));
        run_until(1000000);
        EXPECT_EQ(nova_lapic_take(&apic), 0xec);
        EXPECT_EQ(get(0x390), 0u);
        EXPECT_EQ(apic.alarm.deadline, NOVA_NEVER);
}

TEST_F(lapic, a_new_divider_leaves_the_current_count)
{
        put(0x320, 0xec);
        put(0x3e0, 0xa); /* by 128 */
        put(0x380, 1000);
        run_until(128000);
        EXPECT_EQ(get(0x390), 900u);
        put(0x3e0, 0xb); /* by 1 */
        EXPECT_EQ(get(0x390), 900u);
        run_until(128000 + 8990);
        EXPECT_EQ(get(0x390), 1u);
        EXPECT_FALSE(nova_lapic_pending(&apic));
        run_until(128000 + 9000);
        EXPECT_EQ(nova_lapic_take(&apic), 0xec);
}

TEST_F(lapic, the_timer_fires_again_and_again_and_can_be_stopped)
{
        put(0x320, 0x200ec);
        put(0x3e0, 0x3); /* by 16 */
        put(0x380, 1000);
        for (unsigned i = 1; i <= 3; i++) {
                run_until(i * 160000);
                EXPECT_EQ(nova_lapic_take(&apic), 0xec);
                put(0xb0, 0);
        }
        put(0x380, 0);
        EXPECT_EQ(apic.alarm.deadline, NOVA_NEVER);
}

TEST_F(lapic, other_widths_and_places_do_nothing)
{
        nova_lapic_write(&apic, NOVA_LAPIC_AT + 0x80, 1, 0xff);
        nova_lapic_write(&apic, NOVA_LAPIC_AT + 0x84, 4, 0xff);
        EXPECT_EQ(get(0x80), 0u);
        EXPECT_EQ(get(0x84), 0u);
        for (unsigned at = 0; at < 0x1000; at += 16)
                if (at != 0x300)
                        put(at, UINT32_MAX);
        for (unsigned at = 0; at < 0x1000; at++)
                get(at);
}

TEST_F(lapic, has_its_initial_state_after_a_reset)
{
        put(0x20, 5u << 24);
        put(0x80, 0x30);
        put(0x380, 1000);
        nova_lapic_accept(&apic, 0x50, false);
        nova_lapic_reset(&apic);
        EXPECT_EQ(get(0x20), 5u << 24);
        EXPECT_EQ(get(0x80), 0u);
        EXPECT_EQ(get(0xf0), 0xffu);
        EXPECT_EQ(apic.alarm.deadline, NOVA_NEVER);
        put(0xf0, 0x1ff);
        EXPECT_FALSE(nova_lapic_pending(&apic));
        put(0x300, 0x4500);
        ASSERT_EQ(sent.size(), 1u);
}

} // namespace
