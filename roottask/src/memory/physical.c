/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory with known physical addresses: registers of devices, and memory for devices. */
#include <errno.h>

#include "memory/mapper.h"
#include "memory/page.h"
#include "nova/crd.h"
#include "novart/program.h"
#include "novart/region.h"
#include "selector/lock.h"

/* Number of pages in a large page. A virtual address has the same offset in a large page as its
 * physical address, so that large pages can map large ranges. */
#define LARGE_PAGES 512

static int request(nova_word_t from, nova_word_t to, size_t pages, unsigned perms)
{
        struct nova_crd_range range = {NOVA_CRD_MEM, perms, from, to, pages};
        nova_crd_t crd;
        nova_sel_t hotspot;
        int error = 0;

        while (!error && nova_crd_next(&range, &crd, &hotspot))
                error = nova_request(crd, hotspot);
        return error;
}

int nova_map_physical(uint64_t phys, size_t bytes, unsigned perms, void **out)
{
        const uint64_t last = phys + bytes - 1;

        if (!nova_program_is_root())
                return EPERM;
        if (!bytes || last < phys || last >> NOVA_PAGE_BITS >= NOVA_CRD_BASE_END)
                return EINVAL;

        const nova_word_t first = (nova_word_t)(phys >> NOVA_PAGE_BITS);
        const size_t pages = (size_t)((nova_word_t)(last >> NOVA_PAGE_BITS) - first + 1);
        const size_t before = pages < LARGE_PAGES ? 0 : first % LARGE_PAGES;
        size_t wanted = before + pages;

        /* A region whose size is a power of two is aligned to it. */
        while (before && wanted & (wanted - 1))
                wanted += wanted & -wanted;
        if (wanted < pages || wanted > SIZE_MAX / NOVA_PAGE_SIZE)
                return ENOMEM;

        char *const base = nova_region_reserve(wanted * NOVA_PAGE_SIZE);

        if (!base)
                return ENOMEM;

        const nova_word_t to = ((nova_word_t)base >> NOVA_PAGE_BITS) + before;
        const int error = request(first, to, pages, perms);

        if (error)
                nova_region_free(base);
        else
                *out = (void *)(to << NOVA_PAGE_BITS | (nova_word_t)(phys % NOVA_PAGE_SIZE));
        return error;
}

int nova_dma_alloc(size_t bytes, struct nova_dma *dma)
{
        const unsigned order = page_order(bytes);
        int error;

        if (!bytes)
                return EINVAL;
        if (order >= NOVA_WORD_BITS - NOVA_PAGE_BITS)
                return ENOMEM;
        error = novart_page_physical(NULL, &dma->phys);
        if (error)
                return error;
        dma->bytes = (size_t)NOVA_PAGE_SIZE << order;
        dma->block = nova_page_alloc(order);
        dma->memory = dma->block ? nova_region_reserve(dma->bytes) : NULL;
        if (!dma->memory) {
                error = ENOMEM;
                goto free_block;
        }
        novart_page_physical(dma->block, &dma->phys);
        novart_lock_touch_stack();
        error = novart_mapper_send(nova_crd_mem((nova_word_t)dma->block >> NOVA_PAGE_BITS, order,
                                                NOVA_MEM_R | NOVA_MEM_W),
                                   (nova_word_t)dma->memory >> NOVA_PAGE_BITS, NOVA_ITEM_D);
        if (!error)
                return 0;
        nova_region_free(dma->memory);

free_block:
        if (dma->block)
                nova_page_free(dma->block, order);
        return error;
}

void nova_dma_free(struct nova_dma *dma)
{
        nova_region_free(dma->memory);
        nova_page_free(dma->block, page_order(dma->bytes));
}
