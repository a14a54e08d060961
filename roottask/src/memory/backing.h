/* SPDX-License-Identifier: BSD-2-Clause */
/* Which page of the pool lies behind which page of the areas for regions: a table of two levels,
 * of which the lower one comes and goes. Pure logic: no lock, no hypercall. */
#ifndef NOVA_ROOTTASK_BACKING_H
#define NOVA_ROOTTASK_BACKING_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A leaf is a page of numbers of 32 bits. */
#define BACKING_LEAF_ORDER 10
#define BACKING_LEAF_PAGES ((size_t)1 << BACKING_LEAF_ORDER)

/* Addresses that one directory entry stands for. */
#define BACKING_SPAN ((uintptr_t)BACKING_LEAF_PAGES << NOVA_PAGE_BITS)

/** One contiguous area of addresses. `leaf` has an entry for each BACKING_SPAN of it; a small area
 *  has `flat` instead, an entry for each page. All numbers are page numbers counted from `pool` on,
 *  plus 1; 0 is nothing. */
struct backing {
        uintptr_t begin; /* a multiple of BACKING_SPAN, unless flat */
        size_t leaves;
        uint32_t *leaf;
        uintptr_t pool;
        uint32_t *flat;
        size_t flat_pages;
};

/** Where memory for leaves comes from and goes to. */
struct backing_pages {
        void *(*take)(void *context); /* a page of zeros from the pool, or NULL */
        void (*give)(void *context, void *page);
        void *context;
};

/** The pool page behind an address; 0 if there is none. */
uintptr_t novart_commit_table_get(const struct backing *backing, uintptr_t addr);

/** Makes sure that there is a leaf for an address. @return false if there is no page for one */
bool novart_commit_table_prepare(struct backing *backing, uintptr_t addr,
                                 const struct backing_pages *pages);

/** Notes a pool page behind an address for which a leaf was prepared; @p page 0 forgets it. */
void novart_commit_table_set(struct backing *backing, uintptr_t addr, uintptr_t page);

/** Gives back the leaf of an address if nothing is noted in it. */
void novart_commit_table_trim(struct backing *backing, uintptr_t addr,
                              const struct backing_pages *pages);

/** The next address in [addr, end) with a page behind it; end if there is none. */
uintptr_t novart_commit_table_next(const struct backing *backing, uintptr_t addr, uintptr_t end);

#ifdef __cplusplus
}
#endif

#endif
