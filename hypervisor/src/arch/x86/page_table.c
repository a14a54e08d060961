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

/* Writes entries where none was, many in a row. */
static void fill_empty(uint64_t *entry, word_t count, uint64_t value)
{
        for (; count >= PTE_BATCH; count -= PTE_BATCH, entry += PTE_BATCH) {
                pte_write_batch(entry, value);
                value += PTE_BATCH * PAGE_SIZE;
        }
        for (; count; count--, entry++, value += PAGE_SIZE)
                pte_write(entry, value);
}

/* A new table without entries, or, unless value is 0, full of it and the frames that follow. */
static uint64_t *table_create(struct pd *pd, uint64_t value)
{
        if (!account_charge(pd->account, PAGE_SIZE))
                return NULL;

        uint64_t *table = value ? frame_alloc() : frame_alloc_zeroed();
        if (!table) {
                account_return(pd->account, PAGE_SIZE);
                return NULL;
        }
        if (value)
                fill_empty(table, LARGE_PAGES, value);
        frame_info(table)->used = value ? LARGE_PAGES : 0;
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

/* Makes the table below an empty entry of a path, as table_create() does, and enters it. The entry;
 * 0: no memory. */
static cold_path uint64_t link_table(struct pd *pd, const struct path *path, word_t page,
                                     unsigned level, uint64_t value, struct flush *flush)
{
        const uint64_t flags = level == TOP ? PAGING_TOP_FLAGS : TABLE_FLAGS;
        const uint64_t *table = table_create(pd, value);

        if (!table)
                return 0;

        const uint64_t entry = pool_to_phys(table) | flags | (PAGING_LEVELS > 3 ? PTE_USER : 0);
        write_entry(path, page, level, entry);
        if (PAGING_LEVELS == 3 && level == TOP)
                flush_add(flush, pd); /* the CPU keeps PDPT entries */
        return entry;
}

/* Finds the table that holds the page's entry of a level; makes tables on the way if create. Stops
 * at a large page. The level that it reached: above the wanted one when tables lack. */
static always_inline unsigned walk(struct pd *pd, struct path *path, word_t page, unsigned level,
                                   bool create, struct flush *flush)
{
        unsigned at = TOP;

        path->table[TOP] = pd->memory.tables.root;
#pragma GCC unroll 3
        for (; at > level; at--) {
                uint64_t entry = *entry_of(path, page, at);
                if (unlikely(!entry) &&
                    (!create || !(entry = link_table(pd, path, page, at, 0, flush))))
                        break;
                if (at == 1 && entry & PTE_LARGE)
                        break;
                path->table[at - 1] = table_of(entry);
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

        if (perms & NOVA_MEM_W)
                flags |= PTE_WRITE;
        if (!(perms & NOVA_MEM_X) && cpu_has(FEATURE_NX))
                flags |= PTE_NOEXECUTE;
        return flags;
}

/* Replaces a large page by a table of small ones. */
static cold_path bool split_large(struct pd *pd, const struct path *path, word_t page,
                                  struct flush *flush)
{
        const uint64_t *table = table_create(pd, *entry_of(path, page, 1) & ~PTE_LARGE);

        if (!table)
                return false;
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

/* Writes the small pages of one table, or removes them, at most count; the entries are counted at
 * the end. */
static always_inline word_t apply_small(struct pd *pd, const struct path *path, word_t page,
                                        word_t count, bool add, uint64_t value, unsigned *budget,
                                        struct flush *flush)
{
        struct frame_info *info = frame_info(path->table[0]);
        uint64_t *entry = entry_of(path, page, 0);
        word_t before = 0;

        count = min_word(min_word(count, LARGE_PAGES - (page & (LARGE_PAGES - 1))), *budget);
        *budget -= (unsigned)count;
        if (add && !info->used) {
                fill_empty(entry, count, value);
        } else {
                uint64_t *const end = entry + count;
                for (; entry != end; entry++, value += add ? PAGE_SIZE : 0) {
                        before += *entry != 0;
                        pte_write(entry, value);
                }
        }
        info->used = (uint16_t)(info->used + (add ? count : 0) - before);
        if (before)
                flush_add(flush, pd);
        return count;
}

/* What is to be done where a walk ended above level 0: writes all below an entry of level 1
 * (whole), passes over what is absent, or leads the path on to level 0, where the entries are.
 * Pages that are done now; 0 with *level above 0: no memory. */
static __attribute__((noinline)) word_t apply_above(struct pd *pd, struct path *path, word_t page,
                                                    unsigned *level, bool whole, uint64_t value,
                                                    unsigned *budget, struct flush *flush)
{
        const uint64_t entry = *entry_of(path, page, *level);
        const word_t span = (word_t)1 << 9 * *level;
        const bool large = whole && !((word_t)(value >> PAGE_BITS) & (LARGE_PAGES - 1));

        if (*level > 1 || (!entry && !whole)) {
                --*budget;
                return value ? 0 : span - (page & (span - 1));
        }
        if (large && (!value || !entry || entry & PTE_LARGE)) {
                --*budget;
                apply_large(pd, path, page, value ? value | PTE_LARGE : 0, flush);
                return span;
        }
        if (!entry) {
                const bool full = *budget >= LARGE_PAGES;
                if (!link_table(pd, path, page, 1, full ? value : 0, flush))
                        return 0;
                if (full) {
                        *budget -= LARGE_PAGES;
                        return LARGE_PAGES;
                }
        }
        if (entry & PTE_LARGE && !split_large(pd, path, page, flush))
                return 0;
        path->table[0] = table_of(*entry_of(path, page, 1));
        *level = 0;
        return 0;
}

/* Writes value, which goes on with the next frames, for page and up to count - 1 that follow it, or
 * removes them (0): a large page, or small ones of one table. How many it did; 0: no memory. */
static always_inline word_t apply_table(struct pd *pd, word_t page, word_t count, bool add,
                                        uint64_t value, unsigned *budget, struct flush *flush)
{
        const bool whole = count >= LARGE_PAGES && !(page & (LARGE_PAGES - 1));
        struct path path;
        unsigned level = walk(pd, &path, page, whole, add, flush);
        word_t done = 0;

        if (unlikely(level)) {
                done = apply_above(pd, &path, page, &level, whole, value, budget, flush);
                if (!done && level)
                        return 0;
        }
        if (likely(!done))
                done = apply_small(pd, &path, page, count, add, value, budget, flush);
        if (!add && (level || !frame_info(path.table[0])->used))
                prune(pd, &path, page, level, flush);
        return done;
}

/* One of its two kinds: adds pages, or removes them. */
static always_inline bool apply(struct pd *pd, const struct page_range *range, bool add,
                                uint64_t flags, word_t *at, unsigned *budget, struct flush *flush)
{
        const word_t end = min_word(range->last, USER_PAGES - 1) + 1;
        word_t page = *at, done = 1;

        while (page < end && *budget && done) {
                const uint64_t frame = range->frame + (page - range->first);
                const uint64_t value = add ? frame << PAGE_BITS | flags : 0;
                done = apply_table(pd, page, end - page, add, value, budget, flush);
                page += done;
        }
        *at = page < end ? page : range->last + 1;
        return done;
}

bool page_table_apply(struct pd *pd, const struct page_range *range, word_t *at, unsigned *budget,
                      struct flush *flush)
{
        if (!range->perms)
                return apply(pd, range, false, 0, at, budget, flush);
        return apply(pd, range, true, entry_flags(range->perms), at, budget, flush);
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
