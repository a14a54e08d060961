/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes a PC's devices with a driver that writes arbitrary values: 8259s, PIT, clock, 16550, reset
 * ports, local APIC, I/O APIC, ACPI. The devices must terminate, access only their own memory, and
 * set alarms in the future. */
#include <stdlib.h>
#include <string.h>

#include "novavmm/acpi.h"
#include "novavmm/bus.h"
#include "novavmm/ioapic.h"
#include "novavmm/lapic.h"
#include "novavmm/pic.h"
#include "novavmm/pit.h"
#include "novavmm/reset.h"
#include "novavmm/rtc.h"
#include "novavmm/uart.h"

#define EPOCH 1700000000

/* Maximum number of alarms in a row, each of which sets the next one. If there are more, the next
 * alarm will never be in the future. */
#define ROUNDS 1000

/* Bytes of input that a step uses. */
#define STEP_BYTES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The devices. Each is in an allocation of its own, so that an access past its end is detected. */
struct board {
        struct nova_pic *pic;
        struct nova_pit *pit;
        struct nova_rtc *rtc;
        struct nova_uart *uart;
        struct nova_lapic *lapic;
        struct nova_ioapic *ioapic;
        struct nova_reset *reset;
        struct nova_acpi *acpi;
        struct nova_bus bus; /* ports and memory: no address is in both */
};

static uint64_t now;

static uint64_t tell_time(void *context)
{
        (void)context;
        return now;
}

static bool accept(struct nova_lapic *lapic, const struct nova_apic_message *message)
{
        if (message->delivery <= NOVA_DELIVER_LOWEST)
                return nova_lapic_accept(lapic, message->vector, message->level);
        if (message->delivery == NOVA_DELIVER_INIT)
                nova_lapic_reset(lapic);
        return true;
}

static bool from_ioapic(void *context, const struct nova_apic_message *message)
{
        const struct board *const board = context;

        return nova_lapic_matches(board->lapic, message) && accept(board->lapic, message);
}

static void from_lapic(void *context, unsigned from, const struct nova_apic_message *message,
                       unsigned shorthand)
{
        const struct board *const board = context;

        if (from || shorthand > 3)
                abort();
        accept(board->lapic, message);
}

static void ended(void *context, uint8_t vector)
{
        const struct board *const board = context;

        nova_ioapic_end(board->ioapic, vector);
}

static void send(void *context, uint8_t byte)
{
        (void)context;
        (void)byte;
}

static bool allocate(struct board *board)
{
        return (board->pic = calloc(1, sizeof(*board->pic))) &&
               (board->pit = calloc(1, sizeof(*board->pit))) &&
               (board->rtc = calloc(1, sizeof(*board->rtc))) &&
               (board->uart = calloc(1, sizeof(*board->uart))) &&
               (board->lapic = calloc(1, sizeof(*board->lapic))) &&
               (board->ioapic = calloc(1, sizeof(*board->ioapic))) &&
               (board->reset = calloc(1, sizeof(*board->reset))) &&
               (board->acpi = calloc(1, sizeof(*board->acpi)));
}

static void release(const struct board *board)
{
        free(board->pic);
        free(board->pit);
        free(board->rtc);
        free(board->uart);
        free(board->lapic);
        free(board->ioapic);
        free(board->reset);
        free(board->acpi);
}

static void make(struct board *board)
{
        const struct nova_clock clock = {tell_time, NULL};
        const struct nova_line none = {0};

        now = 0;
        nova_pic_init(board->pic, &none);

        const struct nova_line irq = {nova_pic_set, board->pic, 0};
        const struct nova_line rtc_irq = {nova_pic_set, board->pic, 8};

        nova_pit_init(board->pit, &clock, &irq);
        nova_rtc_init(board->rtc, &clock, &rtc_irq, EPOCH);
        nova_uart_init(board->uart, &none, send, NULL);
        nova_uart_set_clock(board->uart, &clock);
        nova_lapic_init(board->lapic, 0, &clock, &none);
        board->lapic->send = from_lapic;
        board->lapic->ended = ended;
        board->lapic->context = board;
        nova_ioapic_init(board->ioapic, from_ioapic, board);
        nova_reset_init(board->reset, &none);
        nova_acpi_init(board->acpi, &clock, &none);
}

/* Connects the devices to the addresses that guests use. */
static bool connect(struct board *board)
{
        const struct nova_bus_range range[] = {
                {0x20, 0x21, nova_pic_read, nova_pic_write, board->pic},
                {0xa0, 0xa1, nova_pic_read, nova_pic_write, board->pic},
                {0x4d0, 0x4d1, nova_pic_read, nova_pic_write, board->pic},
                {0x40, 0x43, nova_pit_read, nova_pit_write, board->pit},
                {0x61, 0x61, nova_pit_read, nova_pit_write, board->pit},
                {0x70, 0x71, nova_rtc_read, nova_rtc_write, board->rtc},
                {0x3f8, 0x3ff, nova_uart_read, nova_uart_write, board->uart},
                {0x60, 0x60, nova_reset_read, nova_reset_write, board->reset},
                {0x64, 0x64, nova_reset_read, nova_reset_write, board->reset},
                {0x92, 0x92, nova_reset_read, nova_reset_write, board->reset},
                {0xcf9, 0xcf9, nova_reset_read, nova_reset_write, board->reset},
                {NOVA_ACPI_PORT, NOVA_ACPI_PORT + NOVA_ACPI_PORTS - 1, nova_acpi_read,
                 nova_acpi_write, board->acpi},
                {NOVA_LAPIC_AT, NOVA_LAPIC_AT + NOVA_LAPIC_BYTES - 1, nova_lapic_read,
                 nova_lapic_write, board->lapic},
                {NOVA_IOAPIC_AT, NOVA_IOAPIC_AT + NOVA_IOAPIC_BYTES - 1, nova_ioapic_read,
                 nova_ioapic_write, board->ioapic},
        };

        for (unsigned i = 0; i < sizeof(range) / sizeof(*range); i++)
                if (nova_bus_add(&board->bus, &range[i]))
                        return false;
        return true;
}

static void expire(struct nova_alarm *alarm)
{
        for (unsigned i = 0; alarm->deadline <= now; i++) {
                if (i == ROUNDS)
                        abort();
                alarm->deadline = NOVA_NEVER;
                alarm->expire(alarm->device, now);
        }
}

/* Performs an action of the world outside the guest. */
static void happen(const struct board *board, unsigned what, unsigned number, bool level)
{
        switch (what & 3) {
        case 0:
                nova_pic_set(board->pic, number % 16, level);
                nova_ioapic_set(board->ioapic, number % 24, level);
                break;
        case 1:
                nova_uart_receive(board->uart, (uint8_t)number);
                break;
        case 2: /* a pending interrupt must have a valid vector */
                if (nova_lapic_pending(board->lapic) && nova_lapic_take(board->lapic) < 16)
                        abort();
                break;
        default:
                if (nova_pic_pending(board->pic))
                        nova_pic_take(board->pic);
                break;
        }
}

/* Executes one step: may let time pass, then performs an access or an event outside the guest. */
static void step(const struct board *board, const uint8_t *in)
{
        const struct nova_bus *const bus = &board->bus;
        const unsigned number = in[0] & 0x1f, bytes = 1u << (in[1] & 3);
        uint64_t value = 0;

        memcpy(&value, in + 4, 4);
        if (in[0] & 0x80)
                now += value << (in[1] >> 5);
        value |= value << 32;
        if (number < bus->count) {
                const struct nova_bus_range *const range = &bus->range[number];
                const unsigned offset = in[2] | (unsigned)in[3] << 8;
                const uint64_t at = range->first + offset % (range->last - range->first + 1);

                if (in[0] & 0x40)
                        nova_bus_put(bus, at, bytes, value);
                else
                        nova_bus_get(bus, at, bytes);
        } else {
                happen(board, in[1], in[2], in[3] & 1);
        }
        expire(&board->pit->alarm);
        expire(&board->rtc->alarm);
        expire(&board->lapic->alarm);
        expire(&board->uart->alarm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct board board = {0};

        if (allocate(&board)) {
                make(&board);
                if (!connect(&board))
                        abort();
                for (size_t at = 0; at + STEP_BYTES <= size; at += STEP_BYTES)
                        step(&board, data + at);
        }
        release(&board);
        return 0;
}
