/* SPDX-License-Identifier: BSD-2-Clause */
/* The page allocator, for callers whose stack pages are mapped (selector/lock.h). */
#ifndef NOVA_ROOTTASK_PAGE_H
#define NOVA_ROOTTASK_PAGE_H

#include "nova/crd.h"
#include "novart/page.h"

/* Finds the program's memory. @return 0 or an errno value */
int novart_page_start(void);

/* Return the number of pages for a number of bytes, and the order of a block for them. */
static inline size_t page_count(size_t bytes)
{
        return bytes / NOVA_PAGE_SIZE + !!(bytes % NOVA_PAGE_SIZE);
}

static inline unsigned page_order(size_t bytes)
{
        return nova_crd_order_for(page_count(bytes));
}

/* Does the work of nova_page_alloc(). */
void *novart_page_take(unsigned order);

/* Allocates like novart_page_take(), but the pages are freed one by one. */
void *novart_page_take_split(unsigned order);

/* Does the work of nova_page_free(). */
void novart_page_give(void *page, unsigned order);

/* Allocates zeroed bytes in the unused part of a child's start page, which are never freed. Returns
 * NULL if too few bytes are left. For the start code only, because it takes no lock. */
void *novart_page_spare(size_t bytes);

/* Returns the number of pages that the program can ever have. */
size_t novart_page_total(void);

/* Finds the physical address of a page of the pool.
 * @return 0 or an errno value */
int novart_page_physical(const void *page, uint64_t *phys);

#endif
