/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of the event handler. */
#ifndef NOVA_ROOTTASK_FAULT_H
#define NOVA_ROOTTASK_FAULT_H

#include <stdbool.h>

#include "novart/fault.h"

struct nova_thread;

/* Serves the event portals of a CPU, whose number is the argument. */
void novart_fault_handle(nova_sel_t portal, struct nova_utcb *utcb, void *argument);

/* Serves the events that a root's handler novart_fault_handle() itself raises. */
void novart_fault_handle_own(nova_sel_t portal, struct nova_utcb *utcb, void *argument);

/* Copies a name into a field of a report. */
void novart_fault_copy_name(char to[NOVA_FAULT_NAME], const char *from);

/* Fills in all fields of a report except its reason and the program's name. */
void novart_fault_collect(struct nova_fault_report *report, const struct nova_utcb_state *state,
                          unsigned event, nova_word_t cpu);

/* Returns the symbols of a root's own ELF file, or NULL. For one thread at a time. */
const struct nova_symbols *novart_fault_own_symbols(void);

/* Releases the lock of reports if the event handler of this CPU crashed while it printed. */
void novart_fault_print_abandon(nova_word_t cpu);

/* Prints a report under the lock. @p symbols is called when no other CPU prints. */
void novart_fault_print(const struct nova_fault_report *report,
                        const struct nova_symbols *(*symbols)(void));

/* Returns the thread that serves the events of a CPU. */
const struct nova_thread *novart_fault_handler_of(nova_word_t cpu);

#endif
