/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of PDs: the user half, and the window that holds the I/O bitmap. */
#ifndef SPACE_PAGE_TABLE_H
#define SPACE_PAGE_TABLE_H

#include "lib/types.h"

struct flush;
struct pd;

/** The entry of a page that maps a frame with permissions, NOVA_MEM_…; 0 without any. */
uint64_t page_table_value(word_t frame, unsigned perms);

/** Enters pages first..last: value for the first, and the frames that follow for the others; 0
 *  removes them. Uses large pages where it can. false: no memory. */
bool page_table_write(struct pd *pd, word_t first, word_t last, uint64_t value,
                      struct flush *flush);

/** The same from *at on, with at most *budget entries; *at and *budget tell how far it came. */
bool page_table_apply(struct pd *pd, word_t *at, word_t last, uint64_t value, unsigned *budget,
                      struct flush *flush);

/** Makes sure that no large page spans the boundary before page. false: no memory. */
bool page_table_split(struct pd *pd, word_t page, struct flush *flush);

/** The PD's own copy of a page of the I/O bitmap, made at the first call; NULL: no memory. */
word_t *page_table_io_bitmap(struct pd *pd, unsigned half, struct flush *flush);

#endif
