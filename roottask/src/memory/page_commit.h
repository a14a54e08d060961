/* SPDX-License-Identifier: BSD-2-Clause */
/* Commits pages of the pool to addresses of regions and maps them. The lock of the regions protects
 * all data of this file. */
#ifndef NOVA_ROOTTASK_PAGE_COMMIT_H
#define NOVA_ROOTTASK_PAGE_COMMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

/* Prepares the commit tables. A child also has one for the addresses near its segments.
 * @return 0 or ENOMEM */
int novart_page_commit_start(void);

/* Prepares the commit table for an address. @return false if there is no page for the table */
bool novart_page_commit_prepare(nova_word_t addr);

/* Commits pages to the addresses of [addr, addr + pages) that have none.
 * @return 0, or ENOMEM, with pages committed to some of the addresses */
int novart_page_commit(nova_word_t addr, size_t pages);

/* Unmaps other programs' memory from an address without a committed page, and commits a page.
 * @return 0 or ENOMEM */
int novart_page_commit_over(nova_word_t addr);

/* Returns the permissions of the mapping at an address; 0: nothing is mapped. Needs no lock. */
unsigned novart_page_perms(nova_word_t addr);

/* Maps the committed page of an address again after the kernel has removed the mapping.
 * @return 0 or an errno value; EFAULT: no page is committed */
int novart_page_commit_renew(nova_word_t addr);

/* Unmaps [addr, addr + pages) from this and all other programs, and frees the committed pages. */
void novart_page_decommit(nova_word_t addr, size_t pages);

/* Returns true if a page is committed to an address. */
bool novart_page_is_committed(nova_word_t addr);

/* Returns the number of commits, including those that failed. A thread that has read from a page
 * and then calls this function gets a number that includes the commit of this page. Needs no
 * lock. */
nova_word_t novart_page_commits(void);

/* Returns true if a page is committed to one of the addresses of [addr, addr + pages). */
bool novart_page_commit_some(nova_word_t addr, size_t pages);

#endif
