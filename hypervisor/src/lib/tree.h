/* SPDX-License-Identifier: BSD-2-Clause */
/* Interval trees: closed ranges of words, ordered by start. A search finds the ranges that overlap
 * a given range.
 *
 * The tree is a treap: the heap order of random priorities keeps it balanced, whatever the keys
 * are. Programs cannot predict the priorities, which depend on the time of each insertion. Ranges
 * of one tree may overlap, so each node stores the highest `last` of its subtree. A tree whose
 * ranges never overlap is called disjoint; it has simpler functions of its own. The caller holds a
 * lock. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include "lib/types.h"

struct tree_node {
        word_t parent; /* parent node; for the root: tree | 1; in no tree: 0 */
        struct tree_node *left, *right;
        word_t start, last; /* the range, both inclusive */
        word_t max;      /* highest last of this subtree; in a disjoint tree the owner may use it */
        word_t priority; /* no child has a greater priority */
};

struct tree {
        struct tree_node *root;
};

/* A free place for a node in a tree. */
struct tree_place {
        struct tree_node *parent; /* NULL: the tree is empty */
        struct tree_node **link;  /* the pointer, in the parent or the tree, that will point to the
                                   * node */
};

/** Seeds the priorities. Call once, at boot. */
void tree_seed(uint64_t seed);

/** Inserts a node. The caller has set start and last. Among nodes with the same start the newest
 *  comes first. */
void tree_insert(struct tree *tree, struct tree_node *node);

/** Removes a node from its tree. */
void tree_remove(struct tree_node *node);

/** Changes the field `last` of a node. The start, and therefore the order, does not change. */
void tree_set_last(struct tree_node *node, word_t last);

/** Moves the nodes that start at x or later into an empty tree. */
void tree_split(struct tree *tree, word_t x, struct tree *later);

/** Returns the tree of a node. Climbs to the root. */
struct tree *tree_of(struct tree_node *node);

/** Returns the first node of a subtree, in order, whose `last` is at least `first`. The subtree
 * must have such a node. */
struct tree_node *tree_leftmost(struct tree_node *node, word_t first);

/** Returns the node with the lowest start among the nodes that overlap first..last, or NULL. If
 * `last` is `first` - 1, returns the first node that contains both words, or NULL. */
static inline struct tree_node *tree_find(const struct tree *tree, word_t first, word_t last)
{
        struct tree_node *node = tree->root;

        if (!node || node->max < first)
                return NULL;
        node = tree_leftmost(node, first);
        return node->start <= last ? node : NULL;
}

/** Returns the next node after node, in order, that overlaps first..last, or NULL. */
struct tree_node *tree_find_next(struct tree_node *node, word_t first, word_t last);

/** Returns the first node of a disjoint tree that overlaps first..last, or NULL. If place is not
 *  NULL, *place receives the place for a new range that begins at first and ends before the node
 *  that was found. */
static inline struct tree_node *tree_search(struct tree *tree, word_t first, word_t last,
                                            struct tree_place *place)
{
        struct tree_node **link = &tree->root, *node, *parent = NULL, *found = NULL;

        while ((node = *link)) {
                parent = node;
                if (node->last < first) {
                        link = &node->right;
                        continue;
                }
                link = &node->left;
                if (node->start > last)
                        continue;
                found = node;
                if (node->start <= first)
                        break;
        }
        if (place)
                *place = (struct tree_place){parent, link};
        return found;
}

/** Inserts a node into a disjoint tree, at the place that tree_search() found for it. The caller
 * has set start and last. */
void tree_insert_at(struct tree *tree, struct tree_place place, struct tree_node *node);

/** Removes a node from its disjoint tree. In a disjoint tree the caller may change the field `last`
 * of a node directly, if the ranges stay disjoint. */
void tree_remove_disjoint(struct tree_node *node);

static inline bool tree_is_empty(const struct tree *tree)
{
        return !tree->root;
}

#endif
