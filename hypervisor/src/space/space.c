/* SPDX-License-Identifier: BSD-2-Clause */
/* Spaces of all types: one interface to the tables of each (see space.h). */
#include "space/space.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "object/pd.h"
#include "space/budget.h"
#include "space/mapping.h"
#include "space/page_table.h"
#include "space/second_level.h"

#define IO_PORTS      0x10000
#define PORTS_OF_PAGE ((word_t)PAGE_SIZE * 8)

struct spinlock space_lock[4];

static enum space_tables space_tables_of(unsigned type, const struct pd *pd)
{
        if (pd == &kernel_pd || type == NOVA_CRD_OBJ)
                return SPACE_NO_TABLES;
        return type == NOVA_CRD_MEM ? SPACE_PAGES : SPACE_PORTS;
}

void space_init(struct space *space, unsigned type, struct pd *pd)
{
        space->tree.root = NULL;
        space->recent = NULL;
        space->type = (uint8_t)type;
        space->tables = (uint8_t)space_tables_of(type, pd);
        space->pd = pd;
        space->charged = 0;
}

word_t space_limit(unsigned type)
{
        switch (type) {
        case NOVA_CRD_MEM:
                return (word_t)1 << (NOVA_WORD_BITS - PAGE_BITS);
        case NOVA_CRD_IO:
                return IO_PORTS;
        default:
                return (word_t)1 << NOVA_SEL_ORDER;
        }
}

/* Clears (allowed) or sets (forbidden) the bits of ports in one page of a bitmap. */
static void space_io_write(word_t *bitmap, word_t first, word_t last, bool allowed)
{
        word_t *at = &bitmap[first % PORTS_OF_PAGE / NOVA_WORD_BITS];
        word_t *const end = &bitmap[last % PORTS_OF_PAGE / NOVA_WORD_BITS];
        word_t bits = ~(word_t)0 << first % NOVA_WORD_BITS;
        const word_t value = allowed ? 0 : ~(word_t)0;

        if (at != end) {
                *at ^= (*at ^ value) & bits;
                while (++at != end)
                        *at = value;
                bits = ~(word_t)0;
        }
        bits &= ~(word_t)0 >> ~last % NOVA_WORD_BITS;
        *at ^= (*at ^ value) & bits;
}

/* Writes the I/O bitmap in the unusual cases: the PD lacks its own page of the bitmap, or the ports
 * lie in both pages. false: no memory. */
static cold_path bool space_io_apply_pages(const struct mapping *mapping, struct flush *flush)
{
        const word_t first = mapping->in_space.start, last = mapping->in_space.last;
        const bool allowed = mapping->perms & NOVA_IO_A;
        struct pd *pd = mapping->space->pd;

        for (word_t port = first, end; port <= last; port = end + 1) {
                const unsigned page = (unsigned)(port / PORTS_OF_PAGE);
                end = min_word(last, port | (PORTS_OF_PAGE - 1));
                if (allowed && !page_table_io_bitmap(pd, page, flush))
                        return false;
                if (pd->io.bitmap[page])
                        space_io_write(pd->io.bitmap[page], port, end, allowed);
        }
        return true;
}

/* Writes the I/O bitmap of a PD. false: no memory. */
static bool space_io_apply(const struct mapping *mapping, struct flush *flush)
{
        const word_t first = mapping->in_space.start, last = mapping->in_space.last;
        word_t *bitmap = mapping->space->pd->io.bitmap[first / PORTS_OF_PAGE];

        if (unlikely(!bitmap || (first ^ last) >= PORTS_OF_PAGE))
                return space_io_apply_pages(mapping, flush);
        space_io_write(bitmap, first, last, mapping->perms & NOVA_IO_A);
        return true;
}

/* Writes a second-level table if it exists or is required. Then ends the range at the last page
 * that it wrote, and adds the number of entries that it wrote to *used. */
static bool space_second_apply(struct pd *pd, enum second_level_kind kind, bool wanted,
                               struct page_range *range, word_t at, unsigned budget, unsigned *used,
                               struct flush *flush)
{
        const unsigned whole = budget;
        const bool dma = kind == SECOND_LEVEL_DMA;
        const unsigned perms = range->perms;

        if (!(dma ? dma_format : guest_format).levels ||
            !((dma ? pd->dma : pd->guest).root || wanted))
                return true;
        range->perms = !wanted ? 0 : dma ? perms & ~NOVA_MEM_X : perms;
        const bool done = second_level_apply(pd, kind, range, &at, &budget, flush);
        range->perms = perms;
        range->last = at - 1;
        *used += whole - budget;
        return done;
}

/* Returns the permissions in a page table. The mapping of a UTCB has no permissions of its own. */
static unsigned space_shown(const struct mapping *mapping)
{
        return mapping->attr & MAPPING_UTCB ? NOVA_MEM_R | NOVA_MEM_W : mapping->perms;
}

/* Writes the DMA table, the guest table and the page table. Each table gets the whole budget, so
 * that small pages in one table do not keep another table from using a large page. Together they
 * may spend three times the budget, but only once in a step. The next step repeats the pages that a
 * later table did not reach.
 *
 * A second-level table with small pages may end the range in the middle of a large page of the page
 * table. Reduced permissions are then written to the whole large page, in this step and in the next
 * one, because there may be no memory to split it. */
static cold_path bool space_apply_all_tables(const struct mapping *mapping, bool reduces,
                                             word_t *at, unsigned *budget, struct flush *flush)
{
        const bool dma = mapping->attr & MAPPING_DMA, guest = mapping->attr & MAPPING_GUEST;
        struct pd *pd = mapping->space->pd;
        struct page_range range = {
                .first = mapping->in_space.start,
                .last = mapping->in_space.last,
                .frame = mapping->in_parent.start,
                .perms = space_shown(mapping),
                .reduces = reduces,
        };
        bool done = true;
        unsigned used = 0;

        /* Without this check, page_table_apply() would report pages beyond the user half as
         * done. */
        if (!*budget)
                return true;
        if (!space_second_apply(pd, SECOND_LEVEL_DMA, dma, &range, *at, *budget, &used, flush) ||
            !space_second_apply(pd, SECOND_LEVEL_GUEST, guest, &range, *at, *budget, &used,
                                flush)) {
                --*budget;
                return false;
        }
        const uint64_t value = page_table_value(range.frame + (*at - range.first), range.perms);
        if (reduces)
                page_table_reduce(pd, at, range.last, value, budget, flush);
        else
                done = page_table_apply(pd, at, range.last, value, budget, flush);
        budget_spend(budget, used);
        return done;
}

/* Writes all tables from the first page of a mapping to the last. */
static cold_path bool space_apply_whole(const struct mapping *mapping, struct flush *flush)
{
        word_t at = mapping->in_space.start;
        unsigned budget = UINT32_MAX;

        return space_apply_all_tables(mapping, false, &at, &budget, flush);
}

/* Returns the page-table entry for a selector of a mapping. */
static inline uint64_t space_value_at(const struct mapping *mapping, word_t at)
{
        return page_table_value(mapping->in_parent.start + (at - mapping->in_space.start),
                                space_shown(mapping));
}

/* Returns true if a mapping is only in the page table. */
static inline bool space_has_pages_only(const struct mapping *mapping)
{
        return mapping->space->tables == SPACE_PAGES &&
               !(mapping->attr & (MAPPING_DMA | MAPPING_GUEST));
}

bool space_apply(const struct mapping *mapping, struct flush *flush)
{
        const word_t first = mapping->in_space.start, last = mapping->in_space.last;
        const struct space *space = mapping->space;

        assert_held(&space_lock[space->type]);
        if (likely(space_has_pages_only(mapping)))
                return page_table_write(space->pd, first, last, space_value_at(mapping, first),
                                        flush);
        if (space->tables == SPACE_PORTS)
                return space_io_apply(mapping, flush);
        return space->tables == SPACE_NO_TABLES || space_apply_whole(mapping, flush);
}

bool space_apply_from(const struct mapping *mapping, word_t *at, unsigned *budget,
                      struct flush *flush)
{
        const word_t last = mapping->in_space.last;
        const struct space *space = mapping->space;

        assert_held(&space_lock[space->type]);
        if (space_has_pages_only(mapping))
                return page_table_apply(space->pd, at, last, space_value_at(mapping, *at), budget,
                                        flush);
        if (space->tables == SPACE_PAGES || space->tables == SPACE_ALL_TABLES)
                return space_apply_all_tables(mapping, false, at, budget, flush);
        if (space->tables == SPACE_PORTS)
                *budget -= (unsigned)min_word(*budget, (last - *at) / NOVA_WORD_BITS + 1);
        *at = last + 1;
        return space_apply(mapping, flush);
}

void space_reduce_from(const struct mapping *mapping, word_t *at, unsigned *budget,
                       struct flush *flush)
{
        const struct space *space = mapping->space;

        assert_held(&space_lock[space->type]);
        assert(mapping->perms);
        if (space_has_pages_only(mapping))
                page_table_reduce(space->pd, at, mapping->in_space.last,
                                  space_value_at(mapping, *at), budget, flush);
        else if (space->tables == SPACE_PAGES || space->tables == SPACE_ALL_TABLES)
                space_apply_all_tables(mapping, true, at, budget, flush);
        else /* the pages of the I/O bitmap that contain open ports exist */
                space_apply_from(mapping, at, budget, flush);
}

bool space_split(struct space *space, word_t x, unsigned *budget, struct flush *flush)
{
        return space->type != NOVA_CRD_MEM || (page_table_split(space->pd, x, budget, flush) &&
                                               second_level_split(space->pd, x, budget, flush));
}
