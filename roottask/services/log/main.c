/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `log`: drives the 16550 of the device `serial`. It polls for output. Input needs the
 * device's interrupt. */
#include <stdio.h>
#include <string.h>

#include "nova/arch/port.h"
#include "nova/console.h"
#include "nova/hypercall.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "server.h"

#define DEVICE        "serial"
#define UART_IER      1    /* interrupt enable register */
#define UART_IER_DATA 0x01 /* interrupt when a character has arrived */
#define UART_LSR      5    /* line status register */
#define UART_MCR      4    /* modem control register */
#define UART_MCR_OUT2 0x0b /* data terminal ready, request to send, interrupts enabled */

#define UART_ABSENT 0xff /* read from ports without a device */

/* Number of keys after which the thread sleeps, which is the size of the UART's FIFO, and the time
 * in ns for which it sleeps. So a device that always reports a key leaves time to other threads. */
#define KEYS_MAX 16
#define REST_NS  1000000

/* Time in ns to wait until the parent has written its line; a line takes less. */
#define TURN_NS 1000000000

static struct nova_console uart;
static nova_sel_t interrupt;
static nova_sel_t turn; /* semaphore shared with the parent; or NOVA_SEL_NONE */

static void write_line(void *argument, const char *text, size_t bytes)
{
        if (turn != NOVA_SEL_NONE)
                nova_sm_down_until(turn, NOVA_SM_ZC, nova_deadline_in(TURN_NS));
        for (size_t i = 0; i < bytes; i++)
                nova_console_put((struct nova_console *)argument, text[i]);
        if (turn != NOVA_SEL_NONE)
                nova_sm_up(turn);
}

static void *read_keys(void *argument)
{
        unsigned count = 0;
        int key;

        (void)argument;
        nova_out8(uart.port + UART_IER, UART_IER_DATA);
        nova_out8(uart.port + UART_MCR, UART_MCR_OUT2);
        do {
                while ((key = nova_console_get(&uart)) >= 0) {
                        log_service_key((char)key);
                        if (++count % KEYS_MAX == 0)
                                nova_sleep(REST_NS);
                }
        } while (nova_sm_down(interrupt) == NOVA_SUCCESS);
        return NULL;
}

/* Starts keyboard input, which is optional and needs the device's interrupt. */
static void start_input(void)
{
        const struct nova_thread_attr attr = {.name = "keys", .cpu = nova_program.cpu};
        struct nova_thread *thread;
        uint32_t address, data;
        unsigned gsi;

        if (nova_in8(uart.port + UART_LSR) == UART_ABSENT) {
                printf("log: keyboard input is disabled: the machine has no UART at the ports of "
                       "the device '" DEVICE "'.\n");
                return;
        }
        interrupt = nova_sel_alloc(0);
        if (interrupt == NOVA_SEL_NONE || nova_parent_interrupt(DEVICE, 0, interrupt, &gsi) ||
            nova_assign_gsi(interrupt, 0, nova_program.cpu, &address, &data) != NOVA_SUCCESS ||
            nova_thread_create(&thread, &attr, read_keys, NULL))
                printf("log: keyboard input is disabled: the device '" DEVICE
                       "' has no interrupt.\n");
}

int main(void)
{
        uint16_t last;
        int error = nova_parent_ports(DEVICE, 0, &uart.port, &last);

        if (error) {
                printf("log: the ports of the device '" DEVICE "' are not available: %s; write "
                       "`devices serial` into the description.\n",
                       strerror(error));
                return 1;
        }
        turn = nova_sel_alloc(0);
        if (turn != NOVA_SEL_NONE && nova_parent_console(DEVICE, turn)) {
                nova_sel_free(turn, 0);
                turn = NOVA_SEL_NONE;
        }
        error = log_service_start(write_line, &uart);
        if (error) {
                printf("log: the service cannot start: %s.\n", strerror(error));
                return 1;
        }
        start_input();
        nova_service_sleep();
}
