/* SPDX-License-Identifier: BSD-2-Clause */
/* Free pages in blocks of 2^order, naturally aligned by address. Takes no lock and makes no
 * hypercalls.
 *
 * Pages lie in zones, which are ranges of addresses with one byte of record per page. A zone may be
 * larger than its memory: only pages below `ready` have a record. Each of them is in a free or an
 * allocated block, or was never added. Free blocks hold the links of the lists, so their memory
 * must be mapped. The record also marks pages that are still zero, which need no clearing. A page
 * that is freed counts as used and is cleared when it is allocated again. */
#ifndef NOVA_ROOTTASK_BUDDY_H
#define NOVA_ROOTTASK_BUDDY_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BUDDY_ZONES  16
#define BUDDY_ORDERS 20

struct buddy_zone {
        uintptr_t base; /* address of its first page */
        size_t pages;   /* maximum number of pages */
        size_t ready;   /* number of pages with a valid record, from the first page on */
        uint8_t *record;
};

struct buddy_link {
        struct buddy_link *next, *prev;
};

struct buddy {
        struct buddy_zone zone[BUDDY_ZONES];
        unsigned zones;
        size_t free; /* number of free pages */
        struct buddy_link *list[BUDDY_ORDERS];
};

/** Adds a zone without ready pages; the caller sets its record later. If the array of zones is
 * full, the smallest zone is removed. Ranges must not overlap.
 * @return false if the new zone is the smallest */
bool novart_buddy_add_zone(struct buddy *buddy, uintptr_t base, size_t pages);

/** Makes the next pages of a zone ready, as pages in use. @p zero: all their bytes are 0. */
void novart_buddy_extend(struct buddy_zone *zone, size_t pages, bool zero);

/** Adds unused pages, of any number and alignment: [page, page + count). */
void novart_buddy_give(struct buddy *buddy, struct buddy_zone *zone, size_t page, size_t count);

/** Allocates a block of 2^order pages.
 * @return the block's address; 0: there is none */
uintptr_t novart_buddy_take(struct buddy *buddy, unsigned order);

/** Frees a block.
 * @return false, and nothing changes, if it is not an allocated block */
bool novart_buddy_free(struct buddy *buddy, uintptr_t addr, unsigned order);

/** Splits an allocated block into pages that are freed one by one. */
void novart_buddy_split(struct buddy *buddy, uintptr_t addr, unsigned order);

/** Finds the next run of pages in [page, end) of a zone that must be cleared before use. The pages
 * belong to an allocated block, so no lock is needed.
 * @return its first page, or @p end if there is none; @p count receives the number of pages */
size_t novart_buddy_next_used(const struct buddy_zone *zone, size_t page, size_t end,
                              size_t *count);

/** Returns the zone in which the page of an address is ready, or NULL. */
struct buddy_zone *novart_buddy_zone_of(struct buddy *buddy, uintptr_t addr);

#ifdef __cplusplus
}
#endif

#endif
