/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers with more choice than nova_handler_create() gives. */
#ifndef NOVA_ROOTTASK_HANDLER_H
#define NOVA_ROOTTASK_HANDLER_H

#include "novart/thread.h"

/* As nova_handler_create(), with a stack of @p stack_bytes and events of its own: for those who
 * serve the events of the others. @p events: NOVA_SEL_NONE if nobody is there for them. */
int novart_handler_create(struct nova_handler **handler, nova_word_t cpu, const char *name,
                          nova_portal_handler *function, void *argument, size_t stack_bytes,
                          nova_sel_t events);

/* Limits what a message to a handler may cost the program in kernel memory. A kernel without such
 * limits does nothing. */
void novart_handler_limit(struct nova_handler *handler, nova_word_t bytes);

/* Makes what novart_handler_end() needs, which takes nothing then and cannot fail. @return 0 or
 * EAGAIN */
int novart_handler_prepare_end(struct nova_handler *handler);

/* Ends a handler when it comes out of its call. By a thread of its CPU, once. */
void novart_handler_end(struct nova_handler *handler);

/* Takes back what a handler had that has ended; or ends one to which no portal is left, and that
 * nobody calls through one that was: its own capability is the last. Unlike nova_handler_destroy()
 * it takes nothing and cannot fail, so it is for those who find too little memory half-way. */
void novart_handler_discard(struct nova_handler *handler);

#endif
