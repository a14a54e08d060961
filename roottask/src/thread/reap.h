/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends threads, and frees the resources of detached ones. */
#ifndef NOVA_ROOTTASK_REAP_H
#define NOVA_ROOTTASK_REAP_H

#include <stdbool.h>

struct nova_thread;

/* Counts a thread that is about to begin. */
void novart_thread_enter(void);

/* Counts a thread that ends, or that cannot begin.
 * @return false if no other thread is left: the caller must end the program, as POSIX demands */
bool novart_thread_leave(void);

/* Ends the calling thread, whose result is set. */
_Noreturn void novart_thread_end(struct nova_thread *self);

/* Frees the resources of detached threads that have ended. */
void novart_thread_reap(void);

#endif
