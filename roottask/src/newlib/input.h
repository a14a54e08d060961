/* SPDX-License-Identifier: BSD-2-Clause */
/* The source of standard input. */
#ifndef NOVA_ROOTTASK_INPUT_H
#define NOVA_ROOTTASK_INPUT_H

#include <stdbool.h>

/* Returns true if nova_console_read() has a source: the serial line of a root, or a function of
 * nova_console_use(). */
bool novart_console_has_input(void);

#endif
