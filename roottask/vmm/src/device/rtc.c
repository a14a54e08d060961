/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of a PC (see novavmm/rtc.h): a Motorola MC146818A. */
#include "novavmm/rtc.h"

#include <string.h>

#define NS_PER_S  1000000000u
#define S_PER_DAY 86400

/* Time after a write in which the clock does not update its registers. */
#define QUIET_NS 10000000u

/* Time before the end of a second in which register A shows an update in progress: 244 us, on which
 * a driver relies after it has found the bit clear, and 1984 us of the update. */
#define UPDATE_NS 2228000u

/* Years after which the calendar repeats, and their days. */
#define CYCLE      400
#define CYCLE_DAYS 146097

/* Registers. */
#define SECONDS       0x00
#define ALARM_SECONDS 0x01
#define MINUTES       0x02
#define ALARM_MINUTES 0x03
#define HOURS         0x04
#define ALARM_HOURS   0x05
#define DAY_OF_WEEK   0x06
#define DAY_OF_MONTH  0x07
#define MONTH         0x08
#define YEAR          0x09
#define STATUS_A      0x0a
#define STATUS_B      0x0b
#define STATUS_C      0x0c
#define STATUS_D      0x0d
#define CENTURY       0x32

/* Lowest value of an alarm register that stands for each hour, minute or second. */
#define ALARM_EACH 0xc0

/* Interrupts: enabled by a bit of register B, and reported by the same bit of register C. */
#define UPDATE_ENDED 0x10
#define ALARM        0x20
#define PERIODIC     0x40
#define INTERRUPTS   (UPDATE_ENDED | ALARM | PERIODIC)

/* Positions at which PCs store their memory size, two bytes each. RAM_BASE is the memory below 640
 * KiB, in KiB. RAM_EXTENDED and its copy are the memory above 1 MiB, in KiB. RAM_HIGH is the memory
 * above 16 MiB, in units of 64 KiB. */
#define RAM_BASE      0x15
#define RAM_EXTENDED  0x17
#define RAM_EXTENDED2 0x30
#define RAM_HIGH      0x34
#define KIB           1024u
#define MIB           (1024u * KIB)

/* Position of the number of CPUs besides the boot CPU. SeaBIOS starts all CPUs, and waits for this
 * number of them. Without the wait, it would overwrite the code that they execute. */
#define OTHER_CPUS 0x5f

/* Position of the sum of the bytes from SUM_FIRST to SUM_LAST, with the upper byte first. */
#define SUM       0x2e
#define SUM_FIRST 0x10
#define SUM_LAST  0x2d

#define A_32KHZ  0x26 /* the divider of a running clock, with the usual rate */
#define A_RATE   0x0f
#define A_UPDATE 0x80 /* read-only: an update is in progress or imminent */
#define B_SET    0x80 /* the clock is stopped while the driver writes a date */
#define B_24H    0x02
#define B_BINARY 0x04
#define C_LINE   0x80 /* the interrupt line is high */
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

        date.year += (unsigned)(days / CYCLE_DAYS * CYCLE);
        days %= CYCLE_DAYS;
        while (days >= 365u + is_leap(date.year))
                days -= 365u + is_leap(date.year++);
        while (days >= days_of_month(date.year, date.month))
                days -= days_of_month(date.year, date.month++);
        date.day += (unsigned)days;
        return date;
}

/* Returns the seconds from the beginning of 1970 to a date in 1970 or later. Ignores the weekday. A
 * day after the last day of its month counts as a day of the next month. */
static uint64_t seconds_of(const struct date *date)
{
        const unsigned cycles = (date->year - 1970) / CYCLE;
        uint64_t days = date->day - 1 + (uint64_t)cycles * CYCLE_DAYS;

        for (unsigned year = 1970 + cycles * CYCLE; year < date->year; year++)
                days += 365u + is_leap(year);
        for (unsigned month = 1; month < date->month; month++)
                days += days_of_month(date->year, month);
        return days * S_PER_DAY + date->hour * 3600 + date->minute * 60 + date->second;
}

/* Returns the date in seconds since 1970 at time @p ns. */
static uint64_t seconds_at(const struct nova_rtc *rtc, uint64_t ns)
{
        return (uint64_t)rtc->offset + ns / NS_PER_S;
}

static uint64_t now(const struct nova_rtc *rtc)
{
        return seconds_at(rtc, nova_clock_now(&rtc->clock));
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

void nova_rtc_set_cpus(struct nova_rtc *rtc, unsigned cpus)
{
        rtc->memory[OTHER_CPUS] = (uint8_t)(cpus - 1);
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

static bool is_stopped(const struct nova_rtc *rtc)
{
        return rtc->memory[STATUS_B] & B_SET;
}

/* Returns the frequency of the periodic interrupt in Hz; 0: it never comes. The bits that select a
 * crystal or reset the divider have no effect, here and on the date. */
static unsigned frequency(const struct nova_rtc *rtc)
{
        const unsigned rate = rtc->memory[STATUS_A] & A_RATE;

        if (rate > 2)
                return 65536u >> rate;
        return rate ? 512u >> rate : 0;
}

/* Returns the number of periods from time 0 to time @p ns. */
static uint64_t periods(unsigned hz, uint64_t ns)
{
        return ns / NS_PER_S * hz + ns % NS_PER_S * hz / NS_PER_S;
}

/* Returns the time in ns at which a number of periods have passed, rounded up. */
static uint64_t end_of(unsigned hz, uint64_t number)
{
        return number / hz * NS_PER_S + (number % hz * NS_PER_S + hz - 1) / hz;
}

/* Returns the set of numbers below @p limit, one bit each, for which an alarm register stands. */
static uint64_t wanted(const struct nova_rtc *rtc, unsigned index, unsigned limit)
{
        const uint8_t digits = rtc->memory[index];
        uint64_t set = 0;

        for (unsigned i = 0; i < limit; i++)
                if (digits >= ALARM_EACH ||
                    digits == (index == ALARM_HOURS ? hours(rtc, i) : number(rtc, i)))
                        set |= UINT64_C(1) << i;
        return set;
}

/* The hours, minutes and seconds of the alarm, as sets. */
struct moments {
        uint64_t hours, minutes, seconds;
};

/* Returns the first of a day's seconds, from number @p from, at which the alarm comes, or
 * S_PER_DAY. No set is empty, so the loop has at most 24 + 2 * 60 + 2 * 60 rounds. */
static unsigned first_moment(const struct moments *alarm, unsigned from)
{
        while (from < S_PER_DAY) {
                if (!(alarm->hours >> from / 3600 & 1))
                        from = (from / 3600 + 1) * 3600;
                else if (!(alarm->minutes >> from / 60 % 60 & 1))
                        from = (from / 60 + 1) * 60;
                else if (!(alarm->seconds >> from % 60 & 1))
                        from++;
                else
                        break;
        }
        return from;
}

/* Returns the time of the first alarm after a time, both in seconds since 1970, or NOVA_NEVER. */
static uint64_t next_alarm(const struct nova_rtc *rtc, uint64_t after)
{
        const struct moments alarm = {wanted(rtc, ALARM_HOURS, 24), wanted(rtc, ALARM_MINUTES, 60),
                                      wanted(rtc, ALARM_SECONDS, 60)};
        const unsigned from = (unsigned)((after + 1) % S_PER_DAY);
        const uint64_t day = after + 1 - from;
        unsigned moment;

        if (!alarm.hours || !alarm.minutes || !alarm.seconds)
                return NOVA_NEVER;
        moment = first_moment(&alarm, from);
        if (moment == S_PER_DAY)
                moment += first_moment(&alarm, 0);
        return day + moment;
}

/* Sets the flags of all that has happened since the last call. The number of periods that have
 * passed does not matter: they have one flag. */
static void catch_up(struct nova_rtc *rtc)
{
        const uint64_t from = rtc->checked, to = nova_clock_now(&rtc->clock);
        const unsigned hz = frequency(rtc);
        uint8_t *const flags = &rtc->memory[STATUS_C];

        rtc->checked = to;
        if (periods(hz, from) != periods(hz, to))
                *flags |= PERIODIC;
        if (is_stopped(rtc) || from / NS_PER_S == to / NS_PER_S)
                return;
        *flags |= UPDATE_ENDED;
        if (!(*flags & ALARM) && next_alarm(rtc, seconds_at(rtc, from)) <= seconds_at(rtc, to))
                *flags |= ALARM;
}

/* Returns the time in ns at which the next of the enabled interrupts comes, or NOVA_NEVER. */
static uint64_t next_interrupt(const struct nova_rtc *rtc, unsigned enabled)
{
        const uint64_t second = seconds_at(rtc, rtc->checked);
        const unsigned hz = frequency(rtc);
        uint64_t next = NOVA_NEVER, date = NOVA_NEVER;

        if (enabled & PERIODIC && hz)
                next = end_of(hz, periods(hz, rtc->checked) + 1);
        if (is_stopped(rtc))
                return next;
        if (enabled & UPDATE_ENDED)
                date = second + 1; /* the alarm does not come earlier */
        else if (enabled & ALARM)
                date = next_alarm(rtc, second);
        if (date != NOVA_NEVER && (date - (uint64_t)rtc->offset) * NS_PER_S < next)
                next = (date - (uint64_t)rtc->offset) * NS_PER_S;
        return next;
}

/* Drives the line. Sets the alarm only if an interrupt is enabled and the line is low, because a
 * second interrupt changes nothing until the driver has read register C. */
static void drive(struct nova_rtc *rtc)
{
        const unsigned enabled = rtc->memory[STATUS_B] & INTERRUPTS;
        uint8_t *const flags = &rtc->memory[STATUS_C];
        const bool was_high = *flags & C_LINE, is_high = *flags & enabled;

        *flags = (uint8_t)((*flags & INTERRUPTS) | (is_high ? C_LINE : 0));
        if (was_high != is_high)
                nova_line_set(&rtc->out, is_high);
        rtc->alarm.deadline = is_high ? NOVA_NEVER : next_interrupt(rtc, enabled);
}

static void expire(void *context, uint64_t now)
{
        struct nova_rtc *const rtc = context;

        (void)now;
        catch_up(rtc);
        drive(rtc);
}

void nova_rtc_init(struct nova_rtc *rtc, const struct nova_clock *clock,
                   const struct nova_line *out, uint64_t seconds)
{
        memset(rtc, 0, sizeof(*rtc));
        rtc->clock = *clock;
        rtc->out = *out;
        rtc->alarm = (struct nova_alarm){NOVA_NEVER, expire, rtc};
        rtc->checked = nova_clock_now(clock);
        rtc->offset = (int64_t)(seconds - rtc->checked / NS_PER_S);
        rtc->memory[STATUS_A] = A_32KHZ;
        rtc->memory[STATUS_B] = B_24H;
        rtc->memory[STATUS_D] = D_VALID;
}

/* Writes the current date to the registers of the clock. */
static void show_date(struct nova_rtc *rtc)
{
        const struct date date = date_of(now(rtc));

        rtc->memory[SECONDS] = number(rtc, date.second);
        rtc->memory[MINUTES] = number(rtc, date.minute);
        rtc->memory[HOURS] = hours(rtc, date.hour);
        rtc->memory[DAY_OF_WEEK] = number(rtc, date.weekday);
        rtc->memory[DAY_OF_MONTH] = number(rtc, date.day);
        rtc->memory[MONTH] = number(rtc, date.month);
        rtc->memory[YEAR] = number(rtc, date.year % 100);
        rtc->memory[CENTURY] = number(rtc, date.year / 100 % 100);
}

/* Returns the value of a register, limited to the range from @p least to @p most. */
static unsigned value_of(const struct nova_rtc *rtc, uint8_t digits, unsigned least, unsigned most)
{
        unsigned value = digits;

        if (!(rtc->memory[STATUS_B] & B_BINARY))
                value = (value >> 4) * 10 + (value & 0xf);
        if (value < least)
                return least;
        return value < most ? value : most;
}

static unsigned hour_of(const struct nova_rtc *rtc)
{
        const uint8_t digits = rtc->memory[HOURS];

        if (rtc->memory[STATUS_B] & B_24H)
                return value_of(rtc, digits, 0, 23);
        return value_of(rtc, digits & 0x7f, 1, 12) % 12 + (digits & 0x80 ? 12 : 0);
}

/* Lets the clock go on from the date in its registers. Some drivers write no century, so a year
 * before 1970 stands for the year from 1970 to 2069 with the same last two digits. */
static void take_date(struct nova_rtc *rtc)
{
        const unsigned year = value_of(rtc, rtc->memory[CENTURY], 0, 99) * 100 +
                              value_of(rtc, rtc->memory[YEAR], 0, 99);
        const struct date date = {
                .year = year < 1970 ? 1970 + (year + 30) % 100 : year,
                .month = value_of(rtc, rtc->memory[MONTH], 1, 12),
                .day = value_of(rtc, rtc->memory[DAY_OF_MONTH], 1, 31),
                .hour = hour_of(rtc),
                .minute = value_of(rtc, rtc->memory[MINUTES], 0, 59),
                .second = value_of(rtc, rtc->memory[SECONDS], 0, 59),
        };

        rtc->offset += (int64_t)(seconds_of(&date) - now(rtc));
}

static bool is_time(unsigned index)
{
        switch (index) {
        case SECONDS:
        case MINUTES:
        case HOURS:
        case DAY_OF_WEEK:
        case DAY_OF_MONTH:
        case MONTH:
        case YEAR:
        case CENTURY:
                return true;
        default:
                return false;
        }
}

/* Updates the registers of a running clock. A driver may write them one after the other without
 * stopping the clock. Until the date is complete, the registers keep what was written, because the
 * old day may not exist in the new month. */
static void update(struct nova_rtc *rtc)
{
        if (!is_stopped(rtc) && nova_clock_now(&rtc->clock) >= rtc->quiet_until)
                show_date(rtc);
}

/* Returns the flags and clears them. Flags that the line does not show yet cause no interrupt: the
 * line would only rise and fall. */
static uint8_t take_flags(struct nova_rtc *rtc)
{
        uint8_t flags;

        catch_up(rtc);
        flags = rtc->memory[STATUS_C] & INTERRUPTS;
        if (flags & rtc->memory[STATUS_B])
                flags |= C_LINE;
        rtc->memory[STATUS_C] &= C_LINE;
        drive(rtc);
        return flags;
}

static bool is_updating(const struct nova_rtc *rtc)
{
        return !is_stopped(rtc) && nova_clock_now(&rtc->clock) % NS_PER_S >= NS_PER_S - UPDATE_NS;
}

static uint8_t read_register(struct nova_rtc *rtc)
{
        if (rtc->index == STATUS_A)
                return (uint8_t)(rtc->memory[STATUS_A] | (is_updating(rtc) ? A_UPDATE : 0));
        if (rtc->index == STATUS_C)
                return take_flags(rtc);
        if (is_time(rtc->index))
                update(rtc);
        return rtc->memory[rtc->index];
}

static void write_register(struct nova_rtc *rtc, uint8_t value)
{
        const bool was_stopped = is_stopped(rtc);

        if (rtc->index == STATUS_C || rtc->index == STATUS_D)
                return;
        catch_up(rtc); /* with the old rate and alarm, and on the old date */
        if (is_time(rtc->index))
                update(rtc);
        rtc->memory[rtc->index] = value;
        if (is_stopped(rtc))
                rtc->memory[STATUS_B] &= (uint8_t)~UPDATE_ENDED;
        if (!was_stopped && is_stopped(rtc))
                show_date(rtc);
        if (was_stopped ? !is_stopped(rtc) : is_time(rtc->index))
                take_date(rtc);
        rtc->quiet_until = is_time(rtc->index) ? nova_clock_now(&rtc->clock) + QUIET_NS : 0;
        rtc->memory[STATUS_A] &= (uint8_t)~A_UPDATE;
        drive(rtc);
}

uint64_t nova_rtc_read(void *context, uint64_t port, unsigned bytes)
{
        struct nova_rtc *const rtc = context;

        (void)bytes;
        return port & 1 ? read_register(rtc) : 0xff;
}

void nova_rtc_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_rtc *const rtc = context;

        (void)bytes;
        if (port & 1)
                write_register(rtc, (uint8_t)value);
        else
                rtc->index = value & (NOVA_RTC_BYTES - 1);
}
