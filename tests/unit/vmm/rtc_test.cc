/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of a PC: the date in all its forms. */
#include "novavmm/rtc.h"

#include <gtest/gtest.h>

#include "devices.h"

namespace
{

struct rtc : testing::Test {
        fake_clock time;
        nova_rtc clock;

        void set(uint64_t seconds)
        {
                const nova_clock source = time.clock();
                nova_rtc_init(&clock, &source, seconds);
        }

        unsigned get(unsigned index)
        {
                nova_rtc_write(&clock, 0x70, 1, index);
                return static_cast<unsigned>(nova_rtc_read(&clock, 0x71, 1));
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

TEST_F(rtc, never_reports_an_update_in_progress)
{
        set(0);
        put(0xa, 0xff);
        EXPECT_EQ(get(0xa) & 0x80, 0u);
        EXPECT_EQ(get(0xd), 0x80u);
}

TEST_F(rtc, keeps_values_that_are_written)
{
        set(0);
        put(0x7f, 0xab);
        EXPECT_EQ(get(0x7f), 0xabu);
        EXPECT_EQ(get(0xff), 0xabu); /* the highest bit has another meaning */
}

} // namespace
