/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory behind the addresses of regions: the pages of the pool, and their mappings. All under the
 * lock of the regions. */
#ifndef NOVA_ROOTTASK_BACK_H
#define NOVA_ROOTTASK_BACK_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

/* Makes the tables ready, for a child also that of the addresses near its segments.
 * @return 0 or ENOMEM */
int novart_page_commit_start(void);

/* Prepares the table for an address. @return false if there is no page for it */
bool novart_page_commit_prepare(nova_word_t addr);

/* Puts pages behind [addr, addr + pages) where there are none. @return 0 or ENOMEM; then some may
 * have come */
int novart_page_commit(nova_word_t addr, size_t pages);

/* Brings the mapping of one page back that the kernel took away, if there is a page behind it. */
int novart_page_commit_renew(nova_word_t addr);

/* Takes away what is mapped at [addr, addr + pages), whoever's it is, and gives the pages back. */
void novart_page_decommit(nova_word_t addr, size_t pages);

/* True if there is a page behind an address. */
bool novart_page_is_committed(nova_word_t addr);

#endif
