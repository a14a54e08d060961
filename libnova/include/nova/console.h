/* SPDX-License-Identifier: BSD-2-Clause */
/* For small roottasks: text on a 16550 serial port. */
#ifndef NOVA_CONSOLE_H
#define NOVA_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "nova/exit.h"
#include "nova/library.h"
#include "nova/root.h"

#ifdef __cplusplus
extern "C" {
#endif

/** First port of COM1. */
#define NOVA_CONSOLE_COM1 0x3f8

/** A 16550 that the PD may use. */
struct nova_console {
        uint16_t port; /**< its first I/O port */
        char last;     /**< the last character that was written */
};

/**
 * Set a 16550 whose eight ports the PD holds to 115200 baud, 8 bits, no parity, without interrupts.
 *
 * @param[out] console for the functions below
 * @param port         the first of the ports
 */
NOVA_LIBRARY void nova_console_use_port(struct nova_console *console, uint16_t port);

/**
 * Get the ports of COM1 and of nova_exit(), and set COM1 to 115200 baud, 8 bits, no parity.
 * @return false if the ports cannot be had
 */
NOVA_LIBRARY bool nova_console_init(struct nova_console *console, struct nova_root *root);

/** Write character @p c; before a line feed comes a carriage return, unless the program wrote one
 *  itself. */
NOVA_LIBRARY void nova_console_put(struct nova_console *console, char c);

/** Take a character that has arrived. Does not wait. @return it, or -1 if there is none */
NOVA_LIBRARY int nova_console_get(struct nova_console *console);

/** Write a text with values in it; @p format is as nova_vformat() understands it. */
__attribute__((format(printf, 2, 3))) NOVA_LIBRARY void nova_printf(struct nova_console *console,
                                                                    const char *format, ...);

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/console.h"
#endif

#endif
