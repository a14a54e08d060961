/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a PC's clock. The program accepts a date exactly if the calendar of the host has
 * it, and gets the same number of seconds. The rest of an input changes registers between two reads
 * of the ports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nova/arch/port.h"
#include "nova/crd.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/time.h"
#include "require.h"
#include "time/rtc.h"

#define STATUS_A   10
#define STATUS_B   11
#define UPDATING   0x80u
#define ACCESS     1000u     /* time in ns of an access to a port */
#define PATIENCE   20000000u /* time in ns that the program may wait for a steady date, ... */
#define MOST_READS (4 * RTC_REGISTERS * ACCESS) /* ... and the time of its last two reads */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct nova_program nova_program;

static const uint8_t *input;
static size_t left;
static uint8_t reg[RTC_REGISTERS], selected;
static uint8_t reads[2 * RTC_REGISTERS]; /* the last values that the program has read */
static uint64_t now, set;
static bool was_set, root;

/* Returns the number in a register, or -1 if it is none. */
static int number_of(uint8_t value, bool binary)
{
        if (binary)
                return value;
        return (value & 15) > 9 || value >> 4 > 9 ? -1 : (value >> 4) * 10 + (value & 15);
}

/* Returns whether the model, which is the calendar of the host, accepts the date. */
static bool expected(const uint8_t of[RTC_REGISTERS], uint64_t *seconds)
{
        const bool binary = of[STATUS_B] & 4, whole_day = of[STATUS_B] & 2;
        const int year = number_of(of[9], binary);
        int hour = number_of(whole_day ? of[4] : of[4] & 0x7f, binary);
        struct tm tm = {.tm_sec = number_of(of[0], binary),
                        .tm_min = number_of(of[2], binary),
                        .tm_mday = number_of(of[7], binary),
                        .tm_mon = number_of(of[8], binary) - 1,
                        .tm_year = year < 70 ? year + 100 : year};

        if (!whole_day && (hour < 1 || hour > 12))
                return false;
        if (!whole_day)
                hour = hour % 12 + (of[4] & 0x80 ? 12 : 0);
        tm.tm_hour = hour;

        const struct tm before = tm;

        if (year < 0 || tm.tm_year > 169)
                return false;
        *seconds = (uint64_t)timegm(&tm);
        return tm.tm_sec == before.tm_sec && tm.tm_min == before.tm_min &&
               tm.tm_hour == before.tm_hour && tm.tm_mday == before.tm_mday &&
               tm.tm_mon == before.tm_mon && tm.tm_year == before.tm_year;
}

static bool check(const uint8_t of[RTC_REGISTERS], uint64_t *seconds)
{
        uint64_t want = 0;
        const bool got = novart_rtc_seconds(of, seconds);

        require(got == expected(of, &want) && (!got || *seconds == want));
        return got;
}

/* Substitutes for the machine. Before each read of a port, a register may change. */
void nova_out8(uint16_t port, uint8_t value)
{
        require(port == (root ? 0x70 : 0x370) && value < RTC_REGISTERS);
        selected = value;
        now += ACCESS;
}

uint8_t nova_in8(uint16_t port)
{
        require(port == (root ? 0x71 : 0x371));
        now += ACCESS;
        if (left >= 2) {
                if (input[0] & 0x80)
                        reg[input[0] % RTC_REGISTERS] = input[1];
                input += 2;
                left -= 2;
        }
        memmove(reads, reads + 1, sizeof(reads) - 1);
        return reads[sizeof(reads) - 1] = reg[selected];
}

uint64_t nova_time_ns(void)
{
        return now;
}

void nova_time_set(uint64_t ns)
{
        require(!was_set);
        was_set = true;
        set = ns;
}

int nova_request(nova_crd_t crd, nova_sel_t to)
{
        require(root && crd == nova_crd_io(0x70, 1) && to == 0x70);
        return 0;
}

int nova_parent_ports(const char *device, unsigned index, uint16_t *first, uint16_t *last)
{
        require(!root && !strcmp(device, "rtc") && !index);
        *first = 0x370;
        *last = 0x371;
        return 0;
}

/* Reads the clock, whose registers change while the input lasts. A date that the program sets must
 * have been read twice, and not during an update. */
static void read_clock(void)
{
        static struct nova_start_page start;
        const uint8_t *const last = reads + RTC_REGISTERS;
        uint64_t seconds = 0;
        int error;

        nova_program.start = root ? NULL : &start;
        now = 1;
        was_set = false;
        error = nova_time_set_by_rtc();
        require((error == 0 || error == EIO) && was_set == !error);
        require(now <= PATIENCE + MOST_READS);
        if (error)
                return;
        require(!memcmp(reads, last, RTC_REGISTERS) && !(last[STATUS_A] & UPDATING));
        require(check(last, &seconds) && set == seconds * 1000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint64_t seconds;

        if (size < RTC_REGISTERS + 1)
                return 0;
        memcpy(reg, data + 1, RTC_REGISTERS);
        check(reg, &seconds);
        root = data[0] & 1;
        input = data + 1 + RTC_REGISTERS;
        left = size - 1 - RTC_REGISTERS;
        read_clock();
        return 0;
}
