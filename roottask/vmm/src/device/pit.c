/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 timer (see novavmm/pit.h); Intel's data sheet 231164. */
#include "novavmm/pit.h"

#include <string.h>

#define NS_PER_S 1000000000u

#define PORT_CONTROL 0x43
#define PORT_SPEAKER 0x61

#define ACCESS_LATCH 0
#define ACCESS_LOW   1
#define ACCESS_HIGH  2
#define READ_BACK    3 /* a command, in place of a channel's number */

/* Bits of a read-back command: do not latch the count, do not latch the status, channel 0. */
#define READ_BACK_NO_COUNT  0x20
#define READ_BACK_NO_STATUS 0x10
#define READ_BACK_CHANNEL   0x02

#define CONTROL_BCD 0x01 /* also in the status */
#define STATUS_OUT  0x80

/* Bits of port 0x61: gate of channel 2, speaker, a bit that changes, output of channel 2. */
#define SPEAKER_GATE   0x01
#define SPEAKER_ON     0x02
#define SPEAKER_TOGGLE 0x10
#define SPEAKER_OUT    0x20

static uint64_t ticks_of(uint64_t ns)
{
        return ns / NS_PER_S * NOVA_PIT_HZ + ns % NS_PER_S * NOVA_PIT_HZ / NS_PER_S;
}

/* Converts ticks to ns. Rounds up, so that the tick has occurred when the time is over. */
static uint64_t ns_of(uint64_t ticks)
{
        return ticks / NOVA_PIT_HZ * NS_PER_S +
               (ticks % NOVA_PIT_HZ * NS_PER_S + NOVA_PIT_HZ - 1) / NOVA_PIT_HZ;
}

static bool is_periodic(const struct nova_pit_channel *channel)
{
        return channel->mode == 2 || channel->mode == 3;
}

/* Returns true if a rise of the gate starts a counter, and the gate's level has no effect. */
static bool is_triggered(const struct nova_pit_channel *channel)
{
        return channel->mode == 1 || channel->mode == 5;
}

static uint64_t elapsed(const struct nova_pit_channel *channel, uint64_t now)
{
        const bool counts = is_triggered(channel) ? channel->triggered : channel->gate;

        if (!channel->count)
                return 0;
        return channel->held + (counts ? ticks_of(now - channel->start) : 0);
}

/* Returns the number of different values of a counter. */
static uint32_t values(const struct nova_pit_channel *channel)
{
        return channel->bcd ? 10000 : 0x10000;
}

/* Returns the number for which four digits, binary or decimal, stand. A decimal digit above nine
 * counts with its binary value. */
static uint32_t number_of(const struct nova_pit_channel *channel, uint16_t digits)
{
        if (!channel->bcd)
                return digits;
        return (digits >> 12) * 1000u + (digits >> 8 & 15) * 100u + (digits >> 4 & 15) * 10u +
               (digits & 15);
}

/* The reverse of number_of(). */
static uint16_t digits_of(const struct nova_pit_channel *channel, uint32_t number)
{
        if (!channel->bcd)
                return (uint16_t)number;
        return (uint16_t)(number / 1000 % 10 << 12 | number / 100 % 10 << 8 |
                          number / 10 % 10 << 4 | number % 10);
}

/* Returns the ticks of a square wave during which its output is high. */
static uint32_t high_ticks(uint32_t count)
{
        return (count + 1) / 2;
}

/* Returns the count in mode 3, which counts down by two in each half of the wave, from the initial
 * count or, if the initial count is odd, from the initial count minus one. */
static uint32_t square_wave(uint32_t count, uint64_t tick)
{
        const uint64_t in_half = tick < high_ticks(count) ? tick : tick - high_ticks(count);

        return (uint32_t)((count & ~1u) - 2 * in_half);
}

/* Makes a periodic counter count from its new count if the time of the change has come. If a square
 * wave changes at the end of its high half, the low half of the new wave follows. So the start of
 * the new wave lies in the past: one high half of the new wave before the change. */
static void settle(struct nova_pit_channel *channel, uint64_t now)
{
        if (!channel->next || now < channel->change)
                return;
        channel->count = channel->next;
        channel->start =
                channel->change - (channel->in_half ? ns_of(high_ticks(channel->next)) : 0);
        channel->next = 0;
}

static void settle_all(struct nova_pit *pit)
{
        const uint64_t now = nova_clock_now(&pit->clock);

        for (unsigned i = 0; i < 3; i++)
                settle(&pit->channel[i], now);
}

static uint16_t counter(const struct nova_pit_channel *channel, uint64_t now)
{
        const uint64_t ticks = elapsed(channel, now);
        uint32_t number = 0;

        if (channel->count && channel->mode == 3)
                number = square_wave(channel->count, ticks % channel->count);
        else if (channel->count && is_periodic(channel))
                number = (uint32_t)(channel->count - ticks % channel->count);
        else if (channel->count)
                number = (uint32_t)(channel->count + values(channel) - ticks % values(channel));
        return digits_of(channel, number);
}

static bool output(const struct nova_pit_channel *channel, uint64_t now)
{
        const uint64_t ticks = elapsed(channel, now);

        switch (channel->mode) {
        case 0:
                return channel->count && ticks >= channel->count;
        case 1:
                return !channel->triggered || ticks >= channel->count;
        case 2:
                return !channel->count || ticks % channel->count != channel->count - 1;
        case 3:
                return !channel->count || ticks % channel->count < high_ticks(channel->count);
        default:
                return !channel->count || ticks != channel->count;
        }
}

/* Returns true if a counter's output is high before the counter counts. */
static bool rests_high(const struct nova_pit_channel *channel)
{
        return channel->mode > 0;
}

/* Sets the alarm for the next interrupt of channel 0: the next rise of its output. Its gate is
 * always open and never rises, so it does not count in modes 1 and 5. */
static void set_alarm(struct nova_pit *pit, uint64_t now)
{
        const struct nova_pit_channel *const channel = &pit->channel[0];
        const uint64_t ticks = elapsed(channel, now);

        if (!channel->count || is_triggered(channel) || (channel->fired && !is_periodic(channel)))
                pit->alarm.deadline = NOVA_NEVER;
        else if (channel->next && channel->in_half)
                pit->alarm.deadline =
                        channel->change - ns_of(high_ticks(channel->next)) + ns_of(channel->next);
        else if (is_periodic(channel))
                pit->alarm.deadline =
                        channel->start + ns_of((ticks / channel->count + 1) * channel->count);
        else
                pit->alarm.deadline = channel->start + ns_of(channel->count);
}

/* Sends an edge to the interrupt controller. */
static void expire(void *context, uint64_t now)
{
        struct nova_pit *const pit = context;

        settle(&pit->channel[0], now);
        pit->channel[0].fired = true;
        if (rests_high(&pit->channel[0]))
                nova_line_set(&pit->out, false);
        nova_line_set(&pit->out, true);
        set_alarm(pit, now);
}

void nova_pit_init(struct nova_pit *pit, const struct nova_clock *clock,
                   const struct nova_line *out)
{
        memset(pit, 0, sizeof(*pit));
        pit->clock = *clock;
        pit->out = *out;
        pit->alarm.deadline = NOVA_NEVER;
        pit->alarm.expire = expire;
        pit->alarm.device = pit;
        for (unsigned i = 0; i < 3; i++) {
                pit->channel[i].access = 3;
                pit->channel[i].gate = i != 2;
        }
}

/* Stores the new count of a periodic counter that counts: it takes effect at the end of the period,
 * or of a half of the square wave. */
static void replace(struct nova_pit_channel *channel, uint32_t count, uint64_t now)
{
        const uint64_t tick = elapsed(channel, now) % channel->count;
        const uint64_t begin = elapsed(channel, now) - tick;

        channel->next = count;
        channel->in_half = channel->mode == 3 && tick < high_ticks(channel->count);
        channel->change =
                channel->start +
                ns_of(begin + (channel->in_half ? high_ticks(channel->count) : channel->count));
}

/* Stores a new count. A counter that counts may take it later. */
static void store(struct nova_pit_channel *channel, uint32_t count, uint64_t now)
{
        if (is_triggered(channel) && channel->triggered) {
                channel->next = count;
                channel->change = NOVA_NEVER;
                channel->in_half = false;
        } else if (channel->count && channel->gate && is_periodic(channel)) {
                replace(channel, count, now);
        } else {
                channel->count = count;
                channel->start = now;
                channel->held = 0;
                channel->fired = false;
        }
}

static void load(struct nova_pit *pit, struct nova_pit_channel *channel, uint16_t digits)
{
        const uint64_t now = nova_clock_now(&pit->clock);
        const uint32_t number = number_of(channel, digits);

        store(channel, number ? number : values(channel), now);
        if (channel == &pit->channel[0]) {
                nova_line_set(&pit->out, rests_high(channel));
                if (!channel->next ||
                    pit->alarm.deadline > now) /* a rise that is already due still happens */
                        set_alarm(pit, now);
        }
}

static void write_counter(struct nova_pit *pit, struct nova_pit_channel *channel, uint8_t value)
{
        if (channel->access == ACCESS_LOW) {
                load(pit, channel, value);
        } else if (channel->access == ACCESS_HIGH) {
                load(pit, channel, (uint16_t)(value << 8));
        } else if (!channel->high_written) {
                channel->low = value;
                channel->high_written = true;
        } else {
                channel->high_written = false;
                load(pit, channel, (uint16_t)(value << 8 | channel->low));
        }
}

static void latch(struct nova_pit_channel *channel, uint64_t now)
{
        if (channel->latched)
                return;
        channel->latch = counter(channel, now);
        channel->latched = true;
}

static void read_back(struct nova_pit *pit, uint8_t value)
{
        const uint64_t now = nova_clock_now(&pit->clock);

        for (unsigned i = 0; i < 3; i++) {
                struct nova_pit_channel *const channel = &pit->channel[i];

                if (!(value & READ_BACK_CHANNEL << i))
                        continue;
                if (!(value & READ_BACK_NO_COUNT))
                        latch(channel, now);
                if (!(value & READ_BACK_NO_STATUS) && !channel->status_latched) {
                        channel->status = (uint8_t)((output(channel, now) ? STATUS_OUT : 0) |
                                                    channel->access << 4 | channel->mode << 1 |
                                                    (channel->bcd ? CONTROL_BCD : 0));
                        channel->status_latched = true;
                }
        }
}

static void write_control(struct nova_pit *pit, uint8_t value)
{
        const unsigned number = value >> 6, access = value >> 4 & 3, mode = value >> 1 & 7;

        if (number == READ_BACK) {
                read_back(pit, value);
                return;
        }

        struct nova_pit_channel *const channel = &pit->channel[number];

        if (access == ACCESS_LATCH) {
                latch(channel, nova_clock_now(&pit->clock));
                return;
        }
        channel->access = (uint8_t)access;
        channel->mode = (uint8_t)(mode > 5 ? mode - 4 : mode);
        channel->high_written = channel->high_read = false;
        channel->latched = channel->status_latched = false;
        channel->bcd = value & CONTROL_BCD;
        channel->count = channel->next = 0;
        channel->held = 0;
        channel->triggered = false;
        if (number == 0) {
                pit->alarm.deadline = NOVA_NEVER;
                nova_line_set(&pit->out, rests_high(channel));
        }
}

static uint8_t read_counter(struct nova_pit *pit, struct nova_pit_channel *channel)
{
        if (channel->status_latched) {
                channel->status_latched = false;
                return channel->status;
        }

        const uint16_t value =
                channel->latched ? channel->latch : counter(channel, nova_clock_now(&pit->clock));
        const bool both = channel->access == 3;
        const bool high = both ? channel->high_read : channel->access == ACCESS_HIGH;

        channel->high_read = both && !high;
        if (!both || high)
                channel->latched = false;
        return (uint8_t)(high ? value >> 8 : value);
}

static uint8_t read_speaker(const struct nova_pit *pit)
{
        const uint64_t now = nova_clock_now(&pit->clock);
        const struct nova_pit_channel *const channel = &pit->channel[2];

        return (uint8_t)((channel->gate ? SPEAKER_GATE : 0) | (pit->speaker ? SPEAKER_ON : 0) |
                         (now >> 14 & 1 ? SPEAKER_TOGGLE : 0) |
                         (output(channel, now) ? SPEAKER_OUT : 0));
}

static void open_gate(struct nova_pit_channel *channel, uint64_t now)
{
        channel->gate = true;
        channel->start = now;
        if (!is_triggered(channel))
                return;
        if (channel->next)
                channel->count = channel->next;
        channel->next = 0;
        channel->triggered = channel->count;
}

/* Modes 0 and 4 continue from the present count when the gate opens. The periodic modes begin with
 * the new count, or with the initial one. */
static void close_gate(struct nova_pit_channel *channel, uint64_t now)
{
        if (channel->mode == 0 || channel->mode == 4)
                channel->held = elapsed(channel, now);
        if (channel->next && is_periodic(channel)) {
                channel->count = channel->next;
                channel->next = 0;
        }
        channel->gate = false;
}

static void write_speaker(struct nova_pit *pit, uint8_t value)
{
        const uint64_t now = nova_clock_now(&pit->clock);
        struct nova_pit_channel *const channel = &pit->channel[2];
        const bool gate = value & SPEAKER_GATE;

        if (gate && !channel->gate)
                open_gate(channel, now);
        else if (!gate && channel->gate)
                close_gate(channel, now);
        pit->speaker = value & SPEAKER_ON;
}

uint64_t nova_pit_read(void *context, uint64_t port, unsigned bytes)
{
        struct nova_pit *const pit = context;

        (void)bytes;
        settle_all(pit);
        if (port == PORT_SPEAKER)
                return read_speaker(pit);
        return (port & 3) == 3 ? 0xff : read_counter(pit, &pit->channel[port & 3]);
}

void nova_pit_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_pit *const pit = context;

        (void)bytes;
        settle_all(pit);
        if (port == PORT_SPEAKER)
                write_speaker(pit, (uint8_t)value);
        else if (port == PORT_CONTROL)
                write_control(pit, (uint8_t)value);
        else
                write_counter(pit, &pit->channel[port & 3], (uint8_t)value);
}
