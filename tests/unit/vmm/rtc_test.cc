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
