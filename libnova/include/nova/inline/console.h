/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of nova/console.h: output and input on a 16550. */
#ifndef NOVA_INLINE_CONSOLE_H
#define NOVA_INLINE_CONSOLE_H

#include "nova/console.h"

#include <stdarg.h>

#include "nova/arch/port.h"
#include "nova/format.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @cond INTERNAL */

/* Registers of a 16550, as offsets from its first port, and their bits. */
#define NOVA_UART_DATA           0
#define NOVA_UART_INTERRUPTS     1
#define NOVA_UART_FIFO           2
#define NOVA_UART_LINE           3
#define NOVA_UART_LINE_STATUS    5
#define NOVA_UART_FIFO_ON        0x01 /* without a reset, which would clear received input */
#define NOVA_UART_LINE_8N1       0x03
#define NOVA_UART_LINE_DIVISOR   0x80
#define NOVA_UART_STATUS_READY   0x01
#define NOVA_UART_STATUS_EMPTY   0x20
#define NOVA_UART_STATUS_ABSENT  0xff /* read from ports without a device */
#define NOVA_UART_DIVISOR_115200 1
#define NOVA_UART_SPIN_MAX       4000000 /* several seconds */
#define NOVA_UART_PORTS_ORDER    3

/** @endcond */

NOVA_LIBRARY void nova_console_use_port(struct nova_console *console, uint16_t port)
{
        console->port = port;
        console->last = 0;
        console->stuck = false;
        nova_out8(port + NOVA_UART_INTERRUPTS, 0);
        nova_out8(port + NOVA_UART_LINE, NOVA_UART_LINE_DIVISOR);
        nova_out8(port + NOVA_UART_DATA, NOVA_UART_DIVISOR_115200);
        nova_out8(port + NOVA_UART_INTERRUPTS, 0);
        nova_out8(port + NOVA_UART_LINE, NOVA_UART_LINE_8N1);
        nova_out8(port + NOVA_UART_FIFO, NOVA_UART_FIFO_ON);
}

NOVA_LIBRARY bool nova_console_init(struct nova_console *console, struct nova_root *root)
{
        if (!nova_root_ports(root, NOVA_CONSOLE_COM1, NOVA_UART_PORTS_ORDER) ||
            !nova_root_ports(root, NOVA_EXIT_PORT, 0))
                return false;
        nova_console_use_port(console, NOVA_CONSOLE_COM1);
        return true;
}

/** @cond INTERNAL */
/* Waits several seconds if the 16550 accepts no character. Afterwards, tries only once for each
 * character until the 16550 accepts one again. */
static inline void nova_console_send(struct nova_console *console, char c)
{
        unsigned tries = console->stuck ? 1 : NOVA_UART_SPIN_MAX;

        while (tries && !(nova_in8(console->port + NOVA_UART_LINE_STATUS) & NOVA_UART_STATUS_EMPTY))
                tries--;
        console->stuck = !tries;
        if (tries)
                nova_out8(console->port + NOVA_UART_DATA, (uint8_t)c);
}
/** @endcond */

NOVA_LIBRARY void nova_console_put(struct nova_console *console, char c)
{
        if (c == '\n' && console->last != '\r')
                nova_console_send(console, '\r');
        nova_console_send(console, c);
        console->last = c;
}

NOVA_LIBRARY int nova_console_get(struct nova_console *console)
{
        const uint8_t status = nova_in8(console->port + NOVA_UART_LINE_STATUS);

        if (status == NOVA_UART_STATUS_ABSENT || !(status & NOVA_UART_STATUS_READY))
                return -1;
        return nova_in8(console->port + NOVA_UART_DATA);
}

/** @cond INTERNAL */
static inline void nova_console_put_to(void *context, char c)
{
        nova_console_put((struct nova_console *)context, c);
}
/** @endcond */

NOVA_LIBRARY void nova_printf(struct nova_console *console, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        nova_vformat(nova_console_put_to, console, format, arguments);
        va_end(arguments);
}

#ifdef __cplusplus
}
#endif

#endif
