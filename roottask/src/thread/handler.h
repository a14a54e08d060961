/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers with more options than nova_handler_create() has. */
#ifndef NOVA_ROOTTASK_HANDLER_H
#define NOVA_ROOTTASK_HANDLER_H

#include "novart/thread.h"

/* Creates a handler like nova_handler_create(), with a stack of @p stack_bytes and events of its
 * own: for handlers that serve the events of other threads. @p events: NOVA_SEL_NONE for no
 * portals. */
int novart_handler_create(struct nova_handler **handler, nova_word_t cpu, const char *name,
                          nova_portal_handler *function, void *argument, size_t stack_bytes,
                          nova_sel_t events);

/* Limits what a message to a handler may cost the program in kernel memory. A kernel without such
 * limits does nothing. */
void novart_handler_limit(struct nova_handler *handler, nova_word_t bytes);

/* Creates the resources of novart_handler_end(), which then needs none and cannot fail.
 * @return 0 or EAGAIN */
int novart_handler_prepare_end(struct nova_handler *handler);

/* Ends a handler when it has completed its call. Must be called once, by a thread of its CPU. */
void novart_handler_end(struct nova_handler *handler);

/* Frees the resources of a handler that has ended. Also ends a handler without portals that no
 * thread calls through a former portal: its own capability is the last. Unlike
 * nova_handler_destroy() it needs no resources and cannot fail, so it is for callers that ran out
 * of memory half-way. */
void novart_handler_discard(struct nova_handler *handler);

#endif
