/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of a PC (see novavmm/rtc.h): a Motorola MC146818A. */
#include "novavmm/rtc.h"

#include <string.h>

#define NS_PER_S  1000000000u
#define S_PER_DAY 86400

/* Registers. */
#define SECONDS      0x00
#define MINUTES      0x02
#define HOURS        0x04
#define DAY_OF_WEEK  0x06
#define DAY_OF_MONTH 0x07
#define MONTH        0x08
#define YEAR         0x09
#define STATUS_A     0x0a
#define STATUS_B     0x0b
#define STATUS_C     0x0c
#define STATUS_D     0x0d
#define CENTURY      0x32

/* Positions at which PCs store their memory size, two bytes each. RAM_BASE is the memory below 640
 * KiB, in KiB. RAM_EXTENDED and its copy are the memory above 1 MiB, in KiB. RAM_HIGH is the memory
 * above 16 MiB, in units of 64 KiB. */
#define RAM_BASE      0x15
#define RAM_EXTENDED  0x17
#define RAM_EXTENDED2 0x30
#define RAM_HIGH      0x34
#define KIB           1024u
#define MIB           (1024u * KIB)

/* Position of the sum of the bytes from SUM_FIRST to SUM_LAST, with the upper byte first. */
#define SUM       0x2e
#define SUM_FIRST 0x10
#define SUM_LAST  0x2d

#define A_32KHZ  0x26 /* the divider of a running clock, with the usual rate */
#define B_24H    0x02
#define B_BINARY 0x04
#define D_VALID  0x80

struct date {
        unsigned year, month, day, weekday, hour, minute, second;
};

static bool is_leap(unsigned year)
{
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_of_month(unsigned year, unsigned month)
{
        static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return days[month - 1] + (month == 2 && is_leap(year));
}

static struct date date_of(uint64_t seconds)
{
        uint64_t days = seconds / S_PER_DAY;
        const unsigned rest = (unsigned)(seconds % S_PER_DAY);
        struct date date = {
                1970, 1, 1, (unsigned)((days + 4) % 7 + 1), rest / 3600, rest / 60 % 60, rest % 60};

        while (days >= 365u + is_leap(date.year))
                days -= 365u + is_leap(date.year++);
        while (days >= days_of_month(date.year, date.month))
                days -= days_of_month(date.year, date.month++);
        date.day += (unsigned)days;
        return date;
}

void nova_rtc_init(struct nova_rtc *rtc, const struct nova_clock *clock, uint64_t seconds)
{
        memset(rtc, 0, sizeof(*rtc));
        rtc->clock = *clock;
        rtc->offset = (int64_t)(seconds - nova_clock_now(clock) / NS_PER_S);
        rtc->memory[STATUS_A] = A_32KHZ;
        rtc->memory[STATUS_B] = B_24H;
        rtc->memory[STATUS_D] = D_VALID;
}

static void note(struct nova_rtc *rtc, unsigned at, uint64_t value)
{
        if (value > UINT16_MAX)
                value = UINT16_MAX;
        rtc->memory[at] = (uint8_t)value;
        rtc->memory[at + 1] = (uint8_t)(value >> 8);
}

void nova_rtc_set_ram(struct nova_rtc *rtc, uint64_t bytes)
{
        const uint64_t extended = bytes > MIB ? (bytes - MIB) / KIB : 0;
        unsigned sum = 0;

        note(rtc, RAM_BASE, bytes < 640 * KIB ? bytes / KIB : 640);
        note(rtc, RAM_EXTENDED, extended);
        note(rtc, RAM_EXTENDED2, extended);
        note(rtc, RAM_HIGH, bytes > 16 * MIB ? (bytes - 16 * MIB) / (64 * KIB) : 0);
        for (unsigned i = SUM_FIRST; i <= SUM_LAST; i++)
                sum += rtc->memory[i];
        rtc->memory[SUM] = (uint8_t)(sum >> 8);
        rtc->memory[SUM + 1] = (uint8_t)sum;
}

static uint8_t number(const struct nova_rtc *rtc, unsigned value)
{
        if (rtc->memory[STATUS_B] & B_BINARY)
                return (uint8_t)value;
        return (uint8_t)(value / 10 << 4 | value % 10);
}

static uint8_t hours(const struct nova_rtc *rtc, unsigned hour)
{
        if (rtc->memory[STATUS_B] & B_24H)
                return number(rtc, hour);
        return (uint8_t)(number(rtc, (hour + 11) % 12 + 1) | (hour >= 12 ? 0x80 : 0));
}

static uint8_t read_register(const struct nova_rtc *rtc)
{
        const uint64_t seconds = (uint64_t)rtc->offset + nova_clock_now(&rtc->clock) / NS_PER_S;
        const struct date date = date_of(seconds);

        switch (rtc->index) {
        case SECONDS:
                return number(rtc, date.second);
        case MINUTES:
                return number(rtc, date.minute);
        case HOURS:
                return hours(rtc, date.hour);
        case DAY_OF_WEEK:
                return number(rtc, date.weekday);
        case DAY_OF_MONTH:
                return number(rtc, date.day);
        case MONTH:
                return number(rtc, date.month);
        case YEAR:
                return number(rtc, date.year % 100);
        case CENTURY:
                return number(rtc, date.year / 100);
        default:
                return rtc->memory[rtc->index];
        }
}

uint64_t nova_rtc_read(void *context, uint64_t port, unsigned bytes)
{
        const struct nova_rtc *const rtc = context;

        (void)bytes;
        return port & 1 ? read_register(rtc) : 0xff;
}

void nova_rtc_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_rtc *const rtc = context;

        (void)bytes;
        if (!(port & 1))
                rtc->index = value & (NOVA_RTC_BYTES - 1);
        else if (rtc->index != STATUS_C && rtc->index != STATUS_D)
                rtc->memory[rtc->index] = (uint8_t)value;
        /* Bit 7 of register A is read-only, and 0: the clock never shows that an update is in
         * progress. */
        rtc->memory[STATUS_A] &= 0x7f;
}
