/* SPDX-License-Identifier: BSD-2-Clause */
/* Free pages in blocks of 2^order, naturally aligned by address. Pure logic: no lock, no hypercall.
 *
 * Pages lie in zones, ranges of addresses with one byte of record for each page. A zone may be
 * larger than what is there yet: pages below `ready` have a record, and all of them are in blocks
 * that are free or allocated, or were never given in. Free blocks hold the links of the lists, so
 * their memory must be mapped.
 *
 * The record also says which pages are still zero since they came, so that each page is cleared
 * once: a page that is freed counts as used. */
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
        size_t pages;   /* that it can have */
        size_t ready;   /* pages from the first on with a valid record */
        uint8_t *record;
};

struct buddy_link {
        struct buddy_link *next, *prev;
};

struct buddy {
        struct buddy_zone zone[BUDDY_ZONES];
        unsigned zones;
        size_t free; /* pages */
        struct buddy_link *list[BUDDY_ORDERS];
};

/** Adds a zone without ready pages; its record comes later. When there is no place for one more,
 *  the smallest gives way. Ranges must not overlap. @return false if this one found no place */
bool novart_buddy_add_zone(struct buddy *buddy, uintptr_t base, size_t pages);

/** Makes the next pages of a zone ready, as pages that are in use; zero: all their bytes are 0. */
void novart_buddy_extend(struct buddy_zone *zone, size_t pages, bool zero);

/** Adds unused pages, of any number and alignment: [page, page + count). */
void novart_buddy_give(struct buddy *buddy, struct buddy_zone *zone, size_t page, size_t count);

/** Takes a block of 2^order pages. @return its address, 0 if there is none */
uintptr_t novart_buddy_take(struct buddy *buddy, unsigned order);

/** Gives a block back. @return false, and nothing changes, if it is not an allocated block */
bool novart_buddy_free(struct buddy *buddy, uintptr_t addr, unsigned order);

/** Makes an allocated block into pages that are freed one by one. */
void novart_buddy_split(struct buddy *buddy, uintptr_t addr, unsigned order);

/** The next run of pages in [page, end) of a zone that must be cleared before they are given out.
 *  Those of a block are looked at after it was taken and before it is freed: then no lock is
 * needed.
 *  @return its first page, end if there is none; count: so many */
size_t novart_buddy_next_used(const struct buddy_zone *zone, size_t page, size_t end,
                              size_t *count);

/** The zone in which an address lies and is ready, or NULL. */
struct buddy_zone *novart_buddy_zone_of(struct buddy *buddy, uintptr_t addr);

#ifdef __cplusplus
}
#endif

#endif
