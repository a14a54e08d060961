/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's messages: kept in a ring, and on COM1 when the command line says "serial". */
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
