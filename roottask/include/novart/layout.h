/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout of the address space of a program with the runtime. */
#ifndef NOVART_LAYOUT_H
#define NOVART_LAYOUT_H

#include "nova/abi/types.h"

/** First address of a program's segments, as the linker script places them. */
#define NOVA_LAYOUT_IMAGE ((nova_word_t)0x400000)

/** First address after the segments of a child. */
#define NOVA_LAYOUT_IMAGE_END ((nova_word_t)0xfe00000)

/** Number of bytes that one page table maps. A child pays for its page tables. To save a page
 * table, the start page, the UTCB of the first thread, the first regions and a small pool lie
 * directly after the child's segments, up to the next multiple of this size. The start page
 * contains their addresses. */
#define NOVA_LAYOUT_TABLE ((nova_word_t)0x200000)

/** Maximum number of pages of the start page and the data after it. */
#define NOVA_LAYOUT_START_PAGES 16

/** Size in bytes of a main thread's stack, including its thread block. Pages are allocated on first
 * touch. */
#define NOVA_LAYOUT_MAIN_STACK 0x40000

/** Numbers of two pages in a child's first region, which begins at an even page: the last page of
 * the main thread's stack, and the last page of its event handler's stack. The first addresses of
 * the region are for a UTCB and for the guard page of the main thread's stack. The parent maps the
 * two pages, so that a small child needs no kernel objects for more memory. */
#define NOVA_LAYOUT_MAIN_PAGE    (1 + NOVA_LAYOUT_MAIN_STACK / NOVA_PAGE_SIZE)
#define NOVA_LAYOUT_HANDLER_PAGE (NOVA_LAYOUT_MAIN_PAGE + 2)

/** Addresses of regions: stacks, UTCBs, windows, lazy memory. A child's regions lie here when there
 * is no room after its segments. */
#define NOVA_LAYOUT_REGION     ((nova_word_t)0x10000000)
#define NOVA_LAYOUT_REGION_END ((nova_word_t)0x40000000)

/** Addresses of the program's memory: a child's pool unless it is small, or the RAM that a root
 * requests. */
#define NOVA_LAYOUT_POOL ((nova_word_t)0x40000000)
/** First address after the pool. */
#if __SIZEOF_POINTER__ == 8
#define NOVA_LAYOUT_POOL_END ((nova_word_t)0x700000000000)
#else
#define NOVA_LAYOUT_POOL_END ((nova_word_t)0xb0000000)
#endif

/** Addresses of regions that do not fit below the pool. */
#define NOVA_LAYOUT_FAR NOVA_LAYOUT_POOL_END
/** First address after those regions. */
#if __SIZEOF_POINTER__ == 8
#define NOVA_LAYOUT_FAR_END (NOVA_LAYOUT_FAR + 0x1000000000)
#else
#define NOVA_LAYOUT_FAR_END ((nova_word_t)0xbf000000)
#endif

#endif
