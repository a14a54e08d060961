/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of start, in order, and the end of a program. */
#ifndef NOVA_ROOTTASK_START_H
#define NOVA_ROOTTASK_START_H

#include "novart/program.h"

/* Starts the program, on the start stack. @p page: the HIP or a start page. */
_Noreturn void novart_start_program(const void *page, nova_word_t cpu);

/* Calls @p function on an empty stack that ends at @p top, which is aligned to 16 bytes. */
_Noreturn void novart_start_on_stack(nova_word_t top, void (*function)(void));

/* Fills in nova_program except name, arguments and environment. Ends the program if the page is
 * invalid. */
void novart_program_read(const void *page, nova_word_t cpu);

/* Fills in name, arguments and environment. @return 0 or an errno value */
int novart_program_read_arguments(void);

/* Ends the program at once: a root ends the run, a child notifies its parent. */
_Noreturn void novart_program_end(int status);

/* Requests the exit port, and the serial line, to which a root writes text until nova_console_use()
 * sets another destination. */
void novart_serial_init(void);
bool novart_serial_present(void);
void novart_serial_write(const char *text, size_t bytes);
/* Creates the semaphore by which programs take turns at the serial line. One thread at a time may
 * call it. Returns 0, ENOMEM, or ENOSYS if the program is not a root. */
int novart_serial_turn(nova_sel_t *sel);
int novart_serial_read(char *text, size_t bytes);

#endif
