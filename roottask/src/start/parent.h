/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of a child's start code to its parent. */
#ifndef NOVA_ROOTTASK_PARENT_H
#define NOVA_ROOTTASK_PARENT_H

#include "nova/abi/types.h"

/* Gets the program's own PD and first EC; must be the first request.
 * @return 0 or an errno value */
int novart_parent_begin(void);

/* Reports that the program handles its first thread's events from now on.
 * @return 0 or an errno value */
int novart_parent_events(void);

/* Reports to the parent the event that ended the program. */
struct nova_fault_report;
void novart_parent_fault(const struct nova_fault_report *report);

/* Reports to the parent that the program has ended. Returns only if the parent cannot be
 * reached. */
void novart_parent_exit(int status);

/* Writes text on the parent's console. @return 0 or an errno value */
int novart_parent_write(const char *text, size_t bytes);

/* Reads a line of the parent's console. @return number of bytes, 0 at the end, or -errno */
int novart_parent_read(char *text, size_t bytes);

#endif
