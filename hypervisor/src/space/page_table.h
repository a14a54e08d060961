/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of PDs: the user half, and the window that holds the I/O bitmap. */
#ifndef SPACE_PAGE_TABLE_H
#define SPACE_PAGE_TABLE_H

#include "lib/types.h"

struct flush;
struct pd;

/** Returns the entry that maps a frame with permissions NOVA_MEM_…; 0 without permissions. */
uint64_t page_table_value(word_t frame, unsigned perms);

/** Maps pages first..last: value is the entry of the first, and the others map the next frames.
 *  Value 0 removes the pages. If the range begins inside a large page and includes the end of that
 *  page, the whole large page is removed, because all of its pages belong to one mapping. Uses
 *  large pages where possible. Returns false if memory is short. */
bool page_table_write(struct pd *pd, word_t first, word_t last, uint64_t value,
                      struct flush *flush);

/** Does page_table_write(), beginning at *at, for at most *budget entries. Updates *at and *budget.
 */
bool page_table_apply(struct pd *pd, word_t *at, word_t last, uint64_t value, unsigned *budget,
                      struct flush *flush);

/** Does page_table_apply() for pages of a mapping that has lost some permissions. Writes only where
 * there are tables. Never splits a large page: writes a large page that begins before *at or ends
 * after last as a whole, because all of its pages belong to the mapping. Needs no memory. */
void page_table_reduce(struct pd *pd, word_t *at, word_t last, uint64_t value, unsigned *budget,
                       struct flush *flush);

/** Splits a large page that spans the boundary before page, and subtracts the entries of the new
 * table from *budget. Returns false if memory is short. */
bool page_table_split(struct pd *pd, word_t page, unsigned *budget, struct flush *flush);

/** Returns the PD's own page of the I/O bitmap; the first call creates it. Returns NULL if
 * memory is short. */
word_t *page_table_io_bitmap(struct pd *pd, unsigned half, struct flush *flush);

#endif
