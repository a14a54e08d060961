/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's messages: kept in a ring, and on COM1 when the command line says "serial". */
#ifndef PLATFORM_CONSOLE_H
#define PLATFORM_CONSOLE_H

#include <stdarg.h>

#include "lib/types.h"

#define CONSOLE_RING 8192

/** The last CONSOLE_RING characters; console_written counts all, modulo 2^32. */
extern char console_ring[CONSOLE_RING];
extern uint32_t console_written;

/** Names the port of COM1, as the firmware's data area has it; 0: the usual one. */
void console_set_port(uint16_t port);

/** Sets COM1 up and prints what was said so far. */
void console_enable_serial(void);

/** Prints; format as in lib/printf.h. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The same without the lock, for the end of the kernel. */
void console_print_unlocked(const char *format, va_list arguments)
        __attribute__((format(printf, 1, 0)));

#endif
