/* SPDX-License-Identifier: BSD-2-Clause */
/* The start page, which a parent passes to a child that it starts, and the data after it. */
#ifndef NOVART_START_PAGE_H
#define NOVART_START_PAGE_H

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_START_MAGIC   0x54524154 /**< "TART": first word of a start page */
#define NOVA_START_VERSION 2          /**< version of its layout */

/** Size of a program's name in bytes, including the terminating 0. */
#define NOVA_START_NAME_SIZE 32

/** Maximum number of arguments (including the name) and environment entries together: their
 * pointers, and one NULL after each list, fit into a page. */
#define NOVA_START_WORDS (NOVA_PAGE_SIZE / sizeof(char *) - 2)

/** Event base of a child's first thread. Initially these selectors name the parent's event portals
 * for the thread's CPU, like those at fault_base. The runtime gives the parent's portals back
 * (NOVA_PARENT_EVENTS) and creates its own portals at these selectors. */
#define NOVA_SEL_MAIN_EVENTS 0x60

/** Flags. */
#define NOVA_START_DMA 0x1 /**< the program may learn physical addresses: pool_phys is valid */
#define NOVA_START_PDS 0x2 /**< own PD capability with NOVA_PD_PD: the program may create PDs */

/**
 * Data that a child finds in memory besides its segments. Strings and the copy of the information
 * page follow in the same pages; the child may use the rest of these pages. The parent never reads
 * the pages again. The child's start code checks every field that it uses.
 *
 * A child's first thread begins at its image's entry point with this page's address as its stack
 * pointer. All offsets are relative to the start of the page.
 */
struct nova_start_page {
        uint32_t magic;          /**< NOVA_START_MAGIC */
        uint32_t version;        /**< NOVA_START_VERSION */
        uint32_t bytes;          /**< size of this structure in bytes */
        uint32_t pages;          /**< number of pages of this structure and the data after it */
        nova_word_t hip;         /**< address of the copy of the information page */
        nova_word_t utcb;        /**< address of the first thread's UTCB */
        nova_word_t cpu;         /**< CPU of the first thread */
        nova_word_t image_begin; /**< first address of the program's segments */
        nova_word_t image_end;   /**< first address after them, a multiple of the page size */
        nova_word_t pool;        /**< address of the program's pool, filled with zeros */
        nova_word_t pool_bytes;  /**< size of the pool in bytes */
        nova_word_t region;      /**< first address for regions near the segments */
        nova_word_t region_end;  /**< first address after these regions */
        nova_word_t stack[2];    /**< second addresses at which the last page of the pool and the
                                    page before it are mapped; 0: none */
        nova_sel_t pd;           /**< own PD: permissions for EC, PT, SM, and PD if granted */
        nova_sel_t ec;           /**< the first thread */
        nova_sel_t parent;       /**< portals to the parent: CPU n's at parent + n */
        nova_sel_t fault_base;   /**< the parent's event portals: CPU n's at fault_base + 32 * n */
        nova_sel_t sel_first;    /**< first selector that the child may allocate */
        nova_sel_t sel_count;    /**< number of selectors, beginning at sel_first */
        uint64_t cpus;           /**< bit n: threads may be created on CPU n */
        uint64_t pool_phys;      /**< physical address of the pool, with NOVA_START_DMA */
        uint32_t priority;       /**< highest priority of its threads */
        uint32_t flags;          /**< NOVA_START_… */
        uint32_t argc;           /**< number of arguments, including the name; at least 1 */
        uint32_t args;           /**< offset of the arguments: argc strings, each ending with a 0 */
        uint32_t envc;           /**< number of entries of the environment */
        uint32_t env;            /**< offset of the environment: envc strings NAME=VALUE */
        uint32_t spare;          /**< offset of the unused, zeroed part up to the last page's end */
        char name[NOVA_START_NAME_SIZE]; /**< the program's name as given by the parent */
};

#ifdef __cplusplus
}
#endif

#endif
