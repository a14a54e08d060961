/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550 serial port (see novavmm/uart.h); National Semiconductor's data sheet PC16550D. */
#include "novavmm/uart.h"

#include <string.h>

/* Registers. The first two access the divisor while the highest bit of FORMAT is set. */
#define DATA         0
#define ENABLE       1
#define IDENTIFY     2 /* when written: FIFO control */
#define FORMAT       3
#define MODEM        4
#define LINE_STATUS  5
#define MODEM_STATUS 6
#define SCRATCH      7

#define FORMAT_DIVISOR 0x80

#define ENABLE_INPUT  0x01
#define ENABLE_SENT   0x02
#define ENABLE_STATUS 0x04

#define FIFO_ON    0x01
#define FIFO_CLEAR 0x02
#define FIFO_KEEPS 0xc9 /* bits that the register keeps */

#define MODEM_LOOP 0x10
#define MODEM_OUT2 0x08 /* enables interrupts in a PC */

#define STATUS_INPUT   0x01
#define STATUS_OVERRUN 0x02
#define STATUS_IDLE    0x60

/* Causes, by priority. */
#define CAUSE_NONE   0x01
#define CAUSE_SENT   0x02
#define CAUSE_INPUT  0x04
#define CAUSE_STATUS 0x06
#define CAUSE_FIFO   0xc0

/* Time of four characters of ten bits at the highest rate, in ns, and the largest divisor that
 * makes it longer, which is that of 9600 baud. */
#define PAUSE_NS    347222u
#define DIVISOR_MAX 12u

static uint8_t cause(const struct nova_uart *uart)
{
        if (uart->enabled & ENABLE_STATUS && uart->overrun)
                return CAUSE_STATUS;
        if (uart->enabled & ENABLE_INPUT && uart->count && !uart->quiet)
                return CAUSE_INPUT;
        if (uart->enabled & ENABLE_SENT && uart->sent)
                return CAUSE_SENT;
        return CAUSE_NONE;
}

static void update(struct nova_uart *uart)
{
        nova_line_set(&uart->irq, cause(uart) != CAUSE_NONE && uart->modem & MODEM_OUT2);
}

static void expire(void *device, uint64_t now)
{
        struct nova_uart *const uart = device;

        (void)now;
        uart->quiet = false;
        update(uart);
}

void nova_uart_init(struct nova_uart *uart, const struct nova_line *irq,
                    void (*send)(void *context, uint8_t byte), void *context)
{
        memset(uart, 0, sizeof(*uart));
        uart->irq = *irq;
        uart->send = send;
        uart->context = context;
        uart->alarm = (struct nova_alarm){NOVA_NEVER, expire, uart};
}

void nova_uart_set_clock(struct nova_uart *uart, const struct nova_clock *clock)
{
        uart->clock = *clock;
}

static unsigned capacity(const struct nova_uart *uart)
{
        return uart->fifo & FIFO_ON ? NOVA_UART_INPUT : 1;
}

unsigned nova_uart_room(const struct nova_uart *uart)
{
        return uart->modem & MODEM_LOOP ? 0 : capacity(uart) - uart->count;
}

void nova_uart_receive(struct nova_uart *uart, uint8_t byte)
{
        if (uart->count == capacity(uart))
                uart->overrun = true;
        else
                uart->input[(uart->first + uart->count++) % NOVA_UART_INPUT] = byte;
        update(uart);
}

/* Returns the time for which bytes that are left raise no interrupt. */
static uint64_t pause(const struct nova_uart *uart)
{
        const unsigned divisor = uart->divisor[0] | (unsigned)uart->divisor[1] << 8;

        /* A divisor of 0 counts as 65536. */
        return PAUSE_NS * (divisor && divisor < DIVISOR_MAX ? divisor : DIVISOR_MAX);
}

/* Ends the interrupt for input after a byte was read, until another one is due for the bytes that
 * are left. The line falls meanwhile. Otherwise a driver that reads one byte for each edge would
 * get no further interrupt. */
static void calm(struct nova_uart *uart)
{
        uart->quiet = uart->count && uart->clock.now;
        uart->alarm.deadline =
                uart->quiet ? nova_clock_now(&uart->clock) + pause(uart) : NOVA_NEVER;
}

static void empty(struct nova_uart *uart)
{
        uart->first = uart->count = 0;
        calm(uart);
}

static uint8_t take_input(struct nova_uart *uart)
{
        if (!uart->count)
                return 0;

        const uint8_t byte = uart->input[uart->first];

        uart->first = (uart->first + 1) % NOVA_UART_INPUT;
        uart->count--;
        calm(uart);
        return byte;
}

static void send(struct nova_uart *uart, uint8_t byte)
{
        uart->sent = true;
        if (uart->modem & MODEM_LOOP)
                nova_uart_receive(uart, byte);
        else if (uart->send)
                uart->send(uart->context, byte);
}

static uint8_t identify(struct nova_uart *uart)
{
        const uint8_t now = cause(uart);

        if (now == CAUSE_SENT)
                uart->sent = false;
        return (uint8_t)(now | (uart->fifo & FIFO_ON ? CAUSE_FIFO : 0));
}

static uint8_t line_status(struct nova_uart *uart)
{
        const uint8_t status = (uint8_t)(STATUS_IDLE | (uart->count ? STATUS_INPUT : 0) |
                                         (uart->overrun ? STATUS_OVERRUN : 0));

        uart->overrun = false;
        return status;
}

/* Returns the modem status: a connected peer. In loop mode, the outputs are connected to the
 * inputs. */
static uint8_t modem_status(const struct nova_uart *uart)
{
        const uint8_t out = uart->modem;

        if (!(out & MODEM_LOOP))
                return 0xb0;
        return (uint8_t)((out & 0x02) << 3 | (out & 0x01) << 5 | (out & 0x0c) << 4);
}

static uint8_t read_register(struct nova_uart *uart, unsigned number)
{
        const bool divisor = uart->format & FORMAT_DIVISOR;

        switch (number) {
        case DATA:
                return divisor ? uart->divisor[0] : take_input(uart);
        case ENABLE:
                return divisor ? uart->divisor[1] : uart->enabled;
        case IDENTIFY:
                return identify(uart);
        case FORMAT:
                return uart->format;
        case MODEM:
                return uart->modem;
        case LINE_STATUS:
                return line_status(uart);
        case MODEM_STATUS:
                return modem_status(uart);
        default:
                return uart->scratch;
        }
}

uint64_t nova_uart_read(void *context, uint64_t port, unsigned bytes)
{
        struct nova_uart *const uart = context;
        const uint8_t value = read_register(uart, port & 7);

        (void)bytes;
        update(uart);
        return value;
}

static void write_enable(struct nova_uart *uart, uint8_t value)
{
        /* Enabling the THRE interrupt while the transmitter is empty raises it at once. */
        if (value & ENABLE_SENT && !(uart->enabled & ENABLE_SENT))
                uart->sent = true;
        uart->enabled = value & 0xf;
}

static void write_fifo(struct nova_uart *uart, uint8_t value)
{
        if (value & FIFO_CLEAR || uart->fifo & ~value & FIFO_ON)
                empty(uart);
        uart->fifo = value & FIFO_KEEPS;
}

void nova_uart_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_uart *const uart = context;
        const uint8_t byte = (uint8_t)value;
        const bool divisor = uart->format & FORMAT_DIVISOR;

        (void)bytes;
        switch (port & 7) {
        case DATA:
                if (divisor)
                        uart->divisor[0] = byte;
                else
                        send(uart, byte);
                break;
        case ENABLE:
                if (divisor)
                        uart->divisor[1] = byte;
                else
                        write_enable(uart, byte);
                break;
        case IDENTIFY:
                write_fifo(uart, byte);
                break;
        case FORMAT:
                uart->format = byte;
                break;
        case MODEM:
                uart->modem = byte & 0x1f;
                break;
        case SCRATCH:
                uart->scratch = byte;
                break;
        default:
                break;
        }
        update(uart);
}
