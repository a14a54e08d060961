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

void space_init(struct space *space, unsigned type, struct pd *pd)
{
        space->tree.root = NULL;
        space->recent = NULL;
        space->type = (uint8_t)type;
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

/* Sets (forbids) or clears the bits of ports from *at on, a byte or a bit at a time. */
static __attribute__((noinline)) bool io_space_apply(const struct mapping *mapping, word_t *at,
                                                     unsigned *budget, struct flush *flush)
{
        const bool allow = mapping->perms & NOVA_IO_A;
        struct pd *pd = mapping->space->pd;
        const word_t last = mapping->in_space.last;

        while (*at <= last && *budget) {
                const unsigned half = (unsigned)(*at / PORTS_OF_PAGE);
                uint8_t *bitmap = pd->io.bitmap[half];
                if (!bitmap && allow && !(bitmap = page_table_io_bitmap(pd, half, flush)))
                        return false;
                if (!bitmap) {
                        *at = (*at | (PORTS_OF_PAGE - 1)) + 1;
                        continue;
                }
                uint8_t *byte = &bitmap[*at % PORTS_OF_PAGE / 8];
                const unsigned first_bit = *at & 7;
                const unsigned bits = (unsigned)min_word(8 - first_bit, last - *at + 1);
                const uint8_t mask = (uint8_t)(((1u << bits) - 1) << first_bit);
                *byte = (uint8_t)(allow ? *byte & ~mask : *byte | mask);
                *at += bits;
                --*budget;
        }
        if (*at > last)
                *at = last + 1;
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
        struct pd *pd = space->pd;

        if (unlikely(pd == &kernel_pd)) {
                *at = mapping->in_space.last + 1; /* a source of delegations only */
                return true;
        }
        if (space->type == NOVA_CRD_IO)
                return io_space_apply(mapping, at, budget, flush);
        if (unlikely(pd->dma.root || pd->guest.root ||
                     mapping->attr & (MAPPING_DMA | MAPPING_GUEST)))
                return apply_all_tables(mapping, at, budget, flush);

        const word_t frame = mapping->in_parent.start + (*at - mapping->in_space.start);
        return page_table_apply(pd, at, mapping->in_space.last,
                                page_table_value(frame, shown(mapping)), budget, flush);
}

bool space_split(struct space *space, word_t x, struct flush *flush)
{
        return space->type != NOVA_CRD_MEM ||
               (page_table_split(space->pd, x, flush) && second_level_split(space->pd, x, flush));
}
