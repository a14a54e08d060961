/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's messages. */
#include "lib/console.h"

#include "arch/x86/insn.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/spinlock.h"

#define COM1_DEFAULT 0x3f8

/* Registers of a 16550, and the values that are written to them. */
#define UART_DATA       0
#define UART_INTERRUPTS 1
#define UART_FIFO       2
#define UART_LINE       3
#define UART_MODEM      4
#define UART_STATUS     5
#define LINE_8N1        0x03
#define LINE_DIVISOR    0x80
#define FIFO_ON         0x03 /* drops input for a boot loader, but not its output */
#define MODEM_DTR_RTS   0x03
#define STATUS_EMPTY    0x20
#define SPIN_MAX        100000 /* so that a port without a UART does not hang the kernel */

struct console_log console_log;

static struct spinlock lock = SPINLOCK(LOCK_CONSOLE); /* protects the ring and the UART */
static uint16_t com1 = COM1_DEFAULT;
static uint16_t uart; /* com1, or 0: not in use */

static void console_uart_put(char character)
{
        for (unsigned i = 0; i < SPIN_MAX && !(inb(uart + UART_STATUS) & STATUS_EMPTY); i++)
                pause();
        outb(uart + UART_DATA, (uint8_t)character);
}

static void console_serial_put(char character)
{
        if (character == '\n')
                console_uart_put('\r');
        console_uart_put(character);
}

static indirect_target void console_put(char character)
{
        const uint32_t written = console_log.head.written;

        console_log.ring[written % CONSOLE_RING] = character;
        atomic_store_u32(&console_log.head.written, written + 1); /* after the character */
        if (uart)
                console_serial_put(character);
}

void console_set_port(uint16_t port)
{
        /* without a BIOS, port can be any number */
        com1 = port == 0x2f8 || port == 0x3e8 || port == 0x2e8 ? port : COM1_DEFAULT;
}

void console_enable_serial(void)
{
        if (uart)
                return;
        uart = com1;
        outb(uart + UART_INTERRUPTS, 0);
        outb(uart + UART_LINE, LINE_DIVISOR);
        outb(uart + UART_DATA, 1); /* 115200 baud */
        outb(uart + UART_INTERRUPTS, 0);
        outb(uart + UART_LINE, LINE_8N1);
        outb(uart + UART_FIFO, FIFO_ON);
        outb(uart + UART_MODEM, MODEM_DTR_RTS);

        const uint32_t written = console_log.head.written;
        const uint32_t kept = written < CONSOLE_RING ? written : CONSOLE_RING;
        for (uint32_t i = written - kept; i != written; i++)
                console_serial_put(console_log.ring[i % CONSOLE_RING]);
}

void console_print_unlocked(const char *format, va_list arguments)
{
        print_format(console_put, format, arguments);
}

void console_print(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        spin_lock(&lock);
        print_format(console_put, format, arguments);
        spin_unlock(&lock);
        va_end(arguments);
}
