/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things lie in the address space of a program with the runtime. */
#ifndef NOVART_LAYOUT_H
#define NOVART_LAYOUT_H

#include "nova/abi/types.h"

/** First address of a program's segments, as the linker script places them. */
#define NOVA_LAYOUT_IMAGE ((nova_word_t)0x400000)

/** First address after the segments of a child. */
#define NOVA_LAYOUT_IMAGE_END ((nova_word_t)0xfe00000)

/** Addresses that one page table maps. Page tables count in a child's memory, so behind its
 *  segments, up to the next multiple of this, come its start page, the UTCB of its first thread,
 *  its first regions, and its pool if that is small: the start page says where. */
#define NOVA_LAYOUT_TABLE ((nova_word_t)0x200000)

/** How many pages a start page and what follows it may have. */
#define NOVA_LAYOUT_START_PAGES 16

/** Bytes of a main thread's stack with its block; its pages come when they are touched. */
#define NOVA_LAYOUT_MAIN_STACK 0x40000

/** Pages from a child's first region on, which begins at an even page: an address for a UTCB, the
 * main thread's stack with its guard page, that of the handler of its events. The last pages of
 * both stacks are there at once, so that a child that needs no more memory than that needs no
 * objects to get more. */
#define NOVA_LAYOUT_MAIN_PAGE    (1 + NOVA_LAYOUT_MAIN_STACK / NOVA_PAGE_SIZE)
#define NOVA_LAYOUT_HANDLER_PAGE (NOVA_LAYOUT_MAIN_PAGE + 2)

/** Addresses of regions: stacks, UTCBs, windows, lazily backed memory. A child's come here when
 *  there is no room behind its segments. */
#define NOVA_LAYOUT_REGION     ((nova_word_t)0x10000000)
#define NOVA_LAYOUT_REGION_END ((nova_word_t)0x40000000)

/** Memory of the program: a child's pool if it is not small, or where a root requests RAM. */
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
