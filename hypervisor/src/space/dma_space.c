/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA page tables of PDs (see dma_space.h). A table counts its entries in its frame's note and goes
 * when it is empty; its frame is freed after the I/O TLBs are flushed. */
#include "space/dma_space.h"

#include "arch/x86/insn.h"
#include "arch/x86/pte.h"
#include "arch/x86/tlb.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "nova/abi/crd.h"
#include "object/pd.h"
#include "paging_levels.h"

#define LEVELS_MAX 4
#define CACHE_LINE 32 /* the smallest there is */
#define TABLE_SIZE 512

struct dma_format dma_format;

/* The tables on the way to a page: table[l] holds the entry of level l; level 0 maps 4 KiB. */
struct dma_path {
        uint64_t *table[LEVELS_MAX];
};

void dma_sync(const void *start, size_t size)
{
        if (!dma_format.incoherent)
                return;
        for (size_t at = 0; at < size; at += CACHE_LINE)
                clflush((const char *)start + at);
        atomic_fence();
}

static uint64_t *table_create(struct pd *pd)
{
        if (!account_charge(pd->account, PAGE_SIZE))
                return NULL;

        uint64_t *table = frame_alloc_zeroed();
        if (table) {
                frame_info(table)->used = 0;
                dma_sync(table, PAGE_SIZE);
        } else {
                account_return(pd->account, PAGE_SIZE);
        }
        return table;
}

bool dma_space_create(struct pd *pd)
{
        if (!pd->dma.root)
                pd->dma.root = table_create(pd);
        return pd->dma.root;
}

void dma_space_fini(struct pd *pd)
{
        if (!pd->dma.root)
                return;
        frame_free(pd->dma.root);
        account_return(pd->account, PAGE_SIZE);
        pd->dma.root = NULL;
}

static uint64_t *entry_of(const struct dma_path *path, word_t page, unsigned level)
{
        return &path->table[level][page >> 9 * level & (TABLE_SIZE - 1)];
}

/* Writes count entries of one table, the first for page; step is added from one to the next. */
static void write_entries(const struct pd *pd, const struct dma_path *path, word_t page,
                          unsigned level, word_t count, uint64_t value, struct flush *flush)
{
        const uint64_t step = value ? (uint64_t)PAGE_SIZE << 9 * level : 0;
        uint64_t *entry = entry_of(path, page, level);
        struct frame_info *info = frame_info(path->table[level]);
        bool changed = dma_format.keeps_absent;

        for (word_t i = 0; i < count; i++, value += step) {
                changed |= entry[i] && entry[i] != value;
                info->used = (uint16_t)(info->used + !!value - !!entry[i]);
                pte_write(&entry[i], value);
        }
        dma_sync(entry, count * sizeof(*entry));
        if (changed)
                flush_add_dma(flush, pd->dma.domain);
}

static uint64_t table_flags(unsigned level)
{
        return dma_format.table | level * dma_format.table_level;
}

static bool is_page(uint64_t entry, unsigned level)
{
        return !level || entry & DMA_LARGE;
}

/* Goes down to the table of a level, or as far as tables lead; makes them if create. The level that
 * it reached; above the wanted one at a large page, or where a table lacks. */
static unsigned walk(struct pd *pd, struct dma_path *path, word_t page, unsigned level, bool create,
                     struct flush *flush)
{
        unsigned at = dma_format.levels - 1;

        path->table[at] = pd->dma.root;
        while (at > level) {
                uint64_t entry = *entry_of(path, page, at);
                if (!entry && create) {
                        const uint64_t *table = table_create(pd);
                        if (!table)
                                return at;
                        entry = pool_to_phys(table) | table_flags(at);
                        write_entries(pd, path, page, at, 1, entry, flush);
                }
                if (!entry || is_page(entry, at))
                        return at;
                path->table[--at] = phys_to_pool(entry & PTE_ADDRESS);
        }
        return at;
}

/* Unlinks the tables on a path that became empty, from a level upwards. The root stays. */
static void prune(struct pd *pd, const struct dma_path *path, word_t page, unsigned level,
                  struct flush *flush)
{
        for (; level < dma_format.levels - 1 && !frame_info(path->table[level])->used; level++) {
                flush_add_frame(flush, path->table[level]);
                account_return(pd->account, PAGE_SIZE);
                write_entries(pd, path, page, level + 1, 1, 0, flush);
        }
}

/* Highest level at which one entry can map page onto frame, with so many pages left. */
static unsigned fitting_level(word_t page, word_t frame, word_t left)
{
        unsigned level = 0;

        while (level < dma_format.large) {
                const word_t pages = (word_t)1 << 9 * (level + 1);
                if ((page | frame) & (pages - 1) || left < pages)
                        break;
                level++;
        }
        return level;
}

static uint64_t page_entry(uint64_t frame, unsigned perms, unsigned level)
{
        return frame << PAGE_BITS | dma_format.page | (level ? DMA_LARGE : 0) |
               (perms & NOVA_MEM_R ? dma_format.read : 0) |
               (perms & NOVA_MEM_W ? dma_format.write : 0);
}

/* Pages that one entry of a level maps. */
static word_t span(unsigned level)
{
        return (word_t)1 << 9 * level;
}

/* Adds pages or changes their permissions, as many as one table takes. false: no memory. */
static bool add(struct pd *pd, const struct page_range *range, word_t *at, word_t last,
                unsigned *budget, struct flush *flush)
{
        const word_t frame = range->frame + (*at - range->first);
        unsigned wanted = fitting_level(*at, frame, last - *at + 1);
        struct dma_path path;
        unsigned level = walk(pd, &path, *at, wanted, true, flush);
        uint64_t entry = *entry_of(&path, *at, level);

        if (level > wanted && !entry)
                return false;
        while (entry &&
               !is_page(entry, level)) { /* smaller pages are in the place of a large one */
                path.table[--level] = phys_to_pool(entry & PTE_ADDRESS);
                entry = *entry_of(&path, *at, level);
        }
        const word_t start = align_down(*at, 9 * level); /* inside of a large page: all of it */
        const word_t in_table = TABLE_SIZE - (start & (TABLE_SIZE - 1));
        const word_t count = level ? 1 : min_word(min_word(in_table, last - start + 1), *budget);
        const word_t first_frame = range->frame + (start - range->first);
        write_entries(pd, &path, start, level, count, page_entry(first_frame, range->perms, level),
                      flush);
        *at = start + count * span(level);
        *budget -= (unsigned)min_word(count, *budget);
        return true;
}

/* Removes pages, as many as one table has; a table that lies in the range goes as it is. */
static void clear(struct pd *pd, word_t *at, word_t last, unsigned *budget, struct flush *flush)
{
        const bool whole = !(*at & (TABLE_SIZE - 1)) && last - *at >= TABLE_SIZE - 1;
        struct dma_path path;
        const unsigned level = walk(pd, &path, *at, whole, false, flush);
        const uint64_t entry = *entry_of(&path, *at, level);
        const word_t in_table = TABLE_SIZE - (*at & (TABLE_SIZE - 1));
        const word_t count = level ? 1 : min_word(min_word(in_table, last - *at + 1), *budget);

        if (!level || entry)
                write_entries(pd, &path, *at, level, count, 0, flush);
        if (entry && !is_page(entry, level)) {
                flush_add_frame(flush, phys_to_pool(entry & PTE_ADDRESS));
                account_return(pd->account, PAGE_SIZE);
        }
        prune(pd, &path, *at, level, flush);
        *at = align_down(*at, 9 * level) + count * span(level);
        *budget -= (unsigned)min_word(count, *budget);
}

bool dma_space_apply(struct pd *pd, const struct page_range *range, word_t *at, unsigned *budget,
                     struct flush *flush)
{
        const word_t end = (word_t)1 << min_word(9 * dma_format.levels, NOVA_WORD_BITS - PAGE_BITS);
        const word_t last = min_word(range->last, end - 1);

        if (range->perms && !dma_space_create(pd))
                return false;
        while (pd->dma.root && *at <= last && *budget) {
                if (!range->perms)
                        clear(pd, at, last, budget, flush);
                else if (!add(pd, range, at, last, budget, flush))
                        return false;
        }
        if (*at > last || !pd->dma.root)
                *at = range->last + 1;
        return true;
}

bool dma_space_split(struct pd *pd, word_t page, struct flush *flush)
{
        struct dma_path path;

        for (;;) {
                if (!pd->dma.root || page >> 9 * (dma_format.levels - 1) >= TABLE_SIZE)
                        return true;
                const unsigned level = walk(pd, &path, page, 0, false, flush);
                const uint64_t large = *entry_of(&path, page, level);
                if (!level || !large || !(page & (span(level) - 1)))
                        return true;

                uint64_t *table = table_create(pd);
                if (!table)
                        return false;
                const uint64_t flags = level > 1 ? large : large & ~DMA_LARGE;
                const uint64_t step = (uint64_t)PAGE_SIZE << 9 * (level - 1);
                for (unsigned i = 0; i < TABLE_SIZE; i++)
                        table[i] = flags + i * step;
                frame_info(table)->used = TABLE_SIZE;
                dma_sync(table, PAGE_SIZE);
                write_entries(pd, &path, page, level, 1, pool_to_phys(table) | table_flags(level),
                              flush);
        }
}
