/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM of guests (see novavmm/memory.h): blocks of pages at consecutive addresses. The blocks are
 * executable, because a guest gets no permission that its monitor does not have. */
#include "novavmm/memory.h"

#include <errno.h>
#include <string.h>

#include "nova/crd.h"
#include "novart/layout.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/region.h"
#include "overlay.h"

/* Blocks are multiples of a large page, so that guests' page tables are small. */
#define LARGE_ORDER 9
#define LARGE_SIZE  ((size_t)NOVA_PAGE_SIZE << LARGE_ORDER)
#define ORDER_MAX   18

static size_t power_of_two(size_t bytes)
{
        size_t size = LARGE_SIZE;

        while (size < bytes)
                size *= 2;
        return size;
}

/* A roottask's pages are not executable, so a roottask requests them from the kernel a second
 * time. */
int nova_guest_memory_map(void *page, void *to, unsigned order)
{
        const nova_word_t from = (nova_word_t)page >> NOVA_PAGE_BITS;
        const nova_sel_t at = (nova_word_t)to >> NOVA_PAGE_BITS;

        if (!nova_program_is_root())
                return nova_self_map(from, at, order, NOVA_MEM_RWX);
        return nova_request(
                nova_crd_mem(from - (NOVA_LAYOUT_POOL >> NOVA_PAGE_BITS), order, NOVA_MEM_RWX), at);
}

/* Allocates the largest blocks first, so that each is aligned. @p done receives the number of
 * allocated bytes. */
static int fill(struct nova_guest_memory *memory, size_t *done)
{
        unsigned order = ORDER_MAX;

        while (*done < memory->bytes) {
                void *page = NULL;

                while ((size_t)NOVA_PAGE_SIZE << order > memory->bytes - *done)
                        order--;
                while (order >= LARGE_ORDER && !(page = nova_page_alloc(order)))
                        order--;
                if (!page)
                        return ENOMEM;
                if (memory->blocks == NOVA_GUEST_BLOCKS) {
                        nova_page_free(page, order);
                        return ENOMEM;
                }
                memory->block[memory->blocks].page = page;
                memory->block[memory->blocks++].order = order;

                const int error = nova_guest_memory_map(page, memory->base + *done, order);

                if (error)
                        return error == ENOMEM ? EAGAIN : error;
                *done += (size_t)NOVA_PAGE_SIZE << order;
        }
        return 0;
}

int nova_guest_memory_create(struct nova_guest_memory *memory, size_t bytes)
{
        size_t done = 0;

        memset(memory, 0, sizeof(*memory));
        if (!bytes || bytes > NOVA_GUEST_MEMORY_MAX)
                return EINVAL;
        bytes = (bytes + LARGE_SIZE - 1) & ~(LARGE_SIZE - 1);
        memory->bytes = bytes;
        if (bytes > SIZE_MAX / 2) /* the next power of two does not fit into size_t */
                return ENOMEM;
        memory->base = nova_region_reserve(power_of_two(bytes));
        if (!memory->base)
                return ENOMEM;
        nova_region_name(memory->base, "guest memory");

        const int error = fill(memory, &done);

        if (error) {
                nova_guest_memory_destroy(memory);
                memory->bytes = done;
        }
        return error;
}

void nova_guest_memory_destroy(struct nova_guest_memory *memory)
{
        if (memory->base)
                nova_region_free(memory->base);
        while (memory->blocks) {
                memory->blocks--;
                nova_page_free(memory->block[memory->blocks].page,
                               memory->block[memory->blocks].order);
        }
        if (memory->frames) {
                nova_region_free(memory->frames);
                nova_page_free(memory->frame_pages, memory->frames_order);
        }
        memory->base = memory->frames = NULL;
        memory->bytes = 0;
}
