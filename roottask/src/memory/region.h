/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions, for the start code, the pager and fault reports. */
#ifndef NOVA_ROOTTASK_REGION_H
#define NOVA_ROOTTASK_REGION_H

#include "memory/region_map.h"
#include "novart/region.h"

/* Initialises map and lock.
 * @return 0 or an errno value */
int novart_region_start(void);

/* Result of a page fault. */
enum region_answer {
        REGION_SERVED,   /* the page is mapped */
        REGION_UNKNOWN,  /* the address has no lazy memory */
        REGION_GUARD,    /* it is the guard page of a stack */
        REGION_NO_MEMORY /* no page or kernel memory is left */
};

/* Serves a page fault at an address where nothing is mapped. The caller's stack pages are
 * mapped. */
enum region_answer novart_region_fault(nova_word_t addr);

/* Reserves addresses like nova_region_lazy(), for pages that a service shares with the program. */
void *novart_region_rings(const char *name, size_t bytes);

/* Serves a page fault of a write at an address whose mapping does not permit it. If the region is
 * one of novart_region_rings() and the page is another program's, replaces the page by a page of
 * zeros: the service has revoked the permission to write.
 * @return as novart_region_fault(), but not REGION_GUARD */
enum region_answer novart_region_forbidden(nova_word_t addr);

/* Copies the record of the region that contains an address. @return false if there is none */
bool novart_region_at(nova_word_t addr, struct region *region);

/* Returns true if [addr, addr + bytes), which lies in one page, has memory of a region. */
bool novart_region_readable(nova_word_t addr, size_t bytes);

/* Returns true if a page of [addr, addr + bytes), which lies in one region, has memory of the
 * region. */
bool novart_region_has_memory(nova_word_t addr, size_t bytes);

/* Removes the memory of [addr, addr + bytes) of a region, but keeps the addresses. */
void novart_region_decommit(void *addr, size_t bytes);

#endif
