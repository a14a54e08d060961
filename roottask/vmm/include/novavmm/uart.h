/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550 serial port with its interrupts. Transmission takes no time. */
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
        struct nova_line irq;           /**< interrupt line */
        void (*send)(void *context, uint8_t byte); /**< called for each byte of output */
        void *context;                             /**< context of send */
};

/** Initialises a serial port. @param irq interrupt line
 * @param send called for each byte of output, with @p context */
void nova_uart_init(struct nova_uart *uart, const struct nova_line *irq,
                    void (*send)(void *context, uint8_t byte), void *context);

/** Returns the free room for input in bytes. */
unsigned nova_uart_room(const struct nova_uart *uart);

/** Receives a byte. If the buffer is full, the byte is lost and the guest sees an overrun. */
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
