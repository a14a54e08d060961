/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-level page tables of PDs (see second_level.h). The frame_info of a table counts its
 * entries. An empty table is unlinked, and its frame is freed after the TLBs are flushed. */
#include "space/second_level.h"

#include "arch/x86/insn.h"
#include "arch/x86/pte.h"
#include "arch/x86/tlb.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "memory/ram.h"
#include "nova/abi/crd.h"
#include "object/pd.h"
#include "paging_levels.h"
#include "space/budget.h"

#define LEVELS_MAX 4
#define CACHE_LINE 32 /* the smallest size of a cache line */
#define TABLE_SIZE 512

struct second_level_format dma_format, guest_format;

/* The tables on the path to a page: table[l] holds the entry of level l; level 0 maps 4 KiB. */
struct walk {
        struct pd *pd;
        struct second_level *tables;
        const struct second_level_format *format;
        struct flush *flush;
        uint64_t *table[LEVELS_MAX];
};

static struct walk second_level_walk_of(struct pd *pd, enum second_level_kind kind,
                                        struct flush *flush)
{
        if (kind == SECOND_LEVEL_DMA)
                return (struct walk){pd, &pd->dma, &dma_format, flush, {0}};
        return (struct walk){pd, &pd->guest, &guest_format, flush, {0}};
}

void dma_sync(const void *start, size_t size)
{
        const char *line = (const char *)start - (word_t)start % CACHE_LINE;
        const char *const end = (const char *)start + size;

        if (!dma_format.incoherent)
                return;
        for (; line < end; line += CACHE_LINE)
                clflush(line);
        atomic_fence();
}

static uint64_t *second_level_table_create(struct pd *pd, bool sync)
{
        if (!account_charge(pd->account, PAGE_SIZE))
                return NULL;

        uint64_t *table = frame_alloc_zeroed();
        if (table) {
                frame_info(table)->used = 0;
                if (sync)
                        dma_sync(table, PAGE_SIZE);
        } else {
                account_return(pd->account, PAGE_SIZE);
        }
        return table;
}

bool second_level_create(struct pd *pd, enum second_level_kind kind)
{
        const struct walk walk = second_level_walk_of(pd, kind, NULL);

        if (!walk.tables->root)
                walk.tables->root = second_level_table_create(pd, walk.format->incoherent);
        if (walk.tables->root)
                pd->memory.space.tables = SPACE_ALL_TABLES;
        return walk.tables->root;
}

static void second_level_free_root(struct pd *pd, struct second_level *tables)
{
        if (!tables->root)
                return;
        frame_free(tables->root);
        account_return(pd->account, PAGE_SIZE);
        tables->root = NULL;
}

void second_level_fini(struct pd *pd)
{
        second_level_free_root(pd, &pd->dma);
        second_level_free_root(pd, &pd->guest);
}

static uint64_t *second_level_entry_of(const struct walk *walk, word_t page, unsigned level)
{
        return &walk->table[level][page >> 9 * level & (TABLE_SIZE - 1)];
}

/* Requests that the users of this table flush its translations from their TLBs. */
static void second_level_note_change(const struct walk *walk)
{
        if (walk->format == &dma_format) {
                flush_add_dma(walk->flush, walk->tables->domain);
                return;
        }
        if (walk->tables->generation != GENERATION_LAST)
                store_once(walk->tables->generation, walk->tables->generation + 1);
        flush_add(walk->flush, walk->pd);
}

/* Writes count entries of one table, the first for page. Each entry maps the frames after the
 * frames of the previous entry. */
static void second_level_write_entries(const struct walk *walk, word_t page, unsigned level,
                                       word_t count, uint64_t value)
{
        const uint64_t step = value ? (uint64_t)PAGE_SIZE << 9 * level : 0;
        uint64_t *entry = second_level_entry_of(walk, page, level);
        struct frame_info *info = frame_info(walk->table[level]);
        bool changed = walk->format->keeps_absent;
        unsigned present = 0;

        for (word_t i = 0; i < count; i++, value += step) {
                const uint64_t old = entry[i];
                if (old) {
                        present++;
                        changed |= old != value;
                }
                pte_replace(&entry[i], value);
        }
        info->used = (uint16_t)(info->used + (step ? count : 0) - present);
        if (walk->format->incoherent)
                dma_sync(entry, count * sizeof(*entry));
        if (changed)
                second_level_note_change(walk);
}

static uint64_t second_level_table_entry(const struct walk *walk, const uint64_t *table,
                                         unsigned level)
{
        const struct second_level_format *format = walk->format;

        return pool_to_phys(table) | level * format->table_level |
               (level == format->levels - 1 ? format->top_table : format->table);
}

static bool second_level_is_page(uint64_t entry, unsigned level)
{
        return !level || entry & SECOND_LEVEL_LARGE;
}

/* Goes down to the table of a level; creates missing tables if `create` is true. Returns the level
 * that it reached, which is above the wanted level at a large page or at a missing table. */
static unsigned second_level_descend(struct walk *walk, word_t page, unsigned level, bool create)
{
        unsigned at = walk->format->levels - 1;

        walk->table[at] = walk->tables->root;
        while (at > level) {
                uint64_t entry = *second_level_entry_of(walk, page, at);
                if (!entry && create) {
                        const uint64_t *table =
                                second_level_table_create(walk->pd, walk->format->incoherent);
                        if (!table)
                                return at;
                        walk->pd->memory.space.charged += PAGE_SIZE;
                        entry = second_level_table_entry(walk, table, at);
                        second_level_write_entries(walk, page, at, 1, entry);
                }
                if (!entry || second_level_is_page(entry, at))
                        return at;
                walk->table[--at] = phys_to_pool(entry & PTE_ADDRESS);
        }
        return at;
}

/* Unlinks the tables of a path that have become empty, from a level upwards. The root stays. */
static void second_level_prune(const struct walk *walk, word_t page, unsigned level)
{
        const unsigned top = walk->format->levels - 1;

        for (; level < top && !frame_info(walk->table[level])->used; level++) {
                flush_add_frame(walk->flush, walk->table[level]);
                account_return(walk->pd->account, PAGE_SIZE);
                second_level_write_entries(walk, page, level + 1, 1, 0);
        }
}

/* Returns the highest level at which one entry can map page to frame; left: pages to map. */
static unsigned second_level_fitting_level(const struct walk *walk, word_t page, word_t frame,
                                           word_t left, unsigned perms)
{
        const struct second_level_format *format = walk->format;
        const unsigned large = format->small_execute && perms & NOVA_MEM_X ? 0 : format->large;
        unsigned level = 0;

        while (level < large) {
                const word_t pages = (word_t)1 << 9 * (level + 1);
                if ((page | frame) & (pages - 1) || left < pages)
                        break;
                level++;
        }
        return level;
}

/* Returns the number of pages, at most left, that begin at a frame and have equal bits for RAM.
 * Sets *ram to these bits. */
static word_t second_level_alike(const struct second_level_format *format, word_t frame,
                                 word_t left, uint64_t *ram)
{
        uint64_t end;

        *ram = 0;
        if (!format->ram)
                return left;
        if (ram_contains(frame, &end))
                *ram = format->ram;
        return end - frame < left ? (word_t)(end - frame) : left;
}

static uint64_t second_level_page_entry(const struct second_level_format *format, uint64_t frame,
                                        unsigned perms, unsigned level)
{
        return frame << PAGE_BITS | format->page | (level ? SECOND_LEVEL_LARGE : 0) |
               (perms & NOVA_MEM_R ? format->read : 0) | (perms & NOVA_MEM_W ? format->write : 0) |
               (perms & NOVA_MEM_X ? format->execute : format->no_execute);
}

/* Returns the number of pages that one entry of a level maps. */
static word_t second_level_span(unsigned level)
{
        return (word_t)1 << 9 * level;
}

/* Adds pages of one table or changes their permissions. false: no memory. If permissions are only
 * reduced, skips a part of the address space that has no table. */
static bool second_level_add(struct walk *walk, const struct page_range *range, word_t *at,
                             word_t last, unsigned *budget)
{
        const word_t frame = range->frame + (*at - range->first);
        uint64_t ram;
        const word_t left = second_level_alike(walk->format, frame, last - *at + 1, &ram);
        const unsigned wanted = second_level_fitting_level(walk, *at, frame, left, range->perms);
        unsigned level = second_level_descend(walk, *at, wanted, !range->reduces);
        uint64_t entry = *second_level_entry_of(walk, *at, level);

        if (range->reduces && level && !entry) {
                *at = align_down(*at, 9 * level) + second_level_span(level);
                budget_spend(budget, BUDGET_TABLE);
                return true;
        }
        if (level > wanted && !entry)
                return false;
        while (entry &&
               !second_level_is_page(entry,
                                     level)) { /* smaller pages lie where the large page would be */
                walk->table[--level] = phys_to_pool(entry & PTE_ADDRESS);
                entry = *second_level_entry_of(walk, *at, level);
        }
        const word_t start = align_down(*at, 9 * level); /* inside a large page: all of that page */
        const word_t in_table = TABLE_SIZE - (start & (TABLE_SIZE - 1));
        const word_t count = level ? 1 : min_word(min_word(in_table, left), *budget);
        const word_t first_frame = range->frame + (start - range->first);
        second_level_write_entries(
                walk, start, level, count,
                second_level_page_entry(walk->format, first_frame, range->perms, level) | ram);
        *at = start + count * second_level_span(level);
        budget_spend(budget, level ? BUDGET_TABLE : count);
        return true;
}

/* Removes pages of one table. If the whole table lies in the range, removes the table. */
static void second_level_clear(struct walk *walk, word_t *at, word_t last, unsigned *budget)
{
        const bool whole = !(*at & (TABLE_SIZE - 1)) && last - *at >= TABLE_SIZE - 1;
        const unsigned level = second_level_descend(walk, *at, whole, false);
        const uint64_t entry = *second_level_entry_of(walk, *at, level);
        const word_t in_table = TABLE_SIZE - (*at & (TABLE_SIZE - 1));
        const word_t count = level ? 1 : min_word(min_word(in_table, last - *at + 1), *budget);

        if (!level || entry)
                second_level_write_entries(walk, *at, level, count, 0);
        if (entry && !second_level_is_page(entry, level)) {
                flush_add_frame(walk->flush, phys_to_pool(entry & PTE_ADDRESS));
                account_return(walk->pd->account, PAGE_SIZE);
        }
        second_level_prune(walk, *at, level);
        *at = align_down(*at, 9 * level) + count * second_level_span(level);
        budget_spend(budget, level ? BUDGET_TABLE : count);
}

bool second_level_apply(struct pd *pd, enum second_level_kind kind, const struct page_range *range,
                        word_t *at, unsigned *budget, struct flush *flush)
{
        struct walk walk = second_level_walk_of(pd, kind, flush);
        const word_t end = (word_t)1
                           << min_word(9 * walk.format->levels, NOVA_WORD_BITS - PAGE_BITS);
        const word_t last = min_word(range->last, end - 1);

        if (range->perms && !range->reduces && !walk.tables->root) {
                if (!second_level_create(pd, kind))
                        return false;
                pd->memory.space.charged += PAGE_SIZE;
        }
        while (walk.tables->root && *at <= last && *budget) {
                if (!range->perms)
                        second_level_clear(&walk, at, last, budget);
                else if (!second_level_add(&walk, range, at, last, budget))
                        return false;
        }
        if (*at > last || !walk.tables->root)
                *at = range->last + 1;
        return true;
}

static bool second_level_split_at(struct walk *walk, word_t page, unsigned *budget)
{
        for (;;) {
                if (!walk->tables->root || page >> 9 * (walk->format->levels - 1) >= TABLE_SIZE)
                        return true;
                const unsigned level = second_level_descend(walk, page, 0, false);
                const uint64_t large = *second_level_entry_of(walk, page, level);
                if (!level || !large || !(page & (second_level_span(level) - 1)))
                        return true;

                budget_spend(budget, TABLE_SIZE);
                uint64_t *table = second_level_table_create(walk->pd, walk->format->incoherent);
                if (!table)
                        return false;
                const uint64_t flags = level > 1 ? large : large & ~SECOND_LEVEL_LARGE;
                const uint64_t step = (uint64_t)PAGE_SIZE << 9 * (level - 1);
                for (unsigned i = 0; i < TABLE_SIZE; i++)
                        table[i] = flags + i * step;
                frame_info(table)->used = TABLE_SIZE;
                if (walk->format->incoherent)
                        dma_sync(table, PAGE_SIZE);
                second_level_write_entries(walk, page, level, 1,
                                           second_level_table_entry(walk, table, level));
        }
}

bool second_level_split(struct pd *pd, word_t page, unsigned *budget, struct flush *flush)
{
        struct walk dma = second_level_walk_of(pd, SECOND_LEVEL_DMA, flush);
        struct walk guest = second_level_walk_of(pd, SECOND_LEVEL_GUEST, flush);

        return second_level_split_at(&dma, page, budget) &&
               second_level_split_at(&guest, page, budget);
}
