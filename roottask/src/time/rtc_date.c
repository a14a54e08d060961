/* SPDX-License-Identifier: BSD-2-Clause */
/* The date in the registers of a PC's clock (see rtc.h). */
#include "time/rtc.h"

#define SECONDS      0x00
#define MINUTES      0x02
#define HOURS        0x04
#define DAY_OF_MONTH 0x07
#define MONTH        0x08
#define YEAR         0x09
#define STATUS_B     0x0b

#define B_24H    0x02
#define B_BINARY 0x04
#define PM       0x80

#define FIRST_YEAR 1970

static bool number(const uint8_t reg[RTC_REGISTERS], uint8_t value, unsigned *to)
{
        if (reg[STATUS_B] & B_BINARY) {
                *to = value;
                return true;
        }
        *to = (value >> 4) * 10u + (value & 15);
        return (value & 15) < 10 && value >> 4 < 10;
}

static bool hour(const uint8_t reg[RTC_REGISTERS], unsigned *to)
{
        if (reg[STATUS_B] & B_24H)
                return number(reg, reg[HOURS], to) && *to < 24;
        if (!number(reg, reg[HOURS] & (uint8_t)~PM, to) || *to < 1 || *to > 12)
                return false;
        *to = *to % 12 + (reg[HOURS] & PM ? 12 : 0);
        return true;
}

static bool is_leap(unsigned year) /* valid until 2099 */
{
        return year % 4 == 0;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
        static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return days[month - 1] + (month == 2 && is_leap(year));
}

bool novart_rtc_seconds(const uint8_t reg[RTC_REGISTERS], uint64_t *seconds)
{
        unsigned second, minute, hours, day, month, year;

        if (!number(reg, reg[SECONDS], &second) || !number(reg, reg[MINUTES], &minute) ||
            !hour(reg, &hours) || !number(reg, reg[DAY_OF_MONTH], &day) ||
            !number(reg, reg[MONTH], &month) || !number(reg, reg[YEAR], &year))
                return false;
        year += year < FIRST_YEAR % 100 ? 2000 : 1900;
        if (second > 59 || minute > 59 || month < 1 || month > 12 || day < 1 || year > 2069 ||
            day > days_of_month(year, month))
                return false;

        uint64_t days = day - 1;

        for (unsigned i = FIRST_YEAR; i < year; i++)
                days += 365u + is_leap(i);
        for (unsigned i = 1; i < month; i++)
                days += days_of_month(year, i);
        *seconds = ((days * 24 + hours) * 60 + minute) * 60 + second;
        return true;
}
