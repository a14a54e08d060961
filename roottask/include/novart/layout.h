/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things lie in the address space of a program with the runtime. */
#ifndef NOVART_LAYOUT_H
#define NOVART_LAYOUT_H

#include "nova/abi/types.h"

/** First address of a program's segments, as the linker script places them. */
#define NOVA_LAYOUT_IMAGE ((nova_word_t)0x400000)

/** The start page that a parent hands over, and how many pages it and what follows may have. */
#define NOVA_LAYOUT_START       ((nova_word_t)0x10000000)
#define NOVA_LAYOUT_START_PAGES 16

/** The UTCB of a child's first thread: the last of those pages. */
#define NOVA_LAYOUT_UTCB \
        (NOVA_LAYOUT_START + (NOVA_LAYOUT_START_PAGES - 1) * (nova_word_t)NOVA_PAGE_SIZE)

/** Addresses of regions: stacks, UTCBs, windows, lazily backed memory. Compact, because page tables
 *  count in a child's memory. */
#define NOVA_LAYOUT_REGION     ((nova_word_t)0x10010000)
#define NOVA_LAYOUT_REGION_END ((nova_word_t)0x40000000)

/** Memory of the program: a child's pool, or where a root requests RAM. */
#define NOVA_LAYOUT_POOL ((nova_word_t)0x40000000)
/** First address after that. */
#if __SIZEOF_POINTER__ == 8
#define NOVA_LAYOUT_POOL_END ((nova_word_t)0x700000000000)
#else
#define NOVA_LAYOUT_POOL_END ((nova_word_t)0xb0000000)
#endif

/** Addresses of regions for which there is no room below the pool. */
#define NOVA_LAYOUT_FAR NOVA_LAYOUT_POOL_END
/** First address after those. */
#if __SIZEOF_POINTER__ == 8
#define NOVA_LAYOUT_FAR_END (NOVA_LAYOUT_FAR + 0x1000000000)
#else
#define NOVA_LAYOUT_FAR_END ((nova_word_t)0xbf000000)
#endif

#endif
