/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of overlay pages (see novavmm/overlay.h). A change only removes what the guest has
 * mapped. The guest's next access exits, and the monitor's reply maps the page that is on top. */
#include <errno.h>
#include <string.h>

#include "overlay.h"

#define PAGE_SHIFT 12
#define RIGHT_R    1u

/* Revokes what the guest sees at a page. */
static void uncover(const struct nova_guest_memory *memory, uint64_t page)
{
        const struct nova_overlay *const overlay = nova_overlay_find(memory, page << PAGE_SHIFT);

        novavmm_overlay_take_back(overlay ? overlay->frame : memory->base + (page << PAGE_SHIFT));
}

static unsigned index_of(const struct nova_guest_memory *memory, const uint8_t *frame)
{
        unsigned i = 0;

        while (i < memory->overlays && memory->overlay[i].frame != frame)
                i++;
        return i;
}

static void remove_at(struct nova_guest_memory *memory, unsigned index)
{
        struct nova_overlay *const at = &memory->overlay[index];

        memmove(at, at + 1, (memory->overlays - index - 1) * sizeof(*at));
        memory->overlays--;
        memory->overlay_changes++;
}

void nova_overlay_unmap(struct nova_guest_memory *memory, const uint8_t *frame)
{
        const unsigned at = index_of(memory, frame);

        if (at == memory->overlays)
                return;
        novavmm_overlay_take_back(frame);
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
        if (index_of(memory, frame) == NOVA_OVERLAYS)
                return ENOSPC;
        nova_overlay_unmap(memory, frame);
        uncover(memory, page);
        memory->overlay[memory->overlays++] = new;
        memory->overlay_changes++;
        return 0;
}
