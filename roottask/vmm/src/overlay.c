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

static nova_crd_t pages_of(const uint8_t *pages, unsigned order, unsigned rights)
{
        return nova_crd_mem((nova_word_t)pages >> NOVA_PAGE_BITS, order, rights);
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

void novavmm_overlay_take_back(const uint8_t *pages, unsigned order)
{
        nova_revoke(pages_of(pages, order, NOVA_MEM_RWX), 0);
}

void novavmm_overlay_cover(const struct nova_guest_memory *memory)
{
        for (unsigned i = 0; i < memory->overlays; i++)
                novavmm_overlay_take_back(
                        memory->base + (memory->overlay[i].page << NOVA_PAGE_BITS), 0);
}

/* Maps a page of RAM. If its block is not cut, no page of the block is mapped, so the
 * function maps the whole block. */
static bool give_ram(struct nova_vcpu *vcpu, uint64_t page)
{
        const struct nova_guest_memory *const memory = &vcpu->vm->memory;
        const uint64_t mask = ((uint64_t)1 << NOVAVMM_BLOCK_ORDER) - 1;
        const bool whole = !novavmm_overlay_is_cut(memory, page) &&
                           (page | mask) < memory->bytes >> NOVA_PAGE_BITS;
        const uint64_t first = whole ? page & ~mask : page;
        const unsigned order = whole ? NOVAVMM_BLOCK_ORDER : 0;

        return novavmm_vcpu_map(
                vcpu, pages_of(memory->base + (first << NOVA_PAGE_BITS), order, NOVA_MEM_RWX),
                (nova_sel_t)first, novavmm_ram_flags(vcpu->vm));
}

void novavmm_overlay_restore(struct nova_vcpu *vcpu)
{
        struct nova_guest_memory *const memory = &vcpu->vm->memory;

        for (; memory->bares; memory->bares--) {
                const uint64_t page = memory->bare[memory->bares - 1];

                if (!nova_overlay_find(memory, page << NOVA_PAGE_BITS) && !give_ram(vcpu, page))
                        return;
        }
}

bool novavmm_overlay_give(struct nova_vcpu *vcpu, uint64_t address)
{
        const struct nova_guest_memory *const memory = &vcpu->vm->memory;
        const struct nova_overlay *const overlay = nova_overlay_find(memory, address);
        const uint64_t page = address >> NOVA_PAGE_BITS;

        if (vcpu->given.exit + 1 == vcpu->exits && vcpu->given.page == page &&
            vcpu->given.changes == memory->overlay_changes)
                return false;
        vcpu->given.exit = vcpu->exits;
        vcpu->given.page = page;
        vcpu->given.changes = memory->overlay_changes;
        if (!overlay)
                return give_ram(vcpu, page);
        return novavmm_vcpu_map(vcpu, pages_of(overlay->frame, 0, overlay->rights),
                                (nova_sel_t)page, novavmm_ram_flags(vcpu->vm));
}
