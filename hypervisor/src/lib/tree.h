/* SPDX-License-Identifier: BSD-2-Clause */
/* Interval trees: closed ranges of words, ordered by start, that answer "what overlaps this?".
 *
 * A treap: the heap order of hashed priorities keeps it balanced whatever the keys are, and the
 * hash is keyed at boot so that nobody can foresee it. Each node also knows the highest last word
 * below it. Ranges of one tree may overlap. The caller locks. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include "lib/types.h"

struct tree_node {
        word_t parent; /* node, or tree | 1 for the root; 0 when in no tree */
        struct tree_node *left, *right;
        word_t start, last; /* the range, both inclusive */
        word_t max;         /* highest last of this subtree */
};

struct tree {
        struct tree_node *root;
};

/** Keys the hash of priorities. Once, at boot. */
void tree_seed(uint64_t seed);

/** Inserts a node whose start and last are set. Of equal starts the newest comes first. */
void tree_insert(struct tree *tree, struct tree_node *node);

/** Removes a node from the tree that it is in. */
void tree_remove(struct tree_node *node);

/** Changes a node's last; the start, and so the order, stays. */
void tree_set_last(struct tree_node *node, word_t last);

/** Moves the nodes that start at x or later into an empty tree. */
void tree_split(struct tree *tree, word_t x, struct tree *later);

/** The tree that a node is in; climbs to the root. */
struct tree *tree_of(struct tree_node *node);

/** The node with the lowest start among those that overlap first..last, or NULL. With last =
 *  first - 1: the first one that crosses the boundary between last and first. */
struct tree_node *tree_find(const struct tree *tree, word_t first, word_t last);

/** The next one after node, in order, that overlaps first..last, or NULL. */
struct tree_node *tree_find_next(struct tree_node *node, word_t first, word_t last);

static inline bool tree_is_empty(const struct tree *tree)
{
        return !tree->root;
}

#endif
