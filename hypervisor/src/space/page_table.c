/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of PDs (see page_table.h). The frame_info of a table counts its entries. An empty
 * table is unlinked, and its frame is freed after the shoot-down. Under the memory space lock. */
#include "space/page_table.h"

#include "arch/x86/errata.h"
#include "arch/x86/features.h"
#include "arch/x86/pte.h"
#include "arch/x86/tlb.h"
#include "arch/x86/window.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "nova/abi/crd.h"
#include "object/pd.h"
#include "paging_levels.h"
#include "space/budget.h"

#define TOP         (PAGING_LEVELS - 1)
#define LARGE_ORDER 9
#define LARGE_PAGES ((word_t)1 << LARGE_ORDER)
#define USER_PAGES  (NOVA_USER_END >> PAGE_BITS)
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

/* Result of page_table_apply_above() when memory for a table is missing. */
#define NO_MEMORY ((word_t)-1)

static uint64_t *page_table_entry_of(uint64_t *table, word_t page, unsigned level)
{
        return &table[page >> 9 * level & (level == TOP ? PAGING_TOP_SLOTS - 1 : 511)];
}

static uint64_t *page_table_of(uint64_t entry)
{
        return phys_to_pool(entry & PTE_ADDRESS);
}

/* Writes many consecutive entries that were empty. */
static void page_table_fill_empty(uint64_t *entry, word_t count, uint64_t value)
{
        for (; count >= PTE_BATCH; count -= PTE_BATCH, entry += PTE_BATCH) {
                pte_write_batch(entry, value);
                value += PTE_BATCH * PAGE_SIZE;
        }
        for (; count; count--, entry++, value += PAGE_SIZE)
                pte_write(entry, value);
}

/* Creates a table with count entries. The first entry, for page, is value; the others map the next
 * frames. */
static uint64_t *page_table_create(struct pd *pd, word_t page, word_t count, uint64_t value)
{
        if (!account_charge(pd->account, PAGE_SIZE))
                return NULL;

        uint64_t *table = count == LARGE_PAGES ? frame_alloc() : frame_alloc_zeroed();
        if (!table) {
                account_return(pd->account, PAGE_SIZE);
                return NULL;
        }
        pd->memory.space.charged += PAGE_SIZE;
        page_table_fill_empty(page_table_entry_of(table, page, 0), count, value);
        frame_info(table)->used = (uint16_t)count;
        return table;
}

/* Writes an entry and updates the count of its table. The root has no count. */
static void page_table_write_entry(uint64_t *table, word_t page, unsigned level, uint64_t value)
{
        uint64_t *entry = page_table_entry_of(table, page, level);

        if (level != TOP) {
                struct frame_info *info = frame_info(table);
                info->used = (uint16_t)(info->used + !!value - !!*entry);
        }
        pte_replace(entry, value);
}

/* Links a new table to an empty entry of the table above. Returns false if table is NULL. */
static bool page_table_link(struct pd *pd, uint64_t *above, word_t page, unsigned level,
                            const uint64_t *table, struct flush *flush)
{
        const uint64_t flags = level == TOP ? PAGING_TOP_FLAGS : TABLE_FLAGS;

        if (!table)
                return false;
        page_table_write_entry(above, page, level,
                               pool_to_phys(table) | flags | (PAGING_LEVELS > 3 ? PTE_USER : 0));
        if (PAGING_LEVELS == 3 && level == TOP)
                flush_add(flush, pd); /* the CPU caches PDPT entries */
        return true;
}

/* Walks down to the table of a level that has the entry for a page. Stops at a higher level if it
 * finds an empty entry or a large page. Returns the level that it reached. */
static always_inline unsigned page_table_walk(struct pd *pd, word_t page, unsigned level,
                                              uint64_t **table)
{
        uint64_t *below = pd->memory.tables.root;
        unsigned at = TOP;

#pragma GCC unroll 3
        for (; at > level; at--) {
                const uint64_t entry = *page_table_entry_of(below, page, at);
                if (unlikely(!entry || (at == 1 && entry & PTE_LARGE)))
                        break;
                below = page_table_of(entry);
        }
        *table = below;
        return at;
}

/* Frees the tables of a page that have become empty, from a level upwards. */
static cold_path void page_table_prune(struct pd *pd, word_t page, unsigned level,
                                       struct flush *flush)
{
        for (; level < TOP; level++) {
                uint64_t *table, *above;
                page_table_walk(pd, page, level, &table);
                if (frame_info(table)->used)
                        return;
                page_table_walk(pd, page, level + 1, &above);
                flush_add(flush, pd); /* a CPU may have cached entries that lead to an empty
                                       * table */
                flush_add_frame(flush, table);
                account_return(pd->account, PAGE_SIZE);
                page_table_write_entry(above, page, level + 1, 0);
        }
}

uint64_t page_table_value(word_t frame, unsigned perms)
{
        uint64_t value = (uint64_t)frame << PAGE_BITS;

        if (!perms)
                return 0;
        value |= PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY;
        value |= perms & NOVA_MEM_W ? PTE_WRITE : 0;
        if (!(perms & NOVA_MEM_X) && cpu_has(FEATURE_NX))
                value |= PTE_NOEXECUTE;
        return value;
}

/* Replaces a large page by a table of small ones with the same frames and permissions. A cut that
 * splits a page ends its step, so that the permissions change only after the flush. Until the
 * flush, a TLB may hold both sizes for an address. Only two kinds of CPUs do not permit this: CPUs
 * with AMD's erratum 383 and, for code, CPUs with iTLB multihit, on which no large page is
 * executable (see docs/kernel/speculation.md). */
static cold_path bool page_table_split_large(struct pd *pd, uint64_t *above, word_t page,
                                             struct flush *flush)
{
        const uint64_t *table = page_table_create(
                pd, 0, LARGE_PAGES, *page_table_entry_of(above, page, 1) & ~PTE_LARGE);

        if (!table)
                return false;
        page_table_write_entry(above, page, 1, pool_to_phys(table) | TABLE_FLAGS);
        flush_add(flush, pd);
        return true;
}

/* Writes one large page, or removes the large page or the table at its place. */
static void page_table_apply_large(struct pd *pd, uint64_t *table, word_t page, uint64_t value,
                                   struct flush *flush)
{
        const uint64_t old = *page_table_entry_of(table, page, 1);

        page_table_write_entry(table, page, 1, value);
        if (!old)
                return;
        flush_add(flush, pd);
        if (!(old & PTE_LARGE)) {
                flush_add_frame(flush, page_table_of(old));
                account_return(pd->account, PAGE_SIZE);
        }
}

/* Requests a flush after entries that were not empty were written, and frees an empty table. */
static __attribute__((noinline)) bool
page_table_replaced(struct pd *pd, const struct frame_info *info, word_t page, struct flush *flush)
{
        flush_add(flush, pd);
        if (!info->used)
                page_table_prune(pd, page, 0, flush);
        return true;
}

/* Writes or removes the small pages of one table. Writing and removing have separate loops, because
 * one loop for both would take longer for each entry. The entries are counted at the end. */
static always_inline bool page_table_apply_small(struct pd *pd, uint64_t *table, word_t page,
                                                 word_t count, uint64_t value, struct flush *flush)
{
        struct frame_info *info = frame_info(table);
        uint64_t *entry = page_table_entry_of(table, page, 0), *const end = entry + count;
        word_t before = 0;

        if (value) {
                info->used = (uint16_t)(info->used + count);
                do {
                        before += *entry != 0;
                        pte_write(entry, value);
                        value += PAGE_SIZE;
                } while (++entry != end);
        } else {
                do {
                        before += *entry != 0;
                        pte_write(entry, 0);
                } while (++entry != end);
        }
        info->used = (uint16_t)(info->used - before);
        return !before || page_table_replaced(pd, info, page, flush);
}

/* Creates the missing tables on the way down to level 1 for a page. NULL: no memory. */
static cold_path uint64_t *page_table_make_tables(struct pd *pd, uint64_t *table, unsigned level,
                                                  word_t page, struct flush *flush)
{
        for (; level > 1; level--) {
                uint64_t *below = page_table_create(pd, 0, 0, 0);
                if (!page_table_link(pd, table, page, level, below, flush))
                        return NULL;
                table = below;
        }
        return table;
}

/* Removes a large page or the table at its place, and tables above it that are then empty. */
static void page_table_remove_large(struct pd *pd, uint64_t *table, word_t page, unsigned *budget,
                                    struct flush *flush)
{
        budget_spend(budget, BUDGET_TABLE);
        page_table_apply_large(pd, table, page, 0, flush);
        if (!frame_info(table)->used)
                page_table_prune(pd, page, 1, flush);
}

/* Returns true if a TLB is allowed to hold a large page of these permissions together with small
 * pages for the same addresses, which another CPU has removed and not flushed yet. */
static inline bool page_table_may_be_large(uint64_t value)
{
        return likely(!(errata & ERRATUM_CODE)) || value & PTE_NOEXECUTE;
}

/* Writes or removes pages where a walk has ended above level 0: at an empty entry, at a large page,
 * or at the entry of a table that is removed as a whole. Returns the number of pages done;
 * NO_MEMORY; or 0 if the large page is now split and the caller must repeat the walk. */
static inline word_t page_table_apply_above(struct pd *pd, uint64_t *table, unsigned level,
                                            word_t page, word_t left, uint64_t value,
                                            unsigned *budget, struct flush *flush)
{
        const word_t span = (word_t)1 << 9 * level, room = span - (page & (span - 1));
        const word_t count = min_word(min_word(left, LARGE_PAGES - page % LARGE_PAGES), *budget);
        const bool whole = left >= LARGE_PAGES && !(page % LARGE_PAGES);
        const bool large = whole && !((word_t)(value >> PAGE_BITS) % LARGE_PAGES) &&
                           page_table_may_be_large(value);
        const uint64_t entry = *page_table_entry_of(table, page, level);

        if (!value && !entry) {
                budget_spend(budget, BUDGET_TABLE);
                if (!frame_info(table)->used)
                        page_table_prune(pd, page, level, flush);
                return room;
        }
        if (level > 1 && !(table = page_table_make_tables(pd, table, level, page, flush)))
                return NO_MEMORY;
        if (!value && left >= room) { /* a revocation must not depend on free memory */
                page_table_remove_large(pd, table, page, budget, flush);
                return room;
        }
        if (large) {
                budget_spend(budget, BUDGET_TABLE);
                page_table_apply_large(pd, table, page, value | PTE_LARGE, flush);
                return LARGE_PAGES;
        }
        if (entry)
                return page_table_split_large(pd, table, page, flush) ? 0 : NO_MEMORY;
        if (!page_table_link(pd, table, page, 1, page_table_create(pd, page, count, value), flush))
                return NO_MEMORY;
        *budget -= (unsigned)count;
        return count;
}

/* Does page_table_apply() table by table, and creates missing tables. */
static __attribute__((noinline)) bool page_table_apply_tables(struct pd *pd, word_t *at,
                                                              word_t last, uint64_t value,
                                                              unsigned *budget, struct flush *flush)
{
        const word_t end = min_word(last, USER_PAGES - 1) + 1;
        word_t page = *at, done = 0;

        for (; page < end && *budget; page += done) {
                const word_t left = end - page, in_table = LARGE_PAGES - page % LARGE_PAGES;
                const bool removes_all = !value && left >= LARGE_PAGES && in_table == LARGE_PAGES;
                uint64_t *table;
                const unsigned level = page_table_walk(pd, page, removes_all, &table);

                done = min_word(min_word(left, in_table), *budget);
                if (level) {
                        done = page_table_apply_above(pd, table, level, page, left, value, budget,
                                                      flush);
                        if (done == NO_MEMORY)
                                break;
                } else {
                        page_table_apply_small(pd, table, page, done, value, flush);
                        *budget -= (unsigned)done;
                }
                value += value ? (uint64_t)done << PAGE_BITS : 0;
        }
        *at = page < end ? page : last + 1;
        return done != NO_MEMORY;
}

/* Does page_table_write() for pages of several tables or of a missing table. */
static __attribute__((noinline)) bool page_table_write_tables(struct pd *pd, word_t first,
                                                              word_t last, uint64_t value,
                                                              struct flush *flush)
{
        unsigned budget = UINT32_MAX;

        return page_table_apply_tables(pd, &first, last, value, &budget, flush);
}

/* Returns true if pages are certainly a part of one table, and not all of it. */
static inline bool page_table_is_part(word_t first, word_t last)
{
        return (first ^ last) < LARGE_PAGES - 1 && last < USER_PAGES;
}

bool page_table_write(struct pd *pd, word_t first, word_t last, uint64_t value, struct flush *flush)
{
        uint64_t *table;

        /* usually the pages are part of one table, which exists */
        if (unlikely(!page_table_is_part(first, last) || page_table_walk(pd, first, 0, &table)))
                return page_table_write_tables(pd, first, last, value, flush);
        return page_table_apply_small(pd, table, first, last - first + 1, value, flush);
}

bool page_table_apply(struct pd *pd, word_t *at, word_t last, uint64_t value, unsigned *budget,
                      struct flush *flush)
{
        const word_t page = *at, count = last - page + 1;

        if (!page_table_is_part(page, last) || count > *budget)
                return page_table_apply_tables(pd, at, last, value, budget, flush);
        *at = last + 1;
        *budget -= (unsigned)count;
        return page_table_write(pd, page, last, value, flush);
}

/* Gives a large page the permissions of `value`. The page may be absent. */
static void page_table_reduce_large(struct pd *pd, uint64_t *table, word_t page, unsigned level,
                                    uint64_t value, struct flush *flush)
{
        const uint64_t old = *page_table_entry_of(table, page, level);
        const uint64_t reduced = (old & PTE_ADDRESS) | (value & ~PTE_ADDRESS) | PTE_LARGE;

        if (!old || old == reduced)
                return;
        page_table_write_entry(table, page, level, reduced);
        flush_add(flush, pd);
}

void page_table_reduce(struct pd *pd, word_t *at, word_t last, uint64_t value, unsigned *budget,
                       struct flush *flush)
{
        const word_t end = min_word(last, USER_PAGES - 1) + 1;
        word_t page = *at, done = 0;

        for (; page < end && *budget; page += done) {
                uint64_t *table;
                const unsigned level = page_table_walk(pd, page, 0, &table);
                const word_t span = (word_t)1 << (level ? 9 * level : LARGE_ORDER);

                done = min_word(end - page, span - (page & (span - 1)));
                if (level) {
                        page_table_reduce_large(pd, table, page, level, value, flush);
                        budget_spend(budget, BUDGET_TABLE);
                } else {
                        done = min_word(done, *budget);
                        page_table_apply_small(pd, table, page, done, value, flush);
                        *budget -= (unsigned)done;
                }
                value += (uint64_t)done << PAGE_BITS;
        }
        *at = page < end ? page : last + 1;
}

bool page_table_split(struct pd *pd, word_t page, unsigned *budget, struct flush *flush)
{
        uint64_t *table;

        if (page >= USER_PAGES || !(page & (LARGE_PAGES - 1)))
                return true;
        if (page_table_walk(pd, page, 1, &table) > 1 ||
            !(*page_table_entry_of(table, page, 1) & PTE_LARGE))
                return true;
        budget_spend(budget, LARGE_PAGES);
        return page_table_split_large(pd, table, page, flush);
}

word_t *page_table_io_bitmap(struct pd *pd, unsigned half, struct flush *flush)
{
        struct address_space *tables = &pd->memory.tables;
        const word_t bytes = ((tables->window ? 0 : WINDOW_FRAMES) + 1) << PAGE_BITS;

        if (pd->io.bitmap[half])
                return pd->io.bitmap[half];
        if (!account_charge(pd->account, bytes))
                return NULL;

        word_t *page = frame_alloc();
        uint64_t *window = page ? address_space_window(tables) : NULL;
        if (!window) {
                if (page)
                        frame_free(page);
                account_return(pd->account, bytes);
                return NULL;
        }
        memset(page, 0xff, PAGE_SIZE);
        uint64_t *entry = &window[(IO_BITMAP >> PAGE_BITS & 511) + half];
        *entry = pool_to_phys(page) | PTE_PRESENT | PTE_ACCESSED;
        if (cpu_has(FEATURE_NX))
                *entry |= PTE_NOEXECUTE;
        pd->io.bitmap[half] = page;
        pd->io.space.charged += bytes;
        flush_add(flush, pd);
        return page;
}
