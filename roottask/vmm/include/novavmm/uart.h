/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550 serial port with its interrupts. Transmission takes no time. While the FIFO is off, the
 * port holds one byte of input, as a 16450 does. */
#ifndef NOVAVMM_UART_H
#define NOVAVMM_UART_H

#include "novavmm/line.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of the input buffer in bytes. */
#define NOVA_UART_INPUT 64

/** A serial port. */
struct nova_uart {
        uint8_t enabled;                /**< interrupt enable register */
        uint8_t fifo;                   /**< FIFO control register */
        uint8_t format;                 /**< line control register */
        uint8_t modem;                  /**< modem control register */
        uint8_t scratch;                /**< scratch register */
        uint8_t divisor[2];             /**< divisor latch, low half first */
        bool sent;                      /**< a "transmitter empty" interrupt is pending */
        bool overrun;                   /**< input was lost */
        unsigned first, count;          /**< index of the first byte and number of bytes in input */
        uint8_t input[NOVA_UART_INPUT]; /**< ring buffer of input for the guest */
        bool quiet;                     /**< input raises no interrupt until the alarm */
        struct nova_line irq;           /**< interrupt line */
        struct nova_clock clock;        /**< clock of the alarm; none if its function is NULL */
        struct nova_alarm alarm;        /**< end of `quiet` */
        void (*send)(void *context, uint8_t byte); /**< called for each byte of output */
        void *context;                             /**< context of send */
};

/** Initialises a serial port. @param irq interrupt line
 * @param send called for each byte of output, with @p context */
void nova_uart_init(struct nova_uart *uart, const struct nova_line *irq,
                    void (*send)(void *context, uint8_t byte), void *context);

/**
 * Gives the port a clock. After the guest has read a byte, the interrupt for the bytes that are
 * left begins again after the time of four characters. So each of them causes an edge, and a driver
 * that reads one byte per interrupt gets all of them. Without a clock, the interrupt stays until
 * the guest has read all bytes. The caller adds the field @c alarm to its machine.
 * @code
 * extern struct nova_vm vm;
 * extern struct nova_uart uart; // after nova_uart_init()
 *
 * nova_uart_set_clock(&uart, &vm.clock);
 * nova_vm_add_alarm(&vm, &uart.alarm);
 * @endcode
 */
void nova_uart_set_clock(struct nova_uart *uart, const struct nova_clock *clock);

/** Returns the free room for input in bytes. In loop mode there is none, because the input is not
 * connected. */
unsigned nova_uart_room(const struct nova_uart *uart);

/** Receives a byte. Without room, the byte is lost and the guest sees an overrun. In loop mode, the
 * byte is received like one of the guest. */
void nova_uart_receive(struct nova_uart *uart, uint8_t byte);

/** Reads @p bytes (1, 2, 4 or 8) at @p port, whose low three bits select the register. The function
 * suits struct nova_bus_range; @p context is the struct nova_uart. @return the device's value */
uint64_t nova_uart_read(void *context, uint64_t port, unsigned bytes);
/** Writes @p bytes of @p value at @p port; @p context as for nova_uart_read(). */
void nova_uart_write(void *context, uint64_t port, unsigned bytes, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
