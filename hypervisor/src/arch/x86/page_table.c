/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of PDs (see page_table.h). A table counts its entries in its frame's note and goes
 * when it is empty; its frame is freed after the shoot-down. Under the memory space lock. */
#include "arch/x86/page_table.h"

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

#define TOP         (PAGING_LEVELS - 1)
#define LARGE_ORDER 9
#define LARGE_PAGES ((word_t)1 << LARGE_ORDER)
#define USER_PAGES  (NOVA_USER_END >> PAGE_BITS)
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

/* The tables on the way to a page: table[l] holds the entry of level l; level 0 maps 4 KiB. */
struct path {
        uint64_t *table[PAGING_LEVELS];
};

static uint64_t *entry_of(const struct path *path, word_t page, unsigned level)
{
        return &path->table[level][page >> 9 * level & (level == TOP ? PAGING_TOP_SLOTS - 1 : 511)];
}

static uint64_t *table_of(uint64_t entry)
{
        return phys_to_pool(entry & PTE_ADDRESS);
}

static uint64_t *table_create(struct pd *pd)
{
        if (!account_charge(pd->account, PAGE_SIZE))
                return NULL;

        uint64_t *table = frame_alloc_zeroed();
        if (table)
                frame_info(table)->used = 0;
        else
                account_return(pd->account, PAGE_SIZE);
        return table;
}

/* Writes an entry and keeps the count of its table. The root is not counted. */
static void write_entry(const struct path *path, word_t page, unsigned level, uint64_t value)
{
        uint64_t *entry = entry_of(path, page, level);

        if (level != TOP) {
                struct frame_info *info = frame_info(path->table[level]);
                info->used = (uint16_t)(info->used + !!value - !!*entry);
        }
        pte_write(entry, value);
}

/* Finds the table that holds the page's entry of a level; makes tables on the way if create. Stops
 * at a large page. The level that it reached: above the wanted one when tables lack. */
static unsigned walk(struct pd *pd, struct path *path, word_t page, unsigned level, bool create,
                     struct flush *flush)
{
        unsigned at = TOP;

        path->table[TOP] = pd->memory.tables.root;
        while (at > level) {
                uint64_t entry = *entry_of(path, page, at);
                if (!entry && create) {
                        uint64_t *table = table_create(pd);
                        if (!table)
                                return at;
                        const uint64_t flags = at == TOP ? PAGING_TOP_FLAGS : TABLE_FLAGS;
                        entry = pool_to_phys(table) | flags | (PAGING_LEVELS > 3 ? PTE_USER : 0);
                        write_entry(path, page, at, entry);
                        if (PAGING_LEVELS == 3 && at == TOP)
                                flush_add(flush, pd); /* the CPU keeps PDPT entries */
                }
                if (!entry || entry & PTE_LARGE)
                        return at;
                path->table[--at] = table_of(entry);
        }
        return at;
}

/* Frees the tables on a path that became empty, from a level upwards. */
static void prune(struct pd *pd, const struct path *path, word_t page, unsigned level,
                  struct flush *flush)
{
        while (level < TOP && !frame_info(path->table[level])->used) {
                flush_add_frame(flush, path->table[level]);
                account_return(pd->account, PAGE_SIZE);
                write_entry(path, page, ++level, 0);
        }
}

static uint64_t entry_flags(unsigned perms)
{
        uint64_t flags = PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY;

        if (!perms)
                return 0;
        if (perms & NOVA_MEM_W)
                flags |= PTE_WRITE;
        if (!(perms & NOVA_MEM_X) && cpu_has(FEATURE_NX))
                flags |= PTE_NOEXECUTE;
        return flags;
}

/* Replaces a large page by a table of small ones. */
static bool split_large(struct pd *pd, const struct path *path, word_t page, struct flush *flush)
{
        const uint64_t large = *entry_of(path, page, 1);
        uint64_t *table = table_create(pd);

        if (!table)
                return false;
        for (unsigned i = 0; i < 512; i++)
                table[i] = (large & ~PTE_LARGE) + ((uint64_t)i << PAGE_BITS);
        frame_info(table)->used = 512;
        write_entry(path, page, 1, pool_to_phys(table) | TABLE_FLAGS);
        flush_add(flush, pd); /* no TLB keeps two sizes for one address */
        return true;
}

/* Writes one large page, or removes it or the table in its place. */
static void apply_large(struct pd *pd, const struct path *path, word_t page, uint64_t value,
                        struct flush *flush)
{
        const uint64_t old = *entry_of(path, page, 1);

        write_entry(path, page, 1, value);
        if (!old)
                return;
        flush_add(flush, pd);
        if (!(old & PTE_LARGE)) {
                flush_add_frame(flush, table_of(old));
                account_return(pd->account, PAGE_SIZE);
        }
}

#define FILL_AT_ONCE 8

/* Writes entries where none was, many in a row: these two loops are the inner ones of every
 * delegation of memory. */
static void fill_empty(uint64_t *entry, word_t count, uint64_t value)
{
        for (; count >= FILL_AT_ONCE; count -= FILL_AT_ONCE, entry += FILL_AT_ONCE) {
#pragma GCC unroll 8
                for (unsigned i = 0; i < FILL_AT_ONCE; i++, value += PAGE_SIZE)
                        pte_write(&entry[i], value);
        }
        for (; count; count--, entry++, value += PAGE_SIZE)
                pte_write(entry, value);
}

/* Writes the small pages of one table, from page to last; the entries are counted at the end. */
static word_t apply_small(struct pd *pd, const struct path *path, word_t page, word_t last,
                          uint64_t value, unsigned *budget, struct flush *flush)
{
        const word_t left = min_word(last, page | (LARGE_PAGES - 1)) - page + 1;
        const word_t count = min_word(left, *budget);
        const uint64_t step = value ? PAGE_SIZE : 0;
        struct frame_info *info = frame_info(path->table[0]);
        uint64_t *entry = entry_of(path, page, 0);
        word_t before = 0;

        if (!info->used)
                fill_empty(entry, count, value);
        else
                for (uint64_t *const end = entry + count; entry != end; entry++, value += step) {
                        before += *entry != 0;
                        pte_write(entry, value);
                }
        info->used = (uint16_t)(info->used + (step ? count : 0) - before);
        *budget -= (unsigned)count;
        if (before)
                flush_add(flush, pd);
        return page + count;
}

/* Whether a large page can map page onto frame: both aligned, enough left, no table in its place
 * (removing takes the table along). */
static bool fits_large(word_t page, word_t last, word_t frame, uint64_t entry, bool remove)
{
        if (page & (LARGE_PAGES - 1) || last - page < LARGE_PAGES - 1)
                return false;
        return remove || (!(frame & (LARGE_PAGES - 1)) && (!entry || entry & PTE_LARGE));
}

/* Handles what lies below one entry of level 1, which the path leads to. false: no memory. */
static bool apply_entry(struct pd *pd, struct path *path, const struct page_range *range,
                        word_t *at, word_t last, unsigned *budget, struct flush *flush)
{
        const uint64_t flags = entry_flags(range->perms);
        const word_t page = *at, frame = range->frame + (page - range->first);
        const uint64_t entry = *entry_of(path, page, 1);
        const uint64_t value = flags ? (uint64_t)frame << PAGE_BITS | flags : 0;

        if (fits_large(page, last, frame, entry, !flags)) {
                apply_large(pd, path, page, flags ? value | PTE_LARGE : 0, flush);
                if (!flags)
                        prune(pd, path, page, 1, flush);
                *at += LARGE_PAGES;
                return true;
        }
        if (!flags && !entry) {
                prune(pd, path, page, 1, flush);
                *at = (page | (LARGE_PAGES - 1)) + 1;
                return true;
        }
        if (entry & PTE_LARGE && !split_large(pd, path, page, flush))
                return false;
        if (walk(pd, path, page, 0, flags, flush) > 0)
                return false;
        *at = apply_small(pd, path, page, last, value, budget, flush);
        if (!flags)
                prune(pd, path, page, 0, flush);
        return true;
}

bool page_table_apply(struct pd *pd, const struct page_range *range, word_t *at, unsigned *budget,
                      struct flush *flush)
{
        const word_t last = min_word(range->last, USER_PAGES - 1);
        struct path path;

        while (*at <= last && *budget) {
                const unsigned level = walk(pd, &path, *at, 1, range->perms, flush);
                --*budget;
                if (level <= 1) {
                        if (!apply_entry(pd, &path, range, at, last, budget, flush))
                                return false;
                } else if (range->perms) {
                        return false;
                } else {
                        prune(pd, &path, *at, level, flush); /* memory ran out on the way */
                        *at = (*at | (((word_t)1 << 9 * level) - 1)) + 1;
                }
        }
        if (*at > last)
                *at = range->last + 1;
        return true;
}

bool page_table_split(struct pd *pd, word_t page, struct flush *flush)
{
        struct path path;

        if (page >= USER_PAGES || !(page & (LARGE_PAGES - 1)))
                return true;
        if (walk(pd, &path, page, 1, false, NULL) > 1 || !(*entry_of(&path, page, 1) & PTE_LARGE))
                return true;
        return split_large(pd, &path, page, flush);
}

uint8_t *page_table_io_bitmap(struct pd *pd, unsigned half, struct flush *flush)
{
        struct address_space *tables = &pd->memory.tables;
        const word_t bytes = ((tables->window ? 0 : WINDOW_FRAMES) + 1) << PAGE_BITS;

        if (pd->io.bitmap[half])
                return pd->io.bitmap[half];
        if (!account_charge(pd->account, bytes))
                return NULL;

        uint8_t *page = frame_alloc();
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
        flush_add(flush, pd);
        return page;
}
