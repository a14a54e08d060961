/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from threads that may stop for good at any instruction, as handlers on a child's time do. */
#ifndef NOVA_ROOTTASK_LENT_H
#define NOVA_ROOTTASK_LENT_H

#include <stdbool.h>
#include <stddef.h>

/* True if text can be written without a lock of this program: nova_console_use() was not called. */
bool novart_console_needs_no_lock(void);

/* Writes one line without such a lock; in a child it uses the thread's UTCB. */
void novart_console_write_borrowed(const char *text, size_t bytes);

#endif
