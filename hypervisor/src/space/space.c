/* SPDX-License-Identifier: BSD-2-Clause */
/* Spaces of all types: what differs between them behind one interface (see space.h). */
#include "space/space.h"

#include "arch/x86/page_table.h"
#include "lib/bits.h"
#include "object/pd.h"
#include "platform/boot.h"
#include "space/mapping.h"
#include "space/second_level.h"

#define IO_PORTS      0x10000
#define PORTS_OF_PAGE (PAGE_SIZE * 8)

struct spinlock space_lock[4];

static enum space_tables tables_of(unsigned type, const struct pd *pd)
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
        space->tables = (uint8_t)tables_of(type, pd);
        space->pd = pd;
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

/* Makes what lacks of a PD's bitmap for ports first..last. false: no memory. */
static cold_path bool make_bitmap(struct pd *pd, word_t first, word_t last, struct flush *flush)
{
        for (word_t half = first / PORTS_OF_PAGE; half <= last / PORTS_OF_PAGE; half++)
                if (!page_table_io_bitmap(pd, (unsigned)half, flush))
                        return false;
        return true;
}

/* Sets (forbids) or clears the bits of ports from *at on, a byte or a part of it at a time. */
static __attribute__((noinline)) bool io_space_apply(const struct mapping *mapping, word_t *at,
                                                     unsigned *budget, struct flush *flush)
{
        const unsigned allowed = mapping->perms & NOVA_IO_A ? 0xff : 0;
        const word_t last = mapping->in_space.last;
        struct pd *pd = mapping->space->pd;
        uint8_t *const *half = pd->io.bitmap;
        word_t port = *at;

        if (allowed && unlikely(!half[port / PORTS_OF_PAGE] || !half[last / PORTS_OF_PAGE]) &&
            !make_bitmap(pd, port, last, flush))
                return false;
        for (; port <= last && *budget; --*budget) {
                const word_t end = min_word(last, port | 7);
                uint8_t *bitmap = half[port / PORTS_OF_PAGE];
                const unsigned mask = (0xffu << (port & 7)) & (0xffu >> (~end & 7));

                if (likely(bitmap)) {
                        uint8_t *byte = &bitmap[port % PORTS_OF_PAGE / 8];
                        *byte = (uint8_t)((*byte | mask) ^ (allowed & mask));
                }
                port = bitmap ? end + 1 : min_word(last, port | (PORTS_OF_PAGE - 1)) + 1;
        }
        *at = port;
        return true;
}

/* A second-level table that is there or wanted; afterwards the range ends where it came to. */
static bool second_apply(struct pd *pd, enum second_level_kind kind, bool wanted,
                         struct page_range *range, word_t at, unsigned budget, struct flush *flush)
{
        const bool dma = kind == SECOND_LEVEL_DMA;
        const unsigned perms = range->perms;

        if (!(dma ? dma_format : guest_format).levels ||
            !((dma ? pd->dma : pd->guest).root || wanted) || !budget)
                return true;
        range->perms = !wanted ? 0 : dma ? perms & ~NOVA_MEM_X : perms;
        const bool done = second_level_apply(pd, kind, range, &at, &budget, flush);
        range->perms = perms;
        range->last = at - 1;
        return done;
}

/* Permissions that a page table shows: a UTCB has none. */
static unsigned shown(const struct mapping *mapping)
{
        return mapping->attr & MAPPING_UTCB ? NOVA_MEM_R | NOVA_MEM_W : mapping->perms;
}

/* The page table after the DMA and the guest table. All get the whole budget, and what the next
 * one did not come to is done once more by the next step. */
static cold_path bool apply_all_tables(const struct mapping *mapping, word_t *at, unsigned *budget,
                                       struct flush *flush)
{
        const bool dma = mapping->attr & MAPPING_DMA, guest = mapping->attr & MAPPING_GUEST;
        struct pd *pd = mapping->space->pd;
        struct page_range range = {
                .first = mapping->in_space.start,
                .last = mapping->in_space.last,
                .frame = mapping->in_parent.start,
                .perms = shown(mapping),
        };

        if (!second_apply(pd, SECOND_LEVEL_DMA, dma, &range, *at, *budget, flush) ||
            !second_apply(pd, SECOND_LEVEL_GUEST, guest, &range, *at, *budget, flush)) {
                --*budget;
                return false;
        }
        return page_table_apply(pd, at, range.last,
                                page_table_value(range.frame + (*at - range.first), range.perms),
                                budget, flush);
}

bool space_apply(const struct mapping *mapping, word_t *at, unsigned *budget, struct flush *flush)
{
        const struct space *space = mapping->space;
        const word_t frame = mapping->in_parent.start + (*at - mapping->in_space.start);

        if (likely(space->tables == SPACE_PAGES &&
                   !(mapping->attr & (MAPPING_DMA | MAPPING_GUEST))))
                return page_table_apply(space->pd, at, mapping->in_space.last,
                                        page_table_value(frame, shown(mapping)), budget, flush);
        if (space->tables == SPACE_PORTS)
                return io_space_apply(mapping, at, budget, flush);
        if (space->tables != SPACE_NO_TABLES)
                return apply_all_tables(mapping, at, budget, flush);
        *at = mapping->in_space.last + 1;
        return true;
}

bool space_split(struct space *space, word_t x, struct flush *flush)
{
        return space->type != NOVA_CRD_MEM ||
               (page_table_split(space->pd, x, flush) && second_level_split(space->pd, x, flush));
}
