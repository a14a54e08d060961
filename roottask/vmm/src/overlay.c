/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of overlay pages, and their mapping in guests (see novavmm/overlay.h). */
#include "overlay.h"

#include <errno.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/page.h"
#include "novart/region.h"
#include "vm.h"

static nova_crd_t page_of(const uint8_t *page, unsigned rights)
{
        return nova_crd_mem((nova_word_t)page >> NOVA_PAGE_BITS, 0, rights);
}

int nova_overlay_create(struct nova_guest_memory *memory, unsigned frames)
{
        const unsigned order = nova_crd_order_for(frames);

        if (!frames || frames > NOVA_OVERLAYS)
                return EINVAL;
        if (memory->frames)
                return EBUSY;

        void *const pages = nova_page_alloc(order);
        uint8_t *const at = nova_region_reserve((size_t)NOVA_PAGE_SIZE << order);
        const int error = pages && at ? nova_guest_memory_map(pages, at, order) : ENOMEM;

        if (error) {
                if (at)
                        nova_region_free(at);
                if (pages)
                        nova_page_free(pages, order);
                return error == ENOMEM && pages && at ? EAGAIN : error;
        }
        nova_region_name(at, "overlay pages");
        memset(at, 0, (size_t)NOVA_PAGE_SIZE << order);
        memory->frames = at;
        memory->frame_pages = pages;
        memory->frames_order = order;
        return 0;
}

void novavmm_overlay_take_back(const uint8_t *page)
{
        nova_revoke(page_of(page, NOVA_MEM_RWX), 0);
}

void novavmm_overlay_cover(const struct nova_guest_memory *memory)
{
        for (unsigned i = 0; i < memory->overlays; i++)
                novavmm_overlay_take_back(memory->base +
                                          (memory->overlay[i].page << NOVA_PAGE_BITS));
}

bool novavmm_overlay_give(struct nova_vcpu *vcpu, uint64_t address)
{
        const struct nova_guest_memory *const memory = &vcpu->vm->memory;
        const struct nova_overlay *const overlay = nova_overlay_find(memory, address);
        const uint64_t page = address >> NOVA_PAGE_BITS;
        const uint8_t *const from =
                overlay ? overlay->frame : memory->base + (page << NOVA_PAGE_BITS);

        if (vcpu->given.exit + 1 == vcpu->exits && vcpu->given.page == page &&
            vcpu->given.changes == memory->overlay_changes)
                return false;
        vcpu->given.exit = vcpu->exits;
        vcpu->given.page = page;
        vcpu->given.changes = memory->overlay_changes;
        return novavmm_vcpu_map(vcpu, page_of(from, overlay ? overlay->rights : NOVA_MEM_RWX),
                                (nova_sel_t)page, novavmm_ram_flags(vcpu->vm));
}
