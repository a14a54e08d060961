/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of a PC: the date in all its forms, and the interrupts. */
#include "novavmm/rtc.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "devices.h"

namespace
{

constexpr uint64_t second = 1000000000;

/* Bits of registers B and C. */
constexpr unsigned updated = 0x10, alarmed = 0x20, periodic = 0x40, interrupts = 0x70;

struct rtc : testing::Test {
        probe out;
        fake_clock time;
        nova_rtc clock;

        void set(uint64_t seconds)
        {
                const nova_clock source = time.clock();
                const nova_line line = out.line();
                nova_rtc_init(&clock, &source, &line, seconds);
        }

        unsigned get(unsigned index)
        {
                nova_rtc_write(&clock, 0x70, 1, index);
                return static_cast<unsigned>(nova_rtc_read(&clock, 0x71, 1));
        }

        /* Does the machine's work at an alarm. @return the number of alarms */
        unsigned run_until(uint64_t ns)
        {
                unsigned alarms = 0;

                for (; clock.alarm.deadline <= ns; alarms++) {
                        time.ns = std::max(time.ns, clock.alarm.deadline);
                        clock.alarm.deadline = NOVA_NEVER;
                        clock.alarm.expire(clock.alarm.device, time.ns);
                }
                time.ns = ns;
                return alarms;
        }

        /* Returns the number of interrupts until a time, with a driver that reads register C. */
        unsigned serve_until(uint64_t ns)
        {
                unsigned served = 0;

                for (; clock.alarm.deadline <= ns; served += out.level, get(0xc))
                        run_until(clock.alarm.deadline);
                run_until(ns);
                return served;
        }

        /* Returns the checksum of the memory that firmware checks. */
        unsigned sum()
        {
                unsigned sum = 0;

                for (unsigned i = 0x10; i <= 0x2d; i++)
                        sum += get(i);
                return sum;
        }

        void put(unsigned index, unsigned value)
        {
                nova_rtc_write(&clock, 0x70, 1, index);
                nova_rtc_write(&clock, 0x71, 1, value);
        }
};

TEST_F(rtc, notes_how_much_ram_there_is)
{
        set(0);
        nova_rtc_set_ram(&clock, 48u << 20);
        EXPECT_EQ(sum(), get(0x2e) << 8 | get(0x2f));
        EXPECT_NE(sum(), 0u);
        EXPECT_EQ(get(0x15) | get(0x16) << 8, 640u);
        EXPECT_EQ(get(0x17) | get(0x18) << 8, 47u * 1024);
        EXPECT_EQ(get(0x30) | get(0x31) << 8, 47u * 1024);
        EXPECT_EQ(get(0x34) | get(0x35) << 8, 32u * 16);
        nova_rtc_set_ram(&clock, 3u << 30);
        EXPECT_EQ(get(0x30) | get(0x31) << 8, 0xffffu);
        EXPECT_EQ(get(0x34) | get(0x35) << 8, (3072u - 16) * 16);
        nova_rtc_set_ram(&clock, 512u << 10);
        EXPECT_EQ(get(0x15) | get(0x16) << 8, 512u);
        EXPECT_EQ(get(0x17) | get(0x18) << 8, 0u);
        EXPECT_EQ(get(0x34) | get(0x35) << 8, 0u);
}

TEST_F(rtc, returns_the_date_as_decimal_digits)
{
        set(1709210096); /* Thursday, 29 February 2024, 12:34:56 */
        EXPECT_EQ(get(0), 0x56u);
        EXPECT_EQ(get(2), 0x34u);
        EXPECT_EQ(get(4), 0x12u);
        EXPECT_EQ(get(6), 5u);
        EXPECT_EQ(get(7), 0x29u);
        EXPECT_EQ(get(8), 0x02u);
        EXPECT_EQ(get(9), 0x24u);
        EXPECT_EQ(get(0x32), 0x20u);
}

TEST_F(rtc, returns_the_date_in_binary_if_asked_to)
{
        set(1709210096);
        put(0xb, 6);
        EXPECT_EQ(get(0), 56u);
        EXPECT_EQ(get(7), 29u);
}

TEST_F(rtc, returns_hours_of_a_half_day_if_asked_to)
{
        set(1709210096);
        put(0xb, 0);
        EXPECT_EQ(get(4), 0x92u);
        set(0);
        put(0xb, 0);
        EXPECT_EQ(get(4), 0x12u);
}

TEST_F(rtc, goes_on)
{
        set(59);
        EXPECT_EQ(get(0), 0x59u);
        time.ns += 1000000000;
        EXPECT_EQ(get(0), 0u);
        EXPECT_EQ(get(2), 1u);
}

// As Linux sets it: the clock is stopped, then all registers are written, then the clock goes on.
TEST_F(rtc, takes_a_date)
{
        for (unsigned mode : {0u, 2u, 4u, 6u}) {
                const bool binary = mode & 4;

                set(59);
                put(0xb, 0x80 | mode);
                time.ns += 5000000000;
                EXPECT_EQ(get(0), binary ? 59u : 0x59u) << "the clock is stopped";
                put(9, binary ? 24 : 0x24);
                put(8, 2);
                put(7, binary ? 29 : 0x29);
                put(6, 7);
                put(4, mode & 2 ? (binary ? 14 : 0x14) : 0x82);
                put(2, binary ? 34 : 0x34);
                put(0, binary ? 56 : 0x56);
                put(0x32, binary ? 20 : 0x20);
                put(0xb, mode);
                time.ns += 1000000000;
                put(0xb, 6);
                EXPECT_EQ(get(0), 57u);
                EXPECT_EQ(get(2), 34u);
                EXPECT_EQ(get(4), 14u);
                EXPECT_EQ(get(6), 5u) << "a Thursday";
                EXPECT_EQ(get(7), 29u);
                EXPECT_EQ(get(8), 2u);
                EXPECT_EQ(get(9), 24u);
                EXPECT_EQ(get(0x32), 20u);
        }
}

// As GRUB sets it: the clock is running, so after the first writes the day may not exist.
TEST_F(rtc, takes_a_date_whose_registers_are_written_one_after_the_other)
{
        set(1706700000); /* 31 January 2024 */
        put(9, 0x23);
        put(8, 0x02);
        time.ns += 1000000;
        put(7, 0x10);
        put(4, 0x12);
        put(2, 0x34);
        put(0, 0x59);
        time.ns += 1000000000;
        EXPECT_EQ(get(9), 0x23u);
        EXPECT_EQ(get(8), 0x02u);
        EXPECT_EQ(get(7), 0x10u);
        EXPECT_EQ(get(2), 0x35u);
        EXPECT_EQ(get(0), 0u);
}

TEST_F(rtc, takes_a_year_without_a_century_as_one_since_1970)
{
        for (unsigned year : {0u, 0x26u, 0x69u, 0x70u, 0x99u}) {
                set(0);
                put(4, 0x12);
                put(9, year);
                time.ns += 20000000;
                EXPECT_EQ(get(9), year);
                EXPECT_EQ(get(0x32), year < 0x70 ? 0x20u : 0x19u);
                EXPECT_EQ(get(4), 0x12u);
        }
}

TEST_F(rtc, takes_one_register_at_once)
{
        set(1709210096);
        put(2, 0x35);
        EXPECT_EQ(get(0), 0x56u);
        EXPECT_EQ(get(2), 0x35u);
        EXPECT_EQ(get(7), 0x29u);
        time.ns += 4000000000;
        EXPECT_EQ(get(0), 0u);
        EXPECT_EQ(get(2), 0x36u);
}

TEST_F(rtc, bounds_impossible_dates)
{
        for (unsigned mode : {0u, 2u, 4u, 6u})
                for (unsigned value : {0u, 0x7fu, 0xffu}) {
                        set(0);
                        put(0xb, 0x80 | mode);
                        for (unsigned index : {0u, 2u, 4u, 6u, 7u, 8u, 9u, 0x32u})
                                put(index, value);
                        put(0xb, mode);
                        put(0xb, 6);
                        EXPECT_LT(get(0), 60u);
                        EXPECT_LT(get(4), 24u);
                        EXPECT_GE(get(8), 1u);
                        EXPECT_LE(get(8), 12u);
                        EXPECT_LT(get(9), 100u);
                        EXPECT_GE(get(0x32), 19u);
                }
}

TEST_F(rtc, knows_the_last_second_of_9999)
{
        set(253402300799);
        EXPECT_EQ(get(9), 0x99u);
        EXPECT_EQ(get(0x32), 0x99u);
        time.ns += 1000000000;
        EXPECT_EQ(get(9), 0u);
        EXPECT_EQ(get(0x32), 0u);
}

TEST_F(rtc, shows_an_update_in_progress_at_the_end_of_each_second)
{
        set(59);
        for (unsigned i = 0; i < 2; i++) {
                time.ns = i * second;
                EXPECT_EQ(get(0xa), 0x26u);
                time.ns = i * second + 997771999;
                EXPECT_EQ(get(0xa), 0x26u) << "2,228 us remain, and a bit";
                time.ns = i * second + 997772000;
                EXPECT_EQ(get(0xa), 0xa6u);
                EXPECT_EQ(get(2), i) << "the update comes later";
                time.ns = i * second + 999999999;
                EXPECT_EQ(get(0xa), 0xa6u);
                EXPECT_EQ(get(2), i);
        }
        time.ns = 1999999999;
        put(0xb, 0x82);
        EXPECT_EQ(get(0xa), 0x26u) << "the clock is stopped";
        put(0xb, 2);
        EXPECT_EQ(get(0xa), 0xa6u);
}

TEST_F(rtc, ignores_writes_of_the_bit_for_an_update_in_progress)
{
        set(0);
        put(0xa, 0xff);
        EXPECT_EQ(get(0xa), 0x7fu);
        EXPECT_EQ(get(0xd), 0x80u);
        time.ns = 999999999;
        put(0xa, 0x26);
        EXPECT_EQ(get(0xa), 0xa6u);
        time.ns = second;
        EXPECT_EQ(get(0xa), 0x26u);
}

TEST_F(rtc, keeps_values_that_are_written)
{
        set(0);
        put(0x7f, 0xab);
        EXPECT_EQ(get(0x7f), 0xabu);
        EXPECT_EQ(get(0xff), 0xabu); /* the highest bit has another meaning */
}

TEST_F(rtc, tells_firmware_the_number_of_cpus_besides_the_first)
{
        set(0);
        nova_rtc_set_ram(&clock, 48u << 20);
        const unsigned before = sum();
        for (unsigned cpus : {1u, 3u, 256u}) {
                nova_rtc_set_cpus(&clock, cpus);
                EXPECT_EQ(get(0x5f), cpus - 1);
        }
        EXPECT_EQ(sum(), before) << "the checksum does not cover the byte";
}

TEST_F(rtc, has_no_alarm_and_a_low_line_without_an_interrupt)
{
        set(0);
        EXPECT_EQ(clock.alarm.deadline, NOVA_NEVER);
        EXPECT_EQ(get(0xc), 0u);
        EXPECT_EQ(run_until(100 * second), 0u);
        EXPECT_FALSE(out.level);
}

TEST_F(rtc, shows_in_register_c_what_has_happened_and_a_read_clears_it)
{
        set(86399);
        time.ns = second / 1024 + 1;
        EXPECT_EQ(get(0xc), periodic);
        EXPECT_EQ(get(0xc), 0u);
        time.ns = second; /* the alarm is set to midnight */
        EXPECT_EQ(get(0xc), interrupts);
        EXPECT_EQ(get(0xc), 0u);
        time.ns = 2 * second;
        EXPECT_EQ(get(0xc), updated | periodic);
        EXPECT_EQ(out.rises, 0u) << "no interrupt is enabled";
        put(0xc, 0xff);
        EXPECT_EQ(get(0xc), 0u) << "the register is read-only";
}

TEST_F(rtc, raises_its_line_for_each_enabled_interrupt_until_register_c_is_read)
{
        for (unsigned which : {updated, alarmed, periodic}) {
                time.ns = 0;
                set(86399);
                put(0xb, 2 | which);
                EXPECT_FALSE(out.level);
                EXPECT_EQ(run_until(second), 1u) << which;
                EXPECT_TRUE(out.level) << which;
                EXPECT_EQ(get(0xc), 0x80 | interrupts) << which;
                EXPECT_FALSE(out.level) << which;
                EXPECT_EQ(get(0xc), 0u) << which;
        }
        EXPECT_EQ(out.rises, 3u);
}

TEST_F(rtc, interrupts_at_the_rate_in_register_a)
{
        for (unsigned rate = 0; rate < 16; rate++) {
                const unsigned hz = rate > 2 ? 65536 >> rate : rate ? 512 >> rate : 0;

                time.ns = 0;
                set(0);
                put(0xa, 0x20 | rate);
                put(0xb, 2 | periodic);
                EXPECT_EQ(serve_until(3 * second), 3 * hz) << rate;
        }
}

TEST_F(rtc, merges_periods_while_the_driver_does_not_read_register_c)
{
        set(0);
        put(0xa, 0x23); /* 8192 Hz */
        put(0xb, 2 | periodic);
        EXPECT_EQ(run_until(1000 * second), 1u) << "the line is high: there is nothing to do";
        EXPECT_EQ(out.rises, 1u);
        EXPECT_EQ(clock.alarm.deadline, NOVA_NEVER);
        EXPECT_EQ(get(0xc), 0x80 | periodic | updated);
        EXPECT_GT(clock.alarm.deadline, time.ns);
        EXPECT_LE(clock.alarm.deadline, time.ns + second / 8192 + 1);
}

TEST_F(rtc, merges_periods_of_an_alarm_that_comes_late)
{
        set(0);
        put(0xa, 0x23);
        put(0xb, 2 | periodic);
        time.ns = 1000 * second;
        EXPECT_EQ(run_until(time.ns), 1u);
        EXPECT_EQ(out.rises, 1u);
}

TEST_F(rtc, stops_its_alarm_with_the_last_interrupt)
{
        set(0);
        put(0xb, 2 | periodic | updated);
        EXPECT_NE(clock.alarm.deadline, NOVA_NEVER);
        put(0xb, 2);
        EXPECT_EQ(clock.alarm.deadline, NOVA_NEVER);
        put(0xb, 2 | periodic);
        put(0xa, 0x20); /* no rate */
        EXPECT_EQ(clock.alarm.deadline, NOVA_NEVER);
}

TEST_F(rtc, lowers_its_line_if_the_interrupt_is_disabled)
{
        set(0);
        put(0xb, 2 | updated);
        run_until(second);
        EXPECT_TRUE(out.level);
        put(0xb, 2);
        EXPECT_FALSE(out.level);
        EXPECT_EQ(get(0xc) & 0x80, 0u);
}

TEST_F(rtc, interrupts_at_once_if_the_flag_is_set_already)
{
        set(0);
        time.ns = second;
        put(0xb, 2 | updated);
        EXPECT_TRUE(out.level);
}

TEST_F(rtc, causes_no_edge_for_a_flag_that_a_read_takes_first)
{
        set(0);
        put(0xb, 2 | updated);
        time.ns = second; /* before the machine has handled the alarm */
        EXPECT_EQ(get(0xc), 0x80 | periodic | updated);
        EXPECT_EQ(out.rises, 0u);
        EXPECT_EQ(clock.alarm.deadline, 2 * second);
}

TEST_F(rtc, alarms_at_the_time_of_its_registers)
{
        set(1709210096); /* 12:34:56 */
        put(1, 0x05);
        put(3, 0x34);
        put(5, 0x12);
        put(0xb, 2 | alarmed);
        EXPECT_EQ(clock.alarm.deadline, (86400 - 51) * second) << "tomorrow";
        put(5, 0x13);
        EXPECT_EQ(clock.alarm.deadline, (3600 - 51) * second);
        put(3, 0x36);
        put(5, 0x12);
        EXPECT_EQ(clock.alarm.deadline, 69 * second);
        EXPECT_EQ(run_until(69 * second), 1u);
        EXPECT_TRUE(out.level);
        get(0xc);
        EXPECT_EQ(clock.alarm.deadline, (69 + 86400) * second) << "each day";
}

TEST_F(rtc, alarms_in_each_hour_minute_or_second_whose_register_says_so)
{
        set(1709210096); /* 12:34:56 */
        put(0xb, 2 | alarmed);
        put(5, 0xff);
        EXPECT_EQ(clock.alarm.deadline, (25 * 60 + 4) * second) << "13:00:00";
        put(3, 0xc0);
        EXPECT_EQ(clock.alarm.deadline, 4 * second) << "12:35:00";
        put(1, 0xd5);
        EXPECT_EQ(clock.alarm.deadline, 1 * second);
        EXPECT_EQ(serve_until(10 * second), 10u);
        put(3, 0x12);
        put(1, 0x59);
        put(5, 0x00);
        EXPECT_EQ(clock.alarm.deadline, ((11 * 60 + 38) * 60 + 3) * second) << "00:12:59";
}

TEST_F(rtc, knows_the_alarm_in_all_forms)
{
        for (unsigned mode : {0u, 2u, 4u, 6u}) {
                const bool binary = mode & 4;

                time.ns = 0;
                set(1709210096); /* 12:34:56 */
                put(1, binary ? 30 : 0x30);
                put(3, binary ? 15 : 0x15);
                put(5, mode & 2 ? (binary ? 23 : 0x23) : (binary ? 0x8b : 0x91));
                put(0xb, mode | alarmed);
                EXPECT_EQ(clock.alarm.deadline, ((10 * 60 + 40) * 60 + 34) * second) << mode;
        }
}

TEST_F(rtc, never_alarms_at_an_impossible_time)
{
        for (unsigned index : {1u, 3u, 5u}) {
                set(0);
                put(0xb, 2 | alarmed);
                put(index, 0x75);
                EXPECT_EQ(clock.alarm.deadline, NOVA_NEVER);
                time.ns += 100000 * second;
                EXPECT_EQ(get(0xc), updated | periodic);
        }
}

TEST_F(rtc, follows_a_new_date_with_its_alarm)
{
        set(0);
        put(1, 0x10);
        put(0xb, 2 | alarmed);
        EXPECT_EQ(clock.alarm.deadline, 10 * second);
        put(0, 0x07);
        EXPECT_EQ(clock.alarm.deadline, 3 * second);
        EXPECT_EQ(get(0xc), 0u) << "a step of the date is no update";
}

TEST_F(rtc, does_not_update_while_it_is_stopped)
{
        set(0);
        put(1, 0xff);
        put(3, 0xff);
        put(5, 0xff);
        put(0xa, 0x2f); /* 2 Hz */
        put(0xb, 0x82 | interrupts);
        EXPECT_EQ(get(0xb), 0x82 | alarmed | periodic) << "no interrupt for the end of an update";
        EXPECT_EQ(serve_until(5 * second), 10u);
        put(0xb, 2);
        EXPECT_EQ(get(0xc), 0u);
        time.ns += second;
        EXPECT_EQ(get(0xc), interrupts);
}

} // namespace
