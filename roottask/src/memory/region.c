/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions of the program. One lock protects every change of a region, of its pages and of its
 * mappings, including the pager's changes. A mapping is complete before the lock is released. So no
 * page appears at an address after its region was freed. */
#include "memory/region.h"

#include <errno.h>

#include "memory/page.h"
#include "memory/page_commit.h"
#include "novart/layout.h"
#include "novart/selector.h"
#include "selector/lock.h"

static struct region_map map;
static struct lock lock;

int novart_region_start(void)
{
        const nova_sel_t sm = nova_sel_alloc(0);
        struct region_area area[REGION_AREAS] = {
                {NOVA_LAYOUT_REGION, NOVA_LAYOUT_REGION}, /* empty, except in a child */
                {NOVA_LAYOUT_REGION, NOVA_LAYOUT_REGION_END},
                {NOVA_LAYOUT_FAR, NOVA_LAYOUT_FAR_END},
        };

        if (nova_program.start)
                area[0] = (struct region_area){nova_program.start->region,
                                               nova_program.start->region_end};
        novart_region_map_init(&map, area);
        if (sm == NOVA_SEL_NONE || lock_init(&lock, sm, nova_program.pd) != NOVA_SUCCESS)
                return EAGAIN;
        return novart_page_commit_start();
}

static void enter(void)
{
        novart_lock_touch_stack();
        lock_take(&lock);
}

/* Returns the order of the pages that hold the map's array. */
static unsigned array_order(size_t room)
{
        return page_order(room * sizeof(struct region));
}

/* Makes room to enter one more region. */
static bool make_room(void)
{
        if (!region_map_full(&map))
                return true;

        const size_t old_room = map.room;
        const unsigned order = array_order(old_room * 2);
        void *const array = novart_page_take(order);

        if (!array)
                return false;

        void *const old = novart_region_map_move(
                &map, array, ((size_t)NOVA_PAGE_SIZE << order) / sizeof(struct region));

        if (old)
                novart_page_give(old, array_order(old_room));
        return true;
}

/* Adds a region. Called with the lock held.
 * @return the base, 0 if there is no place */
static nova_word_t add(size_t pages, enum region_kind kind, const char *name)
{
        const size_t align = pages & (pages - 1) ? 1 : pages;
        const struct region *const region =
                make_room() ? novart_region_map_add(&map, pages, align, kind, name) : NULL;

        return region ? region->base : 0;
}

void *nova_region_reserve(size_t bytes)
{
        enter();

        const nova_word_t base = add(page_count(bytes), REGION_RESERVED, NULL);

        lock_drop(&lock);
        return (void *)base;
}

static void *make_lazy(enum region_kind kind, const char *name, size_t bytes)
{
        struct region copy;

        novart_region_set_name(&copy, name); /* may fault, so it is called without the lock */
        enter();

        const nova_word_t base = add(page_count(bytes), kind, copy.name);

        lock_drop(&lock);
        return (void *)base;
}

void *nova_region_lazy(const char *name, size_t bytes)
{
        return make_lazy(REGION_LAZY, name, bytes);
}

void *novart_region_rings(const char *name, size_t bytes)
{
        return make_lazy(REGION_RINGS, name, bytes);
}

void *nova_stack_alloc(size_t bytes)
{
        const size_t pages = page_count(bytes);
        nova_word_t base = 0;

        if (!pages)
                return NULL;
        enter();
        base = add(pages + 1, REGION_STACK, NULL);
        if (base && novart_page_commit(base + pages * NOVA_PAGE_SIZE, 1)) {
                novart_region_map_remove(&map, novart_region_map_find(&map, base));
                base = 0;
        }
        lock_drop(&lock);
        return base ? (void *)(base + NOVA_PAGE_SIZE) : NULL;
}

int nova_region_name(void *addr, const char *name)
{
        struct region copy;

        novart_region_set_name(&copy, name); /* may fault, so it is called before the lock is
                                              * taken */
        enter();

        struct region *const region = novart_region_map_find(&map, (nova_word_t)addr);

        if (region)
                novart_region_set_name(region, copy.name);
        lock_drop(&lock);
        return region ? 0 : EINVAL;
}

/* Returns true if [addr, addr + bytes) lies in a region, without its guard page. */
static bool inside(const struct region *region, nova_word_t addr, size_t bytes)
{
        const nova_word_t guard = region->kind == REGION_STACK ? NOVA_PAGE_SIZE : 0;
        const nova_word_t begin = region->base + guard;
        const nova_word_t size = region->pages * NOVA_PAGE_SIZE - guard;

        return addr >= begin && addr - begin <= size && bytes <= size - (addr - begin);
}

int nova_region_commit(void *addr, size_t bytes)
{
        const nova_word_t begin = (nova_word_t)addr & ~(nova_word_t)(NOVA_PAGE_SIZE - 1);
        int error = EINVAL;

        /* The size in whole pages, from `begin` on, must fit into a word. */
        if (bytes > SIZE_MAX - 2 * NOVA_PAGE_SIZE)
                return EINVAL;

        const size_t pages = page_count(bytes + ((nova_word_t)addr - begin));

        enter();

        const struct region *const region = novart_region_map_find(&map, begin);

        if (region && inside(region, begin, pages * NOVA_PAGE_SIZE))
                error = novart_page_commit(begin, pages);
        lock_drop(&lock);
        return error;
}

int nova_region_free(void *addr)
{
        enter();

        struct region *const region = novart_region_map_find(&map, (nova_word_t)addr);

        if (region) {
                novart_page_decommit(region->base, region->pages);
                novart_region_map_remove(&map, region);
        }
        lock_drop(&lock);
        return region ? 0 : EINVAL;
}

int nova_region_shrink(void *addr, size_t bytes)
{
        const size_t pages = page_count(bytes);
        bool good;

        if (!pages)
                return nova_region_free(addr);
        enter();

        struct region *const region = novart_region_map_find(&map, (nova_word_t)addr);

        good = region && region->kind != REGION_STACK && pages <= region->pages;
        if (good && pages < region->pages) {
                novart_page_decommit(region->base + pages * NOVA_PAGE_SIZE, region->pages - pages);
                novart_region_map_shrink(&map, region, pages);
        }
        lock_drop(&lock);
        return good ? 0 : EINVAL;
}

void novart_region_decommit(void *addr, size_t bytes)
{
        enter();
        novart_page_decommit((nova_word_t)addr, page_count(bytes));
        lock_drop(&lock);
}

enum region_answer novart_region_fault(nova_word_t addr)
{
        enum region_answer answer = REGION_UNKNOWN;

        lock_take(&lock);

        const struct region *const region = novart_region_map_find(&map, addr);

        if (region && region->kind == REGION_STACK && !inside(region, addr, 0))
                answer = REGION_GUARD;
        else if (region && novart_page_is_committed(addr))
                answer = novart_page_commit_renew(addr) ? REGION_NO_MEMORY : REGION_SERVED;
        else if (region && region->kind != REGION_RESERVED)
                answer = novart_page_commit(addr & ~(nova_word_t)(NOVA_PAGE_SIZE - 1), 1)
                                 ? REGION_NO_MEMORY
                                 : REGION_SERVED;
        lock_drop(&lock);
        return answer;
}

enum region_answer novart_region_forbidden(nova_word_t addr)
{
        const nova_word_t begin = addr & ~(nova_word_t)(NOVA_PAGE_SIZE - 1);
        enum region_answer answer = REGION_UNKNOWN;

        lock_take(&lock);

        const struct region *const region = novart_region_map_find(&map, addr);

        if (region && region->kind == REGION_RINGS) {
                if (novart_page_perms(begin) & NOVA_MEM_W)
                        answer = REGION_SERVED; /* another thread's fault came first */
                else if (!novart_page_is_committed(begin))
                        answer = novart_page_commit_over(begin) ? REGION_NO_MEMORY : REGION_SERVED;
        }
        lock_drop(&lock);
        return answer;
}

bool novart_region_at(nova_word_t addr, struct region *region)
{
        lock_take(&lock);

        const struct region *const found = novart_region_map_find(&map, addr);

        if (found)
                *region = *found;
        lock_drop(&lock);
        return found;
}

bool novart_region_readable(nova_word_t addr, size_t bytes)
{
        bool there;

        if (addr % NOVA_PAGE_SIZE + bytes > NOVA_PAGE_SIZE)
                return false;
        lock_take(&lock);
        there = novart_region_map_find(&map, addr) && novart_page_is_committed(addr);
        lock_drop(&lock);
        return there;
}

bool novart_region_has_memory(nova_word_t addr, size_t bytes)
{
        const nova_word_t first = addr & ~(nova_word_t)(NOVA_PAGE_SIZE - 1);
        bool some;

        enter();
        some = novart_page_commit_some(first, page_count(addr + bytes - first));
        lock_drop(&lock);
        return some;
}
