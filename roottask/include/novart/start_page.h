/* SPDX-License-Identifier: BSD-2-Clause */
/* What a parent hands over to a child that it starts: the start page and what lies behind it. */
#ifndef NOVART_START_PAGE_H
#define NOVART_START_PAGE_H

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_START_MAGIC   0x54524154 /**< "TART": a start page begins with it */
#define NOVA_START_VERSION 2          /**< version of its layout */

/** Bytes of a program's name, the 0 at its end included. */
#define NOVA_START_NAME_SIZE 32

/** Words that its arguments, with the name, and its environment have together at most: what
 *  pointers to them fit into a page, with one behind each list. */
#define NOVA_START_WORDS (NOVA_PAGE_SIZE / sizeof(char *) - 2)

/** Event base of a child's first thread: at first the parent's event portals for its CPU, besides
 * those at fault_base; the runtime gives them back (NOVA_PARENT_EVENTS) and puts its own there. */
#define NOVA_SEL_MAIN_EVENTS 0x60

/** Flags. */
#define NOVA_START_DMA 0x1 /**< the program may learn physical addresses: pool_phys is valid */
#define NOVA_START_PDS 0x2 /**< own PD capability with NOVA_PD_PD: the program may make PDs */

/**
 * What a child finds in memory besides its segments. Strings and the copy of the information page
 * follow in the same pages; what is left of them the child may use. The parent reads nothing there
 * any more; the child's start checks everything it uses.
 *
 * A child's first thread begins at its image's entry point with this page's address as its stack
 * pointer. All offsets count from the page.
 */
struct nova_start_page {
        uint32_t magic;          /**< NOVA_START_MAGIC */
        uint32_t version;        /**< NOVA_START_VERSION */
        uint32_t bytes;          /**< of this structure */
        uint32_t pages;          /**< of this and what follows */
        nova_word_t hip;         /**< address of the copy of the information page */
        nova_word_t utcb;        /**< address of the first thread's UTCB */
        nova_word_t cpu;         /**< its CPU */
        nova_word_t image_begin; /**< first address of the program's segments */
        nova_word_t image_end;   /**< first address after them, a multiple of the page size */
        nova_word_t pool;        /**< address of its memory, all of it zero */
        nova_word_t pool_bytes;  /**< size of its memory */
        nova_word_t region;      /**< first address for regions near the segments */
        nova_word_t region_end;  /**< first address after those */
        nova_word_t stack[2];    /**< where the last two pages of the memory are mapped as well, the
                                    last one first; 0: nowhere */
        nova_sel_t pd;           /**< own PD: permissions for EC, PT, SM, and PD if granted */
        nova_sel_t ec;           /**< the first thread */
        nova_sel_t parent;       /**< portals to the parent: + CPU number */
        nova_sel_t fault_base;   /**< the parent's event portals: + 32 * CPU number */
        nova_sel_t sel_first;    /**< first selector that is the child's to give out */
        nova_sel_t sel_count;    /**< how many there are */
        uint64_t cpus;           /**< bit n: threads may be created on CPU n */
        uint64_t pool_phys;      /**< physical address of the memory, with NOVA_START_DMA */
        uint32_t priority;       /**< highest priority of its threads */
        uint32_t flags;          /**< NOVA_START_… */
        uint32_t argc;           /**< number of arguments, the name included; at least 1 */
        uint32_t args;           /**< offset of the arguments: argc strings, each ended by a 0 */
        uint32_t envc;           /**< number of entries of the environment */
        uint32_t env;            /**< offset of the environment: envc strings NAME=VALUE */
        uint32_t spare; /**< offset of what is unused, and zero, up to the last page's end */
        char name[NOVA_START_NAME_SIZE]; /**< what the parent calls the program */
};

#ifdef __cplusplus
}
#endif

#endif
