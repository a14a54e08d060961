/* SPDX-License-Identifier: BSD-2-Clause */
/* Delegations of a program to itself. On each CPU, a local thread called mapper receives them in
 * its window and does nothing else. The reply to a page fault could also carry a page, but then the
 * runtime would not know when the page is mapped. With a mapper, the page is mapped when the call
 * returns. */
#ifndef NOVA_ROOTTASK_MAPPER_H
#define NOVA_ROOTTASK_MAPPER_H

#include "nova/abi/utcb.h"

/* Creates the lock, and sets the address of the UTCB of the first CPU's mapper.
 * @return 0 or an errno value */
int novart_mapper_start(nova_word_t utcb);

/* Makes the functions below use nova_thread_utcb() and nova_thread_cpu(), which need the main
 * thread's TLS. */
void novart_mapper_tls_ready(void);

/* Creates the mapper of a CPU, if it does not exist.
 * @return 0 or an errno value */
int novart_mapper_prepare(nova_word_t cpu);

/* Sends one delegate item to the caller's own PD. @p to: page number or selector; @p flags:
 * NOVA_ITEM_…. @return 0; ENOMEM: the kernel delegated nothing; or another errno value */
int novart_mapper_send(nova_crd_t crd, nova_sel_t to, nova_word_t flags);

/* Do the work of nova_request() and nova_self_map() for callers that have already called
 * novart_lock_touch_stack(). */
int novart_mapper_request(nova_crd_t crd, nova_sel_t to);
int novart_mapper_map(nova_word_t from_page, nova_word_t to_page, unsigned order, unsigned perms);

/* Entry point of mappers: an instruction that replies, with the UTCB's address as stack pointer. */
void novart_mapper_entry(void);

#endif
