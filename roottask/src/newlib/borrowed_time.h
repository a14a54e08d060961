/* SPDX-License-Identifier: BSD-2-Clause */
/* Console output of threads that run on borrowed time, as handlers do on a child's: such a thread
 * may stop for good at any instruction, so it must hold no lock. */
#ifndef NOVA_ROOTTASK_BORROWED_TIME_H
#define NOVA_ROOTTASK_BORROWED_TIME_H

#include <stdbool.h>
#include <stddef.h>

/* True if text can be written without a lock of this program: nova_console_use() was not called. */
bool novart_console_needs_no_lock(void);

/* Writes one line without such a lock; in a child this uses the thread's UTCB. */
void novart_console_write_borrowed(const char *text, size_t bytes);

#endif
