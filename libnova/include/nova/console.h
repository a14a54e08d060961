/* SPDX-License-Identifier: BSD-2-Clause */
/* Text on a 16550 serial port, for small roottasks. */
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

/** A 16550 whose ports the PD holds. */
struct nova_console {
        uint16_t port; /**< its first I/O port */
        char last;     /**< the last character written */
        bool stuck;    /**< it accepted no character at the last attempt; initially false */
};

/**
 * Configures a 16550 whose eight ports the PD holds: 115200 baud, 8 bits, no parity, no interrupts.
 *
 * @param[out] console the console, for the functions below
 * @param port         the first of the ports
 */
NOVA_LIBRARY void nova_console_use_port(struct nova_console *console, uint16_t port);

/**
 * Requests the ports that COM1 and nova_exit() need. Configures COM1 for 115200 baud, 8 bits, no
 * parity.
 * @code
 * if (nova_root_init(&root, hip, cpu) == NOVA_SUCCESS && nova_console_init(&console, &root))
 *         nova_printf(&console, "%u CPUs\n", nova_hip_cpu_count(hip));
 * @endcode
 * @return false if the PD cannot get the ports
 */
NOVA_LIBRARY bool nova_console_init(struct nova_console *console, struct nova_root *root);

/** Writes character @p c. Writes a carriage return before a line feed unless the program just wrote
 * one. The character is lost if the 16550 is absent or accepts no character for several seconds. */
NOVA_LIBRARY void nova_console_put(struct nova_console *console, char c);

/** Reads a character that has arrived. Does not wait. @return the character; -1 if no character has
 * arrived or the 16550 is absent */
NOVA_LIBRARY int nova_console_get(struct nova_console *console);

/** Writes a formatted text; nova_vformat() describes @p format. */
__attribute__((format(printf, 2, 3))) NOVA_LIBRARY void nova_printf(struct nova_console *console,
                                                                    const char *format, ...);

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/console.h"
#endif

#endif
