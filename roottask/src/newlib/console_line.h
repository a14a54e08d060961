/* SPDX-License-Identifier: BSD-2-Clause */
/* Console output of the runtime itself, which must not continue a line of the program. */
#ifndef NOVA_ROOTTASK_CONSOLE_LINE_H
#define NOVA_ROOTTASK_CONSOLE_LINE_H

#include <stddef.h>

/* Writes one line, as nova_console_write() does. If the program's last text has no line feed at its
 * end, writes a line feed first. */
int novart_console_write_line(const char *text, size_t bytes);

#endif
