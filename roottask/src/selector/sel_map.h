/* SPDX-License-Identifier: BSD-2-Clause */
/* Which selectors of a range are in use: a bitmap in leaves that appear when they are needed.
 *
 * Pure logic: no lock, no hypercall. The lowest free place is taken, because the kernel pays for
 * each 512 selectors of which one is used. */
#ifndef NOVA_ROOTTASK_SEL_MAP_H
#define NOVA_ROOTTASK_SEL_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A leaf is a page of bits; the first one begins as a small array inside the map. */
#define SEL_LEAF_ORDER  (NOVA_PAGE_BITS + 3)
#define SEL_LEAF_COUNT  ((nova_sel_t)1 << SEL_LEAF_ORDER)
#define SEL_LEAVES      8
#define SEL_SMALL_COUNT 1024
#define SEL_WORD_BITS   32

/* No map hands out a selector at or above this one. */
#define SEL_MAP_END (SEL_LEAF_COUNT * SEL_LEAVES)

struct sel_leaf {
        uint32_t *word;     /* NULL: all are free */
        nova_sel_t covered; /* selectors for which there are bits */
        size_t low;         /* no word below this one has a free bit */
};

struct sel_map {
        nova_sel_t first, end; /* what may be given out */
        size_t used;
        struct sel_leaf leaf[SEL_LEAVES];
        uint32_t small[SEL_SMALL_COUNT / SEL_WORD_BITS];
        void *(*page)(void); /* a page of zeros for a leaf, or NULL */
};

/** Prepares a map of [first, first + count). @p page is asked for a page for each leaf. */
void novart_sel_map_init(struct sel_map *map, nova_sel_t first, nova_sel_t count,
                         void *(*page)(void));

/** Takes 2^order naturally aligned selectors. @return the first; (nova_sel_t)-1 if there are none,
 *  or no page for a leaf */
nova_sel_t novart_sel_map_take(struct sel_map *map, unsigned order);

/** Gives 2^order selectors back. @return false, and nothing changes, if one of them is not in use
 */
bool novart_sel_map_give(struct sel_map *map, nova_sel_t base, unsigned order);

#ifdef __cplusplus
}
#endif

#endif
