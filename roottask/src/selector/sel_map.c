/* SPDX-License-Identifier: BSD-2-Clause */
/* A bitmap of selectors (see sel_map.h), searched word by word. Ranges of order 5 and above consist
 * of whole words. */
#include "selector/sel_map.h"

#define NONE       ((nova_sel_t)-1)
#define WORD_ORDER 5

void novart_sel_map_init(struct sel_map *map, nova_sel_t first, nova_sel_t count,
                         void *(*page)(void))
{
        if (first > SEL_MAP_END)
                first = SEL_MAP_END;
        if (count > SEL_MAP_END - first)
                count = SEL_MAP_END - first;
        map->first = first;
        map->end = first + count;
        map->used = 0;
        map->page = page;
        for (unsigned i = 0; i < SEL_LEAVES; i++)
                map->leaf[i] = (struct sel_leaf){NULL, 0, 0};
        map->leaf[0] = (struct sel_leaf){map->small, SEL_SMALL_COUNT, 0};
        for (unsigned i = 0; i < SEL_SMALL_COUNT / SEL_WORD_BITS; i++)
                map->small[i] = 0;
}

/* Returns the bits of one word that represent a range inside it. */
static uint32_t mask_of(nova_sel_t index, unsigned order)
{
        const uint32_t ones = order >= WORD_ORDER ? ~0u : ((uint32_t)1 << (1u << order)) - 1;

        return ones << index % SEL_WORD_BITS;
}

/* Returns true if all 2^order bits that begin at `index` have the value. */
static bool all_are(const struct sel_leaf *leaf, nova_sel_t index, unsigned order, bool value)
{
        const uint32_t mask = mask_of(index, order);
        const size_t words = order > WORD_ORDER ? (size_t)1 << (order - WORD_ORDER) : 1;

        for (size_t i = 0; i < words; i++)
                if ((leaf->word[index / SEL_WORD_BITS + i] & mask) != (value ? mask : 0))
                        return false;
        return true;
}

static void set(struct sel_leaf *leaf, nova_sel_t index, unsigned order, bool value)
{
        const uint32_t mask = mask_of(index, order);
        const size_t words = order > WORD_ORDER ? (size_t)1 << (order - WORD_ORDER) : 1;

        for (size_t i = 0; i < words; i++) {
                uint32_t *word = &leaf->word[index / SEL_WORD_BITS + i];

                *word = value ? *word | mask : *word & ~mask;
        }
}

/* Searches a leaf whose first selector is `base`.
 * @return index in the leaf, or NONE */
static nova_sel_t search(const struct sel_map *map, struct sel_leaf *leaf, nova_sel_t base,
                         unsigned order)
{
        const nova_sel_t size = (nova_sel_t)1 << order;
        const nova_sel_t from = map->first > base ? map->first - base : 0;
        const nova_sel_t end = map->end - base < leaf->covered ? map->end - base : leaf->covered;
        nova_sel_t index = leaf->low * SEL_WORD_BITS;

        index = ((index > from ? index : from) + size - 1) & ~(size - 1);
        while (index < end && size <= end - index) {
                if (all_are(leaf, index, order, false))
                        return index;
                if (order < WORD_ORDER && leaf->word[index / SEL_WORD_BITS] == ~0u)
                        index = (index | (SEL_WORD_BITS - 1)) + 1;
                else
                        index += size;
        }
        return NONE;
}

/* Allocates a leaf's page. Returns false if the leaf is complete already, or no page is left. */
static bool extend(struct sel_map *map, struct sel_leaf *leaf)
{
        uint32_t *page = leaf->covered < SEL_LEAF_COUNT ? map->page() : NULL;

        if (!page)
                return false;
        for (size_t i = 0; i < leaf->covered / SEL_WORD_BITS; i++)
                page[i] = leaf->word[i];
        leaf->word = page;
        leaf->covered = SEL_LEAF_COUNT;
        return true;
}

static nova_sel_t take_from(struct sel_map *map, unsigned number, unsigned order)
{
        const nova_sel_t base = number * SEL_LEAF_COUNT;
        struct sel_leaf *leaf = &map->leaf[number];

        if (map->first >= base + SEL_LEAF_COUNT || map->end <= base)
                return NONE;

        nova_sel_t index = search(map, leaf, base, order);

        if (index == NONE && map->end - base > leaf->covered && extend(map, leaf))
                index = search(map, leaf, base, order);
        if (index == NONE)
                return NONE;
        set(leaf, index, order, true);
        if (order == 0)
                leaf->low = index / SEL_WORD_BITS;
        map->used += (size_t)1 << order;
        return base + index;
}

nova_sel_t novart_sel_map_take(struct sel_map *map, unsigned order)
{
        nova_sel_t sel = NONE;

        if (order > SEL_LEAF_ORDER)
                return NONE;
        for (unsigned i = 0; i < SEL_LEAVES && sel == NONE; i++)
                sel = take_from(map, i, order);
        return sel;
}

bool novart_sel_map_give(struct sel_map *map, nova_sel_t base, unsigned order)
{
        const nova_sel_t size = (nova_sel_t)1 << (order > SEL_LEAF_ORDER ? 0 : order);
        const nova_sel_t index = base % SEL_LEAF_COUNT;

        if (order > SEL_LEAF_ORDER || base % size || base < map->first || base >= map->end ||
            size > map->end - base)
                return false;

        struct sel_leaf *leaf = &map->leaf[base / SEL_LEAF_COUNT];

        if (index >= leaf->covered || size > leaf->covered - index ||
            !all_are(leaf, index, order, true))
                return false;
        set(leaf, index, order, false);
        if (index / SEL_WORD_BITS < leaf->low)
                leaf->low = index / SEL_WORD_BITS;
        map->used -= size;
        return true;
}
