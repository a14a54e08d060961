/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of PDs: the user half, and the window that holds the I/O bitmap. */
#ifndef ARCH_PAGE_TABLE_H
#define ARCH_PAGE_TABLE_H

#include "address_space.h"
#include "lib/types.h"

struct account;
struct flush;
struct pd;

/** Enters pages first..last, which map frames from frame on, from *at on for at most *budget
 *  entries. perms: NOVA_MEM_…; 0 removes. Uses large pages where it can. false: no memory. */
struct page_range {
        word_t first, last; /* page numbers */
        word_t frame;       /* frame of the first one */
        unsigned perms;
};

bool page_table_apply(struct pd *pd, const struct page_range *range, word_t *at, unsigned *budget,
                      struct flush *flush);

/** Makes sure that no large page spans the boundary before page. false: no memory. */
bool page_table_split(struct pd *pd, word_t page, struct flush *flush);

/** The PD's own copy of a page of the I/O bitmap, made at the first call; NULL: no memory. */
uint8_t *page_table_io_bitmap(struct pd *pd, unsigned half, struct flush *flush);

#endif
