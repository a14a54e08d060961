/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA page tables of PDs: what an I/O MMU lets the PD's devices reach. A device address is an
 * address of the PD's memory space; mappings with MAPPING_DMA are in the table. */
#ifndef SPACE_DMA_SPACE_H
#define SPACE_DMA_SPACE_H

#include "arch/x86/page_table.h"
#include "lib/types.h"

struct flush;
struct pd;

/* Under the memory space lock. */
struct dma_space {
        uint64_t *root;  /* NULL: no table yet */
        uint16_t domain; /* by which I/O MMUs know it; 0: no device was assigned yet */
};

/* Entries as the I/O MMUs of this machine want them, and how to reach them. Both kinds share the
 * place of addresses, and leave DMA_LARGE to mark large pages. Fixed after the start. */
struct dma_format {
        unsigned levels;                /* of all tables; 0: there is no I/O MMU */
        unsigned large;                 /* highest level with pages: 0 for 4 KiB only, to 2 */
        uint64_t read, write;           /* permissions of a page */
        uint64_t page;                  /* more bits of each page */
        uint64_t table, table_level;    /* bits that lead to a table, and more for each level */
        bool incoherent;                /* I/O MMUs do not see what is in caches */
        bool keeps_absent;              /* I/O MMUs remember that an entry was absent */
        void (*flush)(unsigned domain); /* forgets translations of a domain, or FLUSH_DMA_ALL */
        void (*release)(struct pd *pd); /* blocks all devices of a PD, and ends its domain */
};

#define DMA_LARGE ((uint64_t)1 << 7)

extern struct dma_format dma_format;

/** Makes a PD's table, empty, unless it has one. false: no memory. */
bool dma_space_create(struct pd *pd);

/** Frees the table of a PD whose memory space is empty and that no device uses. */
void dma_space_fini(struct pd *pd);

/** page_table_apply() for the DMA table; perms without NOVA_MEM_X. What is in the range already is
 *  a part of the same mapping. */
bool dma_space_apply(struct pd *pd, const struct page_range *range, word_t *at, unsigned *budget,
                     struct flush *flush);

/** Makes sure that no large page spans the boundary before page. false: no memory. */
bool dma_space_split(struct pd *pd, word_t page, struct flush *flush);

/** Writes what an I/O MMU reads back from the caches where it has to be. */
void dma_sync(const void *start, size_t size);

#endif
