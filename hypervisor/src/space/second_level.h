/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-level page tables of PDs: the DMA page table, what an I/O MMU lets the PD's devices reach,
 * and the guest page table, what its virtual CPUs see as physical memory. Device and guest-physical
 * addresses are addresses of the PD's memory space; mappings with MAPPING_DMA or MAPPING_GUEST are
 * in the table. */
#ifndef SPACE_SECOND_LEVEL_H
#define SPACE_SECOND_LEVEL_H

#include "lib/types.h"

struct flush;
struct pd;

enum second_level_kind { SECOND_LEVEL_DMA, SECOND_LEVEL_GUEST };

/* Under the memory space lock. */
struct second_level {
        uint64_t *root;    /* NULL: no table yet */
        uint16_t domain;   /* DMA: by which I/O MMUs know it; 0: no device was assigned yet */
        word_t generation; /* guest: counts flushes; read by CPUs that enter a guest */
};

/* Entries as the I/O MMUs or CPUs of this machine want them, and how to reach them. All kinds share
 * the place of addresses, and leave SECOND_LEVEL_LARGE to mark large pages. Fixed after the start.
 */
struct second_level_format {
        unsigned levels;                /* of all tables; 0: there is no I/O MMU, no guest */
        unsigned large;                 /* highest level with pages: 0 for 4 KiB only, to 2 */
        bool small_execute;             /* 4 KiB only where there is NOVA_MEM_X */
        uint64_t read, write;           /* permissions of a page */
        uint64_t execute;               /* … and a bit that is set with NOVA_MEM_X, */
        uint64_t no_execute;            /* or without it */
        uint64_t page;                  /* more bits of each page */
        uint64_t table, table_level;    /* bits that lead to a table, and more for each level */
        uint64_t top_table;             /* bits in the root that lead to a table */
        bool incoherent;                /* I/O MMUs do not see what is in caches */
        bool keeps_absent;              /* I/O MMUs remember that an entry was absent */
        void (*flush)(unsigned domain); /* DMA: forgets a domain's translations, or FLUSH_DMA_ALL */
        bool (*release)(struct pd *pd); /* DMA: blocks some devices of a PD; whether it has no more,
                                         * nor a domain */
};

#define SECOND_LEVEL_LARGE ((uint64_t)1 << 7)

extern struct second_level_format dma_format, guest_format;

/** Makes a PD's table, empty, unless it has one. false: no memory. */
bool second_level_create(struct pd *pd, enum second_level_kind kind);

/** Frees the tables of a PD whose memory space is empty, that no device and no CPU uses. */
void second_level_fini(struct pd *pd);

/* Pages first..last, which map frames from frame on. */
struct page_range {
        word_t first, last; /* page numbers */
        word_t frame;       /* frame of the first one */
        unsigned perms;     /* NOVA_MEM_…; 0: they go */
};

/** page_table_apply() for a second-level table, from page *at of a range on. What is in the range
 *  already is a part of the same mapping. */
bool second_level_apply(struct pd *pd, enum second_level_kind kind, const struct page_range *range,
                        word_t *at, unsigned *budget, struct flush *flush);

/** Makes sure that no large page spans the boundary before page. false: no memory. */
bool second_level_split(struct pd *pd, word_t page, struct flush *flush);

/** Writes what an I/O MMU reads back from the caches where it has to be. */
void dma_sync(const void *start, size_t size);

#endif
