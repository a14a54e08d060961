/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors in use: a bitmap in leaves, which are allocated when they are needed.
 *
 * Takes no lock and makes no hypercalls. The lowest free selectors are allocated first, because the
 * kernel charges memory for each group of 512 selectors that contains a selector in use. */
#ifndef NOVA_ROOTTASK_SEL_MAP_H
#define NOVA_ROOTTASK_SEL_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A leaf is a page of bits. The first leaf starts as a small array inside the map. */
#define SEL_LEAF_ORDER  (NOVA_PAGE_BITS + 3)
#define SEL_LEAF_COUNT  ((nova_sel_t)1 << SEL_LEAF_ORDER)
#define SEL_LEAVES      8
#define SEL_SMALL_COUNT 1024
#define SEL_WORD_BITS   32

/* Upper bound of the selectors that a map allocates. */
#define SEL_MAP_END (SEL_LEAF_COUNT * SEL_LEAVES)

struct sel_leaf {
        uint32_t *word;     /* bits of the selectors; NULL: all are free */
        nova_sel_t covered; /* number of selectors with a bit */
        size_t low;         /* index below which no word has a free bit */
};

struct sel_map {
        nova_sel_t first, end; /* range to allocate from */
        size_t used;
        struct sel_leaf leaf[SEL_LEAVES];
        uint32_t small[SEL_SMALL_COUNT / SEL_WORD_BITS];
        void *(*page)(void); /* returns a page of zeros, or NULL */
};

/** Initialises a map of [first, first + count). The map calls @p page to allocate the page of each
 * leaf. */
void novart_sel_map_init(struct sel_map *map, nova_sel_t first, nova_sel_t count,
                         void *(*page)(void));

/** Allocates 2^order naturally aligned selectors.
 * @return the first; (nova_sel_t)-1 if there are none, or no page for a leaf */
nova_sel_t novart_sel_map_take(struct sel_map *map, unsigned order);

/** Frees 2^order selectors.
 * @return false, and nothing changes, if one of them is not in use */
bool novart_sel_map_give(struct sel_map *map, nova_sel_t base, unsigned order);

#ifdef __cplusplus
}
#endif

#endif
