/* SPDX-License-Identifier: BSD-2-Clause */
/* The way on which a program delegates to itself: a local thread on each CPU that does nothing but
 * hold a window open. A page fault's reply could carry a page, too, but nobody would know when it
 * has arrived; this call is over when the page is there. */
#ifndef NOVA_ROOTTASK_MAPPER_H
#define NOVA_ROOTTASK_MAPPER_H

#include "nova/abi/utcb.h"

/* Prepares the lock, and an address for the UTCB of the first CPU's mapper.
 * @return 0 or an errno value */
int novart_mapper_start(nova_word_t utcb);

/* From now on nova_thread_utcb() and nova_thread_cpu() can be asked. */
void novart_mapper_tls_ready(void);

/* Makes the mapper of a CPU, if it has none. @return 0 or an errno value */
int novart_mapper_prepare(nova_word_t cpu);

/* Sends one delegate item to the caller's own PD.
 * @p to: page number or selector; @p flags: NOVA_ITEM_…. @return 0, or ENOMEM if nothing came */
int novart_mapper_send(nova_crd_t crd, nova_sel_t to, nova_word_t flags);

/* As nova_request() and nova_self_map(), for those who have touched their stack. */
int novart_mapper_request(nova_crd_t crd, nova_sel_t to);
int novart_mapper_map(nova_word_t from_page, nova_word_t to_page, unsigned order, unsigned perms);

/* Where mappers begin: an instruction that replies, with the UTCB's address as stack pointer. */
void novart_mapper_entry(void);

#endif
