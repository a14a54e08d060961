/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's messages. A ring keeps them; COM1 shows them if the command line says "serial". */
#ifndef LIB_CONSOLE_H
#define LIB_CONSOLE_H

#include <stdarg.h>

#include "lib/types.h"
#include "nova/abi/hip.h"

#define CONSOLE_RING 8192

/** The last CONSOLE_RING characters, in pages of their own: the root PD can map them. */
struct console_log {
        struct nova_log head;
        char ring[CONSOLE_RING] __attribute__((aligned(NOVA_PAGE_SIZE)));
} __attribute__((aligned(NOVA_PAGE_SIZE)));

extern struct console_log console_log;

/** Sets the port of COM1 from the firmware's data area; 0: the usual port. */
void console_set_port(uint16_t port);

/** Initialises COM1 and prints all earlier messages. */
void console_enable_serial(void);

/** Prints a message; format as in lib/printf.h. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Prints a message without taking the lock, for the end of the kernel. */
void console_print_unlocked(const char *format, va_list arguments)
        __attribute__((format(printf, 1, 0)));

#endif
