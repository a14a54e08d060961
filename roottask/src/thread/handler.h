/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers with more options than nova_handler_create() has. */
#ifndef NOVA_ROOTTASK_HANDLER_H
#define NOVA_ROOTTASK_HANDLER_H

#include "novart/thread.h"

/* Creates a handler like nova_handler_create(), with a stack of @p stack_bytes and its own event
 * base @p events (NOVA_SEL_NONE: no event portals). This is for handlers that serve the events of
 * other threads. */
int novart_handler_create(struct nova_handler **handler, nova_word_t cpu, const char *name,
                          nova_portal_handler *function, void *argument, size_t stack_bytes,
                          nova_sel_t events);

/* Limits the kernel memory that a message to a handler may charge to the program. Has no effect if
 * the kernel lacks such limits. */
void novart_handler_limit(struct nova_handler *handler, nova_word_t bytes);

/* Allocates the resources that novart_handler_end() needs, so that the latter cannot fail.
 * @return 0 or EAGAIN */
int novart_handler_prepare_end(struct nova_handler *handler);

/* Ends a handler after it has completed its call. Must be called once, by a thread on the handler's
 * CPU. */
void novart_handler_end(struct nova_handler *handler);

#endif
