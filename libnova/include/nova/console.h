/* SPDX-License-Identifier: BSD-2-Clause */
/* For small roottasks: text on a 16550 serial port, and ending the run of an emulated machine. */
#ifndef NOVA_CONSOLE_H
#define NOVA_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "nova/root.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_CONSOLE_COM1 0x3f8
#define NOVA_EXIT_PORT    0xf4 /* QEMU's isa-debug-exit, as `nova run` sets it up */
#define NOVA_EXIT_MAX     127  /* the largest value that arrives */

/** A 16550 that the PD may use. */
struct nova_console {
        uint16_t port;
};

/**
 * Get the ports of COM1 and of nova_exit(), and set COM1 to 115200 baud, 8 bits, no parity.
 * @return false if the ports cannot be had
 */
bool nova_console_init(struct nova_console *console, struct nova_root *root);

/** Write one character; a line feed is preceded by a carriage return. */
void nova_console_put(struct nova_console *console, char c);

/** Take a character that has arrived. Does not wait. @return it, or -1 if there is none */
int nova_console_get(struct nova_console *console);

/** Write a text with values in it, as nova_vformat() understands it. */
__attribute__((format(printf, 2, 3))) void nova_printf(struct nova_console *console,
                                                       const char *format, ...);

/**
 * End the run: 0 says that all went well. For global threads.
 *
 * Needs the port that nova_console_init() asks for: without it the thread gets a #GP event. On a
 * machine that has no such port the thread sleeps for ever.
 * @param value up to NOVA_EXIT_MAX; a larger one counts as that
 */
__attribute__((noreturn)) void nova_exit(uint8_t value);

#ifdef __cplusplus
}
#endif

#endif
