/* SPDX-License-Identifier: BSD-2-Clause */
/* Heaps: nodes with 64-bit keys; the node with the lowest key is the first.
 *
 * A merge of two heaps goes down into the left or right child, chosen at random at each node. So an
 * insertion or removal takes O(log n) steps on average for any keys in any order. The caller holds
 * a lock. */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include "lib/types.h"

struct heap_node {
        uint64_t key;
        struct heap_node *parent, *left, *right;
};

struct heap {
        struct heap_node *first; /* node with the lowest key; NULL: the heap is empty */
        uint32_t random;         /* state of the random generator, not 0 */
};

/** Makes the heap empty. Programs should not be able to predict the seed. */
void heap_init(struct heap *heap, uint32_t seed);

/** Inserts a node. The caller has set its key. */
void heap_insert(struct heap *heap, struct heap_node *node);

/** Removes a node from the heap that it is in. */
void heap_remove(struct heap *heap, struct heap_node *node);

#endif
