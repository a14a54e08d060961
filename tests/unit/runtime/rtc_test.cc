/* SPDX-License-Identifier: BSD-2-Clause */
/* Dates in the registers of a PC's clock. */
#include <gtest/gtest.h>

extern "C" {
#include "time/rtc.h"
}

namespace
{

constexpr uint8_t bcd = 0x02, binary = 0x06, twelve = 0x00;

/* Returns the seconds of a date, or UINT64_MAX if the registers hold no date. */
uint64_t seconds(uint8_t status, uint8_t year, uint8_t month, uint8_t day, uint8_t hour,
                 uint8_t minute, uint8_t second)
{
        const uint8_t reg[RTC_REGISTERS] = {second, 0,   minute, 0,    hour, 0,
                                            0,      day, month,  year, 0,    status};
        uint64_t value = 0;
        return novart_rtc_seconds(reg, &value) ? value : UINT64_MAX;
}

TEST(rtc_date, counts_from_1970)
{
        EXPECT_EQ(seconds(bcd, 0x70, 1, 1, 0, 0, 0), 0u);
        EXPECT_EQ(seconds(bcd, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59), 946684799u);
        EXPECT_EQ(seconds(bcd, 0x00, 3, 1, 0, 0, 0), 951868800u); /* 2000 was a leap year */
        EXPECT_EQ(seconds(binary, 26, 11, 21, 15, 0, 47), 1795273247u);
        EXPECT_EQ(seconds(binary, 69, 12, 31, 23, 59, 59), 3155759999u);
}

TEST(rtc_date, knows_two_halves_of_a_day)
{
        EXPECT_EQ(seconds(twelve, 0x70, 1, 1, 0x12, 0, 0), 0u);
        EXPECT_EQ(seconds(twelve, 0x70, 1, 1, 0x11, 0, 0), 11 * 3600u);
        EXPECT_EQ(seconds(twelve, 0x70, 1, 1, 0x92, 0, 0), 12 * 3600u);
        EXPECT_EQ(seconds(twelve, 0x70, 1, 1, 0x91, 0, 0), 23 * 3600u);
}

TEST(rtc_date, refuses_an_invalid_date)
{
        EXPECT_EQ(seconds(binary, 26, 2, 29, 0, 0, 0), UINT64_MAX);
        EXPECT_NE(seconds(binary, 28, 2, 29, 0, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(binary, 26, 0, 1, 0, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(binary, 26, 13, 1, 0, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(binary, 26, 1, 0, 0, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(binary, 26, 1, 1, 24, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(binary, 26, 1, 1, 0, 60, 0), UINT64_MAX);
        EXPECT_EQ(seconds(binary, 26, 1, 1, 0, 0, 60), UINT64_MAX);
        EXPECT_EQ(seconds(binary, 200, 1, 1, 0, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(bcd, 0x26, 0x0a, 1, 0, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(twelve, 0x26, 1, 1, 0, 0, 0), UINT64_MAX);
        EXPECT_EQ(seconds(bcd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), UINT64_MAX); /* no clock */
}

} // namespace
