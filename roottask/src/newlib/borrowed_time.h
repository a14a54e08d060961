/* SPDX-License-Identifier: BSD-2-Clause */
/* Console output of threads that run on another program's time, such as handlers on a child's. Such
 * a thread may stop permanently at any instruction, so it must not hold a lock. */
#ifndef NOVA_ROOTTASK_BORROWED_TIME_H
#define NOVA_ROOTTASK_BORROWED_TIME_H

#include <stdbool.h>
#include <stddef.h>

/* Returns true if text can be written without a lock of this program, that is, if the program has
 * not called nova_console_use(). */
bool novart_console_needs_no_lock(void);

/* Passes text to the function of nova_console_keep(). Takes a lock: not for threads on another
 * program's time. */
void novart_console_keep_text(const char *text, size_t bytes);

/* Writes one line without a lock, on a new line of the console. In a child, the message overwrites
 * the thread's UTCB. */
void novart_console_write_borrowed(const char *text, size_t bytes);

#endif
