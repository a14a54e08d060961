/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-level page tables of PDs. The DMA page table maps the memory that an I/O MMU lets the PD's
 * devices access. The guest page table maps the physical memory of the PD's virtual CPUs. Device
 * and guest-physical addresses are addresses of the PD's memory space. The tables contain the
 * mappings with MAPPING_DMA or MAPPING_GUEST. */
#ifndef SPACE_SECOND_LEVEL_H
#define SPACE_SECOND_LEVEL_H

#include "lib/types.h"

struct flush;
struct pd;

enum second_level_kind { SECOND_LEVEL_DMA, SECOND_LEVEL_GUEST };

#define GENERATION_LAST (~(word_t)0) /* no tag has this generation */

/* Under the memory space lock. */
struct second_level {
        uint64_t *root;    /* NULL: no table yet */
        uint16_t domain;   /* DMA: the PD's number in I/O MMUs; 0: no device was assigned yet */
        word_t generation; /* guest: counts changes up to GENERATION_LAST; read at a guest's entry
                            */
};

/* Format of the entries for this machine's I/O MMUs or CPUs, and operations of the I/O MMUs. In all
 * formats addresses have the same place and SECOND_LEVEL_LARGE marks large pages. Fixed after the
 * start. */
struct second_level_format {
        unsigned levels;                /* number of levels; 0: no I/O MMU, or no guests */
        unsigned large;                 /* highest level with pages, 0 (only 4 KiB) to 2 */
        bool small_execute;             /* pages with NOVA_MEM_X are 4 KiB only */
        uint64_t read, write;           /* permissions of a page */
        uint64_t execute;               /* bit of a page with NOVA_MEM_X */
        uint64_t no_execute;            /* bit of a page without NOVA_MEM_X */
        uint64_t page;                  /* further bits of each page */
        uint64_t ram;                   /* further bits of a page of RAM; 0: all pages are alike */
        uint64_t table, table_level;    /* a table's entry: address | level * table_level | table */
        uint64_t top_table;             /* bits of a root's entry for a table */
        bool incoherent;                /* I/O MMUs do not snoop the CPUs' caches */
        bool keeps_absent;              /* I/O MMUs cache absent entries */
        void (*flush)(unsigned domain); /* DMA: flushes a domain's translations, or all with
                                         * FLUSH_DMA_ALL */
        bool (*release)(struct pd *pd); /* DMA: blocks some devices of a PD; true: no device
                                         * and no domain is left */
};

#define SECOND_LEVEL_LARGE ((uint64_t)1 << 7)

extern struct second_level_format dma_format, guest_format;

/** Creates an empty table for a PD, unless it has one. false: no memory. */
bool second_level_create(struct pd *pd, enum second_level_kind kind);

/** Frees the tables of a PD. Its memory space is empty, and no device and no CPU uses the tables.
 */
void second_level_fini(struct pd *pd);

/* Pages first..last, which map consecutive frames. */
struct page_range {
        word_t first, last; /* page numbers */
        word_t frame;       /* frame of page first */
        unsigned perms;     /* NOVA_MEM_…; 0: remove the pages */
        bool reduces;       /* only changes existing tables: creates none */
};

/** Does page_table_apply() for a second-level table, beginning at page *at of a range. Pages
 * already present in the range belong to the same mapping. Never fails if the range only reduces
 * permissions. */
bool second_level_apply(struct pd *pd, enum second_level_kind kind, const struct page_range *range,
                        word_t *at, unsigned *budget, struct flush *flush);

/** Splits large pages that span the boundary before page, and spends the entries of the new tables.
 *  false: no memory. */
bool second_level_split(struct pd *pd, word_t page, unsigned *budget, struct flush *flush);

/** Writes a range from the caches back to memory, unless all I/O MMUs snoop the caches. */
void dma_sync(const void *start, size_t size);

#endif
