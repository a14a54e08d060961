/* SPDX-License-Identifier: BSD-2-Clause */
/* Commit tables: record which page of the pool is committed to which page of an area for regions. A
 * table has two levels; leaves are allocated and freed. Takes no lock and makes no hypercalls. */
#ifndef NOVA_ROOTTASK_COMMIT_TABLE_H
#define NOVA_ROOTTASK_COMMIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A leaf is a page of numbers of 32 bits. */
#define COMMIT_TABLE_LEAF_ORDER 10
#define COMMIT_TABLE_LEAF_PAGES ((size_t)1 << COMMIT_TABLE_LEAF_ORDER)

/* Number of addresses of one directory entry. */
#define COMMIT_TABLE_SPAN ((uintptr_t)COMMIT_TABLE_LEAF_PAGES << NOVA_PAGE_BITS)

/** One contiguous area of addresses. `leaf` has an entry for each COMMIT_TABLE_SPAN of the area; a
 * small area has `flat` instead, with an entry for each page. An entry is a page number relative to
 * `pool`, plus 1; 0: none. */
struct commit_table {
        uintptr_t begin; /* a multiple of COMMIT_TABLE_SPAN, unless flat */
        size_t leaves;
        uint32_t *leaf;
        uintptr_t pool;
        uint32_t *flat;
        size_t flat_pages;
};

/** Allocator of the leaves. */
struct commit_table_pages {
        void *(*take)(void *context); /* a page of zeros from the pool, or NULL */
        void (*give)(void *context, void *page);
        void *context;
};

/** Returns the pool page that is committed to an address; 0 if there is none. */
uintptr_t novart_commit_table_get(const struct commit_table *table, uintptr_t addr);

/** Allocates the leaf of an address if it does not exist.
 * @return false if there is no page for it */
bool novart_commit_table_prepare(struct commit_table *table, uintptr_t addr,
                                 const struct commit_table_pages *pages);

/** Records the pool page of an address whose leaf was prepared; @p page 0 removes the record. */
void novart_commit_table_set(struct commit_table *table, uintptr_t addr, uintptr_t page);

/** Frees the leaf of an address if no page is recorded in it. */
void novart_commit_table_trim(struct commit_table *table, uintptr_t addr,
                              const struct commit_table_pages *pages);

/** Returns the next address in [addr, end) with a committed page; end if there is none. */
uintptr_t novart_commit_table_next(const struct commit_table *table, uintptr_t addr, uintptr_t end);

#ifdef __cplusplus
}
#endif

#endif
