/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial line as a console (see terminal.h). init writes to the same line. */
#include "terminal.h"

#include <nova/arch/port.h>
#include <nova/console.h>
#include <nova/extension.h>
#include <nova/hypercall.h>
#include <novart/console.h>
#include <novart/parent.h>
#include <novart/program.h>
#include <novart/selector.h>
#include <novart/time.h>

#define UART_IER      1    /* interrupt enable register */
#define UART_IER_DATA 0x01 /* interrupt when a character has arrived */
#define UART_MCR      4    /* modem control register */
#define UART_MCR_OUT2 0x0b /* data terminal ready, request to send, interrupts pass */

#define PATIENCE_NS 1000000000 /* other programs may hold the line at most this long */

static struct nova_console uart;
static nova_sel_t interrupt, turn;

static int write_text(void *context, const char *text, size_t bytes)
{
        const uint64_t deadline = nova_tsc_of_ns(nova_time_ns() + PATIENCE_NS);

        (void)context;
        nova_sm_down_until(turn, NOVA_SM_ZC, deadline);
        for (size_t i = 0; i < bytes; i++)
                nova_console_put(&uart, text[i]);
        nova_sm_up(turn);
        return 0;
}

/* Waits for a key and returns it as the text. */
static int read_key(void *context, char *text, size_t bytes)
{
        int key;

        (void)context;
        (void)bytes;
        while ((key = nova_console_get(&uart)) < 0)
                if (nova_sm_down(interrupt) != NOVA_SUCCESS)
                        return 0;
        *text = (char)key;
        return 1;
}

void terminal_use(void)
{
        static const struct nova_console_output output = {write_text, read_key, NULL};
        uint16_t last;
        uint32_t address, data;
        unsigned gsi;

        interrupt = nova_sel_alloc(0);
        turn = nova_sel_alloc(0);
        if (nova_parent_ports("serial", 0, &uart.port, &last) ||
            nova_parent_interrupt("serial", 0, interrupt, &gsi) ||
            nova_parent_console("serial", turn) ||
            nova_assign_gsi(interrupt, 0, nova_program.cpu, &address, &data) != NOVA_SUCCESS)
                return;
        nova_out8(uart.port + UART_IER, UART_IER_DATA);
        nova_out8(uart.port + UART_MCR, UART_MCR_OUT2);
        nova_console_use(&output);
}
