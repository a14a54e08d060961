/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial port: text out, characters in. */
#include "nova/console.h"

#include <stdarg.h>

#include "nova/arch/port.h"
#include "nova/format.h"

/* Registers of a 16550, as offsets from its first port, and their bits. */
#define UART_DATA           0
#define UART_INTERRUPTS     1
#define UART_FIFO           2
#define UART_LINE           3
#define UART_LINE_STATUS    5
#define UART_FIFO_ON        0x07
#define UART_LINE_8N1       0x03
#define UART_LINE_DIVISOR   0x80
#define UART_STATUS_READY   0x01
#define UART_STATUS_EMPTY   0x20
#define UART_DIVISOR_115200 1
#define UART_PORTS_ORDER    3

bool nova_console_init(struct nova_console *console, struct nova_root *root)
{
        const uint16_t port = NOVA_CONSOLE_COM1;

        if (!nova_root_ports(root, port, UART_PORTS_ORDER) ||
            !nova_root_ports(root, NOVA_EXIT_PORT, 0))
                return false;

        console->port = port;
        nova_out8(port + UART_INTERRUPTS, 0);
        nova_out8(port + UART_LINE, UART_LINE_DIVISOR);
        nova_out8(port + UART_DATA, UART_DIVISOR_115200);
        nova_out8(port + UART_INTERRUPTS, 0);
        nova_out8(port + UART_LINE, UART_LINE_8N1);
        nova_out8(port + UART_FIFO, UART_FIFO_ON);
        return true;
}

static void send(uint16_t port, char c)
{
        while (!(nova_in8(port + UART_LINE_STATUS) & UART_STATUS_EMPTY))
                continue;
        nova_out8(port + UART_DATA, (uint8_t)c);
}

void nova_console_put(struct nova_console *console, char c)
{
        if (c == '\n')
                send(console->port, '\r');
        send(console->port, c);
}

int nova_console_get(struct nova_console *console)
{
        if (!(nova_in8(console->port + UART_LINE_STATUS) & UART_STATUS_READY))
                return -1;
        return nova_in8(console->port + UART_DATA);
}

static void put(void *context, char c)
{
        nova_console_put((struct nova_console *)context, c);
}

void nova_printf(struct nova_console *console, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        nova_vformat(put, console, format, arguments);
        va_end(arguments);
}
