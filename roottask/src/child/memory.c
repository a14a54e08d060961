/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of children. */
#include "child/memory.h"

#include <errno.h>
#include <stdlib.h>

#include "memory/page.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/layout.h"
#include "novart/program.h"
#include "novart/region.h"

#define PAGE_MASK ((nova_word_t)NOVA_PAGE_SIZE - 1)
#define ORDER_MAX 20

/* Returns the array if it has room for another element, otherwise a larger copy; NULL if memory is
 * exhausted. */
static void *grown(void *array, unsigned count, unsigned *max, size_t size)
{
        const unsigned more = *max ? 2 * *max : 8;

        if (count < *max)
                return array;

        void *const larger = realloc(array, more * size);

        if (larger)
                *max = more;
        return larger;
}

void *novart_child_memory_block(struct child_memory *memory, unsigned order)
{
        struct child_block *const blocks =
                grown(memory->block, memory->blocks, &memory->blocks_max, sizeof(*memory->block));

        if (!blocks)
                return NULL;
        memory->block = blocks;

        void *const page = nova_page_alloc(order);

        if (page)
                memory->block[memory->blocks++] = (struct child_block){page, NULL, order};
        return page;
}

int novart_child_memory_map(struct child_memory *memory, const void *from, nova_word_t to,
                            size_t bytes, unsigned perms)
{
        struct child_map *const maps =
                grown(memory->map, memory->maps, &memory->maps_max, sizeof(*memory->map));

        if (!maps)
                return ENOMEM;
        memory->map = maps;

        const nova_word_t pages = (bytes + PAGE_MASK) >> NOVA_PAGE_BITS;

        memory->map[memory->maps++] = (struct child_map){(nova_word_t)from >> NOVA_PAGE_BITS,
                                                         to >> NOVA_PAGE_BITS, pages, pages, perms};
        return 0;
}

/* Allocates the largest available block of at most `pages` pages, and sets *order to its order. */
static void *take_some(struct child_memory *memory, size_t pages, unsigned *order)
{
        unsigned at = 0;
        void *page;

        while (at < ORDER_MAX && (size_t)2 << at <= pages)
                at++;
        for (;; at--) {
                page = novart_child_memory_block(memory, at);
                if (page || !at)
                        break;
        }
        *order = at;
        return page;
}

/* Returns a mapping of the block's pages with permission to execute them. A root's pool is not
 * executable, so a root requests the pages from the kernel a second time. In other programs that
 * may have children, the pool itself is executable. */
static void *executable(struct child_block *block, unsigned perms)
{
        if (!nova_program_is_root())
                return block->page;

        const uint64_t phys = (nova_word_t)block->page - NOVA_LAYOUT_POOL;

        if (nova_map_physical(phys, (size_t)NOVA_PAGE_SIZE << block->order, perms, &block->alias))
                return NULL;
        return block->alias;
}

int novart_child_memory_pool(struct child_memory *memory, nova_word_t to, size_t bytes,
                             unsigned perms)
{
        size_t pages = (bytes + PAGE_MASK) >> NOVA_PAGE_BITS;

        while (pages) {
                unsigned order;
                void *const page = take_some(memory, pages, &order);
                const size_t some = (size_t)NOVA_PAGE_SIZE << order;

                if (!page)
                        return ENOMEM;

                void *const from = perms & NOVA_MEM_X
                                           ? executable(&memory->block[memory->blocks - 1], perms)
                                           : page;

                if (!from || novart_child_memory_map(memory, from, to, some, perms))
                        return ENOMEM;
                to += some;
                pages -= (size_t)1 << order;
        }
        return 0;
}

int novart_child_memory_pool_whole(struct child_memory *memory, nova_word_t to, size_t bytes,
                                   unsigned perms)
{
        const unsigned order = page_order(bytes);
        void *const page = order > ORDER_MAX ? NULL : novart_child_memory_block(memory, order);

        return page ? novart_child_memory_map(memory, page, to, bytes, perms) : ENOMEM;
}

int novart_child_memory_stacks(struct child_memory *memory, const nova_word_t to[2])
{
        const unsigned maps = memory->maps;
        int error = 0;

        for (unsigned i = 0, left = 0, at = maps; i < 2 && !error && to[i]; i++) {
                if (!left)
                        left = (unsigned)memory->map[--at].pages;

                const nova_word_t page = memory->map[at].from + --left;

                error = novart_child_memory_map(memory, (const void *)(page << NOVA_PAGE_BITS),
                                                to[i], NOVA_PAGE_SIZE, NOVA_MEM_R | NOVA_MEM_W);
        }
        return error;
}

/* Copies one run of pages that cannot be used in place. */
static int copy_run(struct child_memory *memory, const struct elf *elf, const struct elf_run *run)
{
        size_t done = 0;

        while (done < run->bytes) {
                const nova_word_t to = run->address + done;
                unsigned order;
                void *const page = take_some(memory, (run->bytes - done) >> NOVA_PAGE_BITS, &order);
                const size_t some = (size_t)NOVA_PAGE_SIZE << order;

                if (!page)
                        return ENOMEM;
                for (size_t at = 0; at < some; at += NOVA_PAGE_SIZE)
                        novart_elf_fill(elf, to + at, (char *)page + at);

                void *const from =
                        run->perms & NOVA_MEM_X
                                ? executable(&memory->block[memory->blocks - 1], run->perms)
                                : page;

                if (!from || novart_child_memory_map(memory, from, to, some, run->perms))
                        return ENOMEM;
                done += some;
        }
        return 0;
}

int novart_child_memory_image(struct child_memory *memory, const struct elf *elf)
{
        struct elf_run run = {.address = 0};
        int error = 0;

        while (!error && novart_elf_next_run(elf, run.address + run.bytes, &run))
                error = run.in_place ? novart_child_memory_map(memory, elf->image + run.offset,
                                                               run.address, run.bytes, run.perms)
                                     : copy_run(memory, elf, &run);
        return error;
}

void novart_child_memory_send(struct child_memory *memory, struct nova_utcb *utcb,
                              unsigned items_max)
{
        unsigned items = 0;

        while (memory->next_map < memory->maps) {
                struct child_map *const map = &memory->map[memory->next_map];
                struct nova_crd_range range = {NOVA_CRD_MEM, map->perms, map->from, map->to,
                                               map->pages};
                nova_crd_t crd;
                nova_sel_t hotspot;

                while (items < items_max && nova_crd_next(&range, &crd, &hotspot) &&
                       nova_utcb_delegate(utcb, crd, hotspot, 0)) {
                        map->from = range.base;
                        map->to = range.hotspot;
                        map->pages = range.count;
                        items++;
                }
                if (map->pages)
                        return;
                memory->next_map++;
        }
}

bool novart_child_memory_has(const struct child_memory *memory, nova_word_t addr)
{
        const nova_word_t page = addr >> NOVA_PAGE_BITS;

        /* Sending a part of a map changes `from`, `to` and `pages`, but not the end of the map. */
        for (unsigned i = 0; i < memory->maps; i++) {
                const nova_word_t end = memory->map[i].to + memory->map[i].pages;

                if (page < end && end - page <= memory->map[i].whole)
                        return true;
        }
        return false;
}

void novart_child_memory_revoke(const struct child_memory *memory)
{
        for (unsigned i = 0; i < memory->blocks; i++) {
                const struct child_block *const block = &memory->block[i];
                const nova_word_t page = (nova_word_t)block->page >> NOVA_PAGE_BITS;

                nova_revoke(nova_crd_mem(page, block->order, NOVA_MEM_RWX), 0);
        }
}

void novart_child_memory_free(struct child_memory *memory)
{
        for (unsigned i = 0; i < memory->blocks; i++) {
                if (memory->block[i].alias)
                        nova_region_free(memory->block[i].alias);
                if (memory->block[i].page)
                        nova_page_free(memory->block[i].page, memory->block[i].order);
        }
        free(memory->block);
        free(memory->map);
        *memory = (struct child_memory){.block = NULL};
}
