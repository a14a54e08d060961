/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of overlay pages (see novavmm/overlay.h). A change only removes what the guest has
 * mapped. The guest's next access exits, and the monitor's reply maps the page that is on top.
 *
 * The first overlay page in a block of RAM cuts it into small pages, for which the kernel needs
 * memory. A guest could cut all of its RAM. So after some cuts, cut blocks that have no overlay
 * page any more are revoked, and the guest's next access to such a block maps all of it. If an
 * ultravisor or a function's DMA also uses the RAM, blocks stay cut (keeps_cuts), so the number of
 * cut blocks is limited. */
#include <errno.h>
#include <string.h>

#include "overlay.h"

#define PAGE_SHIFT 12
#define RIGHT_R    1u

/* Number of cuts after which blocks are joined. A guest that sets up all its overlay pages makes
 * fewer. */
#define CUTS_MAX 128

/* Returns true if the guest may have an overlay page at a page, which cuts the page's block. */
static bool may_cut(const struct nova_guest_memory *memory, uint64_t page)
{
        unsigned blocks = 0;

        if (!memory->keeps_cuts || novavmm_overlay_is_cut(memory, page))
                return true;
        for (size_t i = 0; i < sizeof(memory->cut) / sizeof(*memory->cut); i++)
                blocks += (unsigned)__builtin_popcount(memory->cut[i]);
        return blocks < NOVA_OVERLAY_BLOCKS;
}

/* Revokes what the guest sees at a page. */
static void uncover(const struct nova_guest_memory *memory, uint64_t page)
{
        const struct nova_overlay *const overlay = nova_overlay_find(memory, page << PAGE_SHIFT);

        novavmm_overlay_take_back(overlay ? overlay->frame : memory->base + (page << PAGE_SHIFT),
                                  0);
}

static bool has_overlay(const struct nova_guest_memory *memory, uint64_t block)
{
        for (unsigned i = 0; i < memory->overlays; i++)
                if (memory->overlay[i].page >> NOVAVMM_BLOCK_ORDER == block)
                        return true;
        return false;
}

/* Takes back the blocks that have no overlay pages any more. A block at the end of RAM that is not
 * complete stays cut. */
static void join(struct nova_guest_memory *memory)
{
        const unsigned shift = PAGE_SHIFT + NOVAVMM_BLOCK_ORDER;

        for (uint64_t block = 0; block < memory->bytes >> shift; block++) {
                if (!novavmm_overlay_is_cut(memory, block << NOVAVMM_BLOCK_ORDER) ||
                    has_overlay(memory, block))
                        continue;
                novavmm_overlay_take_back(memory->base + (block << shift), NOVAVMM_BLOCK_ORDER);
                memory->cut[block / 32] &= ~(1u << block % 32);
        }
        memory->cuts = 0;
}

/* Records that a page of RAM was covered. */
static void note_cut(struct nova_guest_memory *memory, uint64_t page)
{
        const uint64_t block = page >> NOVAVMM_BLOCK_ORDER;

        memory->cut[block / 32] |= 1u << block % 32;
        memory->cuts++;
        if (memory->cuts >= CUTS_MAX && !memory->keeps_cuts)
                join(memory);
}

static unsigned index_of(const struct nova_guest_memory *memory, const uint8_t *frame)
{
        unsigned i = 0;

        while (i < memory->overlays && memory->overlay[i].frame != frame)
                i++;
        return i;
}

/* Records that an overlay page leaves a page of RAM, so that the reply maps this page: a function's
 * DMA must find the RAM even if no virtual CPU accesses it first. If more than NOVA_OVERLAYS pages
 * are bare after one exit, the rest is mapped only when a virtual CPU accesses it. */
static void note_bare(struct nova_guest_memory *memory, uint64_t page)
{
        unsigned i = 0;

        while (i < memory->bares && memory->bare[i] != page)
                i++;
        if (!memory->keeps_cuts || i == NOVA_OVERLAYS)
                return;
        memory->bare[i] = page;
        if (i == memory->bares)
                memory->bares++;
}

static void remove_at(struct nova_guest_memory *memory, unsigned index)
{
        struct nova_overlay *const at = &memory->overlay[index];

        note_bare(memory, at->page);
        memmove(at, at + 1, (memory->overlays - index - 1) * sizeof(*at));
        memory->overlays--;
        memory->overlay_changes++;
}

void nova_overlay_unmap(struct nova_guest_memory *memory, const uint8_t *frame)
{
        const unsigned at = index_of(memory, frame);

        if (at == memory->overlays)
                return;
        novavmm_overlay_take_back(frame, 0);
        remove_at(memory, at);
}

int nova_overlay_map(struct nova_guest_memory *memory, uint64_t page, uint8_t *frame,
                     unsigned rights)
{
        const struct nova_overlay *const top = nova_overlay_find(memory, page << PAGE_SHIFT);
        const struct nova_overlay new = {page, frame, rights};

        if (page >= memory->bytes >> PAGE_SHIFT || !(rights & RIGHT_R))
                return EINVAL;
        if (top && top->frame == frame && top->rights == rights)
                return 0;
        if (index_of(memory, frame) == NOVA_OVERLAYS || !may_cut(memory, page))
                return ENOSPC;
        nova_overlay_unmap(memory, frame);
        uncover(memory, page);
        memory->overlay[memory->overlays++] = new;
        memory->overlay_changes++;
        note_cut(memory, page);
        return 0;
}
