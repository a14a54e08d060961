/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds and sends calls through the parent portal. */
#ifndef NOVART_CHILD_PARENT_CALL_H
#define NOVART_CHILD_PARENT_CALL_H

#include <stddef.h>

#include "nova/abi/utcb.h"
#include "novart/parent.h"

/* Begins a message in the caller's UTCB. */
struct nova_utcb *novart_parent_call_begin(enum nova_parent_operation operation);

/* Appends bytes in words; the bytes of a name end with a 0. Returns false if there is no room. */
bool novart_parent_call_put_bytes(struct nova_utcb *utcb, const void *bytes, size_t size);
bool novart_parent_call_put_name(struct nova_utcb *utcb, const char *name);

/* Sends the message. Capabilities in the answer arrive in the window; 0: there is none. Returns the
 * parent's answer: 0 or an errno value. */
int novart_parent_call_send(struct nova_utcb *utcb, nova_crd_t window);

/* Reserves addresses and calls `ask` until all pages have arrived there. `ask` requests the pages
 * from index `page` upwards; word 2 of the parent's answer is the number of pages that it sent.
 * Returns 0 or an errno value. */
int novart_parent_call_fetch(size_t bytes,
                             int (*ask)(void *context, size_t page, nova_crd_t window),
                             void *context, void **out);

/* Returns true if selector `sel` of the caller's space of type `type` has a capability. */
bool novart_parent_call_arrived(unsigned type, nova_sel_t sel);

#endif
