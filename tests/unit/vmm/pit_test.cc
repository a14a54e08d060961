/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254: counters, latches, the interrupt of channel 0, port 0x61. */
#include "novavmm/pit.h"

#include <gtest/gtest.h>
#include <vector>

#include "devices.h"

namespace
{

constexpr uint64_t second = 1000000000;

/* Returns the time at which a number of ticks have passed. */
uint64_t ns_of(uint64_t ticks)
{
        return (ticks * second + NOVA_PIT_HZ - 1) / NOVA_PIT_HZ;
}

/* State of a square wave at a tick. */
struct wave {
        unsigned count, output;
};

struct pit : testing::Test {
        probe out;
        fake_clock time;
        nova_pit timer;

        void SetUp() override
        {
                const nova_line line = out.line();
                const nova_clock clock = time.clock();
                nova_pit_init(&timer, &clock, &line);
        }

        void out8(unsigned port, unsigned value)
        {
                nova_pit_write(&timer, port, 1, value);
        }

        unsigned in8(unsigned port)
        {
                return static_cast<unsigned>(nova_pit_read(&timer, port, 1));
        }

        void program(unsigned channel, unsigned mode, unsigned count, bool bcd = false)
        {
                out8(0x43, channel << 6 | 0x30 | mode << 1 | bcd);
                out8(0x40 + channel, count & 0xff);
                out8(0x40 + channel, count >> 8);
        }

        /* Does the machine's work at an alarm. */
        void run_until(uint64_t ns)
        {
                while (timer.alarm.deadline <= ns) {
                        time.ns = timer.alarm.deadline;
                        timer.alarm.deadline = NOVA_NEVER;
                        timer.alarm.expire(timer.alarm.device, time.ns);
                }
                time.ns = ns;
        }

        unsigned count(unsigned channel)
        {
                out8(0x43, channel << 6);
                const unsigned low = in8(0x40 + channel);
                return low | in8(0x40 + channel) << 8;
        }

        /* Returns the output of channel 2. */
        bool output()
        {
                return in8(0x61) & 0x20;
        }

        /* Returns the wave of mode 3 for a divisor, tick by tick. */
        void expect_wave(unsigned divisor, const std::vector<wave> &wanted)
        {
                program(2, 3, divisor);
                out8(0x61, 1);
                const uint64_t begin = time.ns;
                for (size_t tick = 0; tick < wanted.size(); tick++) {
                        time.ns = begin + ns_of(tick);
                        EXPECT_EQ(count(2), wanted[tick].count) << tick;
                        EXPECT_EQ(in8(0x61) >> 5 & 1, wanted[tick].output) << tick;
                }
        }
};

TEST_F(pit, a_rate_generator_ticks_for_ever)
{
        program(0, 2, 11932); /* about 100 per second */
        run_until(second);
        EXPECT_GE(out.rises, 99u);
        EXPECT_LE(out.rises, 100u);
}

TEST_F(pit, a_one_shot_ticks_once)
{
        program(0, 0, 1000);
        run_until(second);
        EXPECT_EQ(out.rises, 1u);
        EXPECT_EQ(timer.alarm.deadline, NOVA_NEVER);
        program(0, 4, 1000);
        run_until(2 * second);
        EXPECT_EQ(out.rises, 2u);
}

TEST_F(pit, modes_6_and_7_are_2_and_3)
{
        for (unsigned mode : {6u, 7u}) {
                const unsigned before = out.rises;
                program(0, mode, 11932);
                run_until(time.ns + second);
                EXPECT_GE(out.rises - before, 99u) << mode;
        }
        program(2, 7, 1000);
        out8(0x61, 1);
        time.ns += ns_of(600);
        EXPECT_EQ(in8(0x61) & 0x20, 0u); /* mode 2 would have its pulse at the last tick */
}

/* The data sheet's mode 3: starts at the count less one and counts by two; high one tick longer
 * than low. */
TEST_F(pit, a_square_wave_of_an_odd_count_is_longer_high)
{
        expect_wave(5, {{4, 1}, {2, 1}, {0, 1}, {4, 0}, {2, 0}, {4, 1}});
}

TEST_F(pit, a_square_wave_of_an_even_count_has_equal_halves)
{
        expect_wave(4, {{4, 1}, {2, 1}, {4, 0}, {2, 0}, {4, 1}});
}

TEST_F(pit, zero_counts_65536)
{
        program(0, 2, 0);
        EXPECT_NEAR(static_cast<double>(timer.alarm.deadline), 65536.0 / NOVA_PIT_HZ * 1e9, 2);
}

TEST_F(pit, a_counter_counts_down_with_time)
{
        program(2, 0, 50000);
        out8(0x61, 1);
        const unsigned before = count(2);
        time.ns += second / 100;
        EXPECT_NEAR(before - count(2), NOVA_PIT_HZ / 100, 2);
}

TEST_F(pit, a_latched_count_stays_until_it_is_read)
{
        program(0, 2, 50000);
        out8(0x43, 0);
        time.ns += second / 100;
        const unsigned low = in8(0x40);
        EXPECT_EQ(low | in8(0x40) << 8, 50000u);
}

TEST_F(pit, channel_2_counts_while_its_gate_is_open_and_shows_its_end)
{
        program(2, 0, 11932);
        time.ns += second;
        EXPECT_EQ(in8(0x61) & 0x21, 0u);
        out8(0x61, 1);
        EXPECT_EQ(in8(0x61) & 0x21, 1u);
        time.ns += second / 50;
        EXPECT_EQ(in8(0x61) & 0x21, 0x21u);
}

TEST_F(pit, a_read_back_returns_mode_and_access)
{
        program(1, 3, 18);
        out8(0x43, 0xc0 | 0x20 | 0x04);
        EXPECT_EQ(in8(0x41) & 0x3f, 0x36u);
}

TEST_F(pit, a_periodic_counter_keeps_its_rate_for_days)
{
        program(0, 2, 11932);
        for (unsigned hours : {1u, 5u, 1000u}) {
                time.ns = hours * 3600 * second + 1;
                timer.alarm.expire(timer.alarm.device, time.ns);
                EXPECT_GT(timer.alarm.deadline, time.ns) << hours;
                EXPECT_LE(timer.alarm.deadline, time.ns + second / 50) << hours;
        }
}

/* A guest that writes the count again and again gets its interrupts nevertheless. */
TEST_F(pit, a_new_count_of_a_rate_generator_takes_effect_after_the_period)
{
        program(0, 2, 1000);
        run_until(ns_of(600));
        const unsigned rises = out.rises;
        out8(0x40, 2000 & 0xff);
        out8(0x40, 2000 >> 8);
        EXPECT_TRUE(out.level);
        EXPECT_EQ(count(0), 400u);
        EXPECT_EQ(timer.alarm.deadline, ns_of(1000));
        run_until(ns_of(1000));
        EXPECT_EQ(out.rises, rises + 1);
        EXPECT_EQ(timer.alarm.deadline, ns_of(1000) + ns_of(2000));
        EXPECT_EQ(count(0), 2000u);
}

TEST_F(pit, a_new_count_does_not_lose_an_interrupt_that_is_due)
{
        program(0, 2, 1000);
        const unsigned rises = out.rises;
        time.ns = ns_of(1001);
        out8(0x40, 2000 & 0xff);
        out8(0x40, 2000 >> 8);
        run_until(time.ns);
        EXPECT_EQ(out.rises, rises + 1);
        EXPECT_EQ(timer.alarm.deadline, ns_of(2000));
}

TEST_F(pit, a_new_count_of_a_square_wave_takes_effect_after_the_half)
{
        program(0, 3, 1000);
        const unsigned rises = out.rises;
        run_until(ns_of(100));
        out8(0x40, 200);
        out8(0x40, 0);
        EXPECT_EQ(count(0), 800u);
        EXPECT_EQ(timer.alarm.deadline, ns_of(500) + ns_of(200) - ns_of(100));
        run_until(ns_of(550));
        EXPECT_EQ(out.rises, rises);
        EXPECT_EQ(count(0), 100u); /* the low half of the new wave */
        out8(0x40, 1000 & 0xff);
        out8(0x40, 1000 >> 8);
        run_until(ns_of(601));
        EXPECT_EQ(out.rises, rises + 1);
        EXPECT_NEAR(count(0), 998u, 2);
}

TEST_F(pit, the_gate_begins_with_the_new_count)
{
        program(2, 2, 1000);
        out8(0x61, 1);
        time.ns += ns_of(10);
        out8(0x42, 500 & 0xff);
        out8(0x42, 500 >> 8);
        EXPECT_EQ(count(2), 990u);
        out8(0x61, 0);
        out8(0x61, 1);
        EXPECT_EQ(count(2), 500u);
}

TEST_F(pit, a_control_word_sets_the_output)
{
        for (unsigned mode = 0; mode < 6; mode++) {
                out8(0x43, 0x30 | mode << 1);
                EXPECT_EQ(out.level, mode > 0) << mode;
        }
        const unsigned rises = out.rises;
        for (unsigned mode = 1; mode < 6; mode++)
                out8(0x43, 0x30 | mode << 1);
        EXPECT_EQ(out.rises, rises);
}

TEST_F(pit, counts_in_decimal_digits_if_asked_to)
{
        program(0, 2, 0x1000, true);
        EXPECT_EQ(timer.alarm.deadline, ns_of(1000));
        EXPECT_EQ(count(0), 0x1000u);
        time.ns = ns_of(1);
        EXPECT_EQ(count(0), 0x999u);
        out8(0x43, 0xc0 | 0x20 | 0x02);
        EXPECT_EQ(in8(0x40) & 0x3f, 0x35u) << "the status shows it";
        program(0, 2, 0, true);
        EXPECT_EQ(timer.alarm.deadline - time.ns, ns_of(10000));
        EXPECT_EQ(count(0), 0u);
        program(0, 2, 0x1000);
        EXPECT_EQ(timer.alarm.deadline - time.ns, ns_of(0x1000)) << "binary again";
}

TEST_F(pit, counts_a_square_wave_in_decimal_digits)
{
        program(2, 3, 0, true);
        out8(0x61, 1);
        const uint64_t begin = time.ns;
        EXPECT_EQ(count(2), 0u);
        time.ns = begin + ns_of(1);
        EXPECT_EQ(count(2), 0x9998u);
        EXPECT_TRUE(output());
        time.ns = begin + ns_of(5000);
        EXPECT_FALSE(output());
}

TEST_F(pit, continues_below_zero_in_its_own_digits)
{
        for (bool bcd : {false, true}) {
                program(2, 0, 0x10, bcd);
                out8(0x61, 1);
                time.ns += ns_of(bcd ? 11 : 0x11);
                EXPECT_EQ(count(2), bcd ? 0x9999u : 0xffffu);
                time.ns += ns_of(bcd ? 20000 : 0x20000);
                EXPECT_NEAR(count(2), bcd ? 0x9999u : 0xffffu, 1);
                out8(0x61, 0);
        }
}

TEST_F(pit, a_one_shot_of_mode_1_begins_with_a_rise_of_the_gate)
{
        out8(0x61, 1);
        program(2, 1, 1000);
        EXPECT_TRUE(output());
        time.ns += ns_of(2000);
        EXPECT_EQ(count(2), 1000u);
        EXPECT_TRUE(output()) << "the gate is open, but did not rise";
        out8(0x61, 0);
        EXPECT_TRUE(output());
        out8(0x61, 1);
        EXPECT_FALSE(output());
        out8(0x61, 0); /* has no effect */
        time.ns += ns_of(999);
        EXPECT_FALSE(output());
        EXPECT_EQ(count(2), 1u);
        out8(0x61, 1); /* begins again */
        time.ns += ns_of(999);
        EXPECT_FALSE(output());
        time.ns += ns_of(1);
        EXPECT_TRUE(output());
}

TEST_F(pit, a_new_count_of_mode_1_takes_effect_with_the_next_rise_of_the_gate)
{
        program(2, 1, 1000);
        out8(0x61, 1);
        out8(0x42, 500 & 0xff);
        out8(0x42, 500 >> 8);
        EXPECT_EQ(count(2), 1000u);
        out8(0x61, 0);
        time.ns += ns_of(600);
        EXPECT_FALSE(output());
        out8(0x61, 1);
        EXPECT_EQ(count(2), 500u);
        time.ns += ns_of(500);
        EXPECT_TRUE(output());
}

TEST_F(pit, a_strobe_of_mode_5_comes_after_a_rise_of_the_gate)
{
        out8(0x61, 1);
        program(2, 5, 1000);
        time.ns += ns_of(1000);
        EXPECT_TRUE(output());
        out8(0x61, 0);
        out8(0x61, 1);
        const uint64_t begin = time.ns;
        for (unsigned tick : {0u, 999u, 1000u, 1001u}) {
                time.ns = begin + ns_of(tick);
                EXPECT_EQ(output(), tick != 1000) << tick;
        }
}

TEST_F(pit, channel_0_never_ends_a_count_that_waits_for_its_gate)
{
        for (unsigned mode : {1u, 5u}) {
                program(0, mode, 1000);
                EXPECT_EQ(timer.alarm.deadline, NOVA_NEVER) << mode;
                EXPECT_TRUE(out.level);
        }
}

TEST_F(pit, a_closed_gate_keeps_count_and_output_of_modes_0_and_4)
{
        for (unsigned mode : {0u, 4u}) {
                const bool idle = mode == 4;

                program(2, mode, 1000);
                out8(0x61, 1);
                time.ns += ns_of(600);
                out8(0x61, 0);
                time.ns += ns_of(5000);
                EXPECT_EQ(count(2), 400u) << mode;
                EXPECT_EQ(output(), idle) << mode;
                out8(0x61, 1);
                EXPECT_EQ(count(2), 400u) << mode;
                time.ns += ns_of(399);
                EXPECT_EQ(output(), idle) << mode;
                time.ns += ns_of(1);
                EXPECT_EQ(output(), !idle) << mode;
                time.ns += ns_of(10);
                out8(0x61, 0);
                EXPECT_TRUE(output()) << mode;
                program(2, mode, 1000); /* counts from the beginning */
                EXPECT_EQ(output(), idle) << mode;
                EXPECT_EQ(count(2), 1000u) << mode;
        }
}

TEST_F(pit, the_control_port_cannot_be_read)
{
        EXPECT_EQ(in8(0x43), 0xffu);
}

TEST_F(pit, no_write_breaks_the_device)
{
        for (unsigned control = 0; control < 256; control++)
                for (unsigned value : {0u, 1u, 0xffu}) {
                        out8(0x43, control);
                        for (unsigned port = 0x40; port < 0x43; port++) {
                                out8(port, value);
                                in8(port);
                        }
                        out8(0x61, value);
                        time.ns += 12345;
                        in8(0x61);
                        for (unsigned i = 0; i < 4 && timer.alarm.deadline <= time.ns; i++)
                                timer.alarm.expire(timer.alarm.device, time.ns);
                        EXPECT_GT(timer.alarm.deadline, time.ns);
                }
}

} // namespace
