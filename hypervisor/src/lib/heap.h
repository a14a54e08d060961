/* SPDX-License-Identifier: BSD-2-Clause */
/* Heaps: nodes with 64-bit keys, the lowest first.
 *
 * Two heaps become one along a way that is chosen at random at each node, so a change costs O(log
 * n) steps on average whatever the keys are and in whatever order they come. The caller locks. */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include "lib/types.h"

struct heap_node {
        uint64_t key;
        struct heap_node *parent, *left, *right;
};

struct heap {
        struct heap_node *first; /* of the lowest key; NULL: empty */
        uint32_t random;         /* state of the generator, not 0 */
};

/** An empty heap; the seed should not be predictable. */
void heap_init(struct heap *heap, uint32_t seed);

/** Inserts a node whose key is set. */
void heap_insert(struct heap *heap, struct heap_node *node);

/** Removes a node from the heap that it is in. */
void heap_remove(struct heap *heap, struct heap_node *node);

#endif
