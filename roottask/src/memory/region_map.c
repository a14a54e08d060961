/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorted regions (see region_map.h): binary search, first fit. A search begins at the end of the
 * last search for this size, so the time for many regions of one size is linear in their number. */
#include "memory/region_map.h"

void novart_region_map_init(struct region_map *map, const struct region_area area[REGION_AREAS])
{
        for (unsigned i = 0; i < REGION_AREAS; i++)
                map->area[i] = area[i];
        map->entry = map->first;
        map->count = 0;
        map->last_search = 0;
        for (unsigned i = 0; i < REGION_SEARCHES; i++)
                map->search[i] = (struct region_search){0};
        map->room = REGION_FIRST_ROOM;
}

static uintptr_t end_of(const struct region *region)
{
        return region->base + (region->pages << NOVA_PAGE_BITS);
}

/* Returns the index of the first region that begins above an address. */
static size_t above(const struct region_map *map, uintptr_t addr)
{
        size_t low = 0, high = map->count;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;

                if (map->entry[middle].base > addr)
                        high = middle;
                else
                        low = middle + 1;
        }
        return low;
}

struct region *novart_region_map_find(struct region_map *map, uintptr_t addr)
{
        const size_t index = above(map, addr);

        if (!index || addr >= end_of(&map->entry[index - 1]))
                return NULL;
        return &map->entry[index - 1];
}

/* Searches one area from `at` on for the first free range that is large enough. Returns 0 if there
 * is none; `index` receives the position of the new region. */
static uintptr_t fit(struct region_map *map, const struct region_area *area, uintptr_t at,
                     size_t pages, size_t align, size_t *index)
{
        const uintptr_t mask = ((uintptr_t)align << NOVA_PAGE_BITS) - 1;
        const struct region *const inside = novart_region_map_find(map, at);

        if (inside)
                at = end_of(inside);
        for (size_t i = above(map, at - 1);; i++) {
                const bool last = i == map->count || map->entry[i].base >= area->end;
                const uintptr_t end = last ? area->end : map->entry[i].base;
                const uintptr_t first = (at + mask) & ~mask;

                *index = i;
                if (first >= at && first < end && (end - first) >> NOVA_PAGE_BITS >= pages)
                        return first;
                if (last)
                        return 0;
                at = end_of(&map->entry[i]);
        }
}

/* Returns the record of the last search for a size. If there is none, it replaces the oldest one.
 */
static struct region_search *search_for(struct region_map *map, size_t pages, size_t align)
{
        struct region_search *search;

        for (search = map->search; search < map->search + REGION_SEARCHES; search++)
                if (search->pages == pages && search->align == align)
                        return search;
        search = &map->search[++map->last_search % REGION_SEARCHES];
        *search = (struct region_search){pages, align, 0, map->area[0].begin};
        return search;
}

/* Searches all areas as fit() does. */
static uintptr_t find_place(struct region_map *map, size_t pages, size_t align, size_t *index)
{
        struct region_search *const search = search_for(map, pages, align);

        for (unsigned i = search->area; i < REGION_AREAS; i++) {
                const uintptr_t from = i == search->area ? search->from : map->area[i].begin;
                const uintptr_t base = fit(map, &map->area[i], from, pages, align, index);

                if (!base)
                        continue;
                search->area = i;
                search->from = base + (pages << NOVA_PAGE_BITS);
                return base;
        }
        return 0;
}

/* Makes all searches begin at or below an address that becomes free, in the area of a region. */
static void search_again(struct region_map *map, const struct region *region, uintptr_t addr)
{
        unsigned area = 0;

        while (region->base < map->area[area].begin || region->base >= map->area[area].end)
                area++;
        for (unsigned i = 0; i < REGION_SEARCHES; i++) {
                struct region_search *const search = &map->search[i];

                if (search->area < area || (search->area == area && search->from <= addr))
                        continue;
                search->area = area;
                search->from = addr > map->area[area].begin ? addr : map->area[area].begin;
        }
}

void novart_region_set_name(struct region *region, const char *name)
{
        size_t i = 0;

        for (; name && name[i] && i + 1 < REGION_NAME_BYTES; i++)
                region->name[i] = name[i];
        for (; i < REGION_NAME_BYTES; i++)
                region->name[i] = 0;
}

struct region *novart_region_map_add(struct region_map *map, size_t pages, size_t align,
                                     enum region_kind kind, const char *name)
{
        uintptr_t base;
        size_t index = 0;

        if (!pages || region_map_full(map) || align > SIZE_MAX >> NOVA_PAGE_BITS)
                return NULL;
        base = find_place(map, pages, align, &index);
        if (!base)
                return NULL;

        for (size_t i = map->count++; i > index; i--)
                map->entry[i] = map->entry[i - 1];

        struct region *region = &map->entry[index];

        *region = (struct region){.base = base, .pages = pages, .kind = (uint8_t)kind};
        novart_region_set_name(region, name);
        return region;
}

void novart_region_map_remove(struct region_map *map, struct region *region)
{
        const size_t index = (size_t)(region - map->entry);

        /* The free range begins where the region before ends, which may be in a lower area. */
        search_again(map, region, index ? end_of(region - 1) : 0);
        map->count--;
        for (size_t i = index; i < map->count; i++)
                map->entry[i] = map->entry[i + 1];
}

void novart_region_map_shrink(struct region_map *map, struct region *region, size_t pages)
{
        region->pages = pages;
        search_again(map, region, end_of(region));
}

struct region *novart_region_map_move(struct region_map *map, struct region *entry, size_t room)
{
        struct region *old = map->entry == map->first ? NULL : map->entry;

        for (size_t i = 0; i < map->count; i++)
                entry[i] = map->entry[i];
        map->entry = entry;
        map->room = room;
        return old;
}
