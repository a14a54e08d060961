/* SPDX-License-Identifier: BSD-2-Clause */
/* Interval trees: closed ranges of words, ordered by start, that answer "what overlaps this?".
 *
 * A treap: the heap order of random priorities keeps it balanced whatever the keys are; they are
 * seeded at boot so that programs cannot predict them. Ranges of one tree may overlap; each node
 * knows the highest last word below it for that. A tree whose ranges never do is called disjoint:
 * it has functions of its own, which have less to do. The caller locks. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include "lib/types.h"

struct tree_node {
        word_t parent; /* node, or tree | 1 for the root; 0 when in no tree */
        struct tree_node *left, *right;
        word_t start, last; /* the range, both inclusive */
        word_t max;         /* highest last of this subtree; not of disjoint trees */
        word_t priority;    /* no child has a greater one */
};

struct tree {
        struct tree_node *root;
};

/* A free place for a node. */
struct tree_place {
        struct tree_node *parent; /* NULL: the tree is empty */
        struct tree_node **link;  /* … and what of it will point at the node */
};

/** Seeds the priorities. Once, at boot. */
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

/** The first node, in order, of a subtree that ends at or after first; there is one. */
struct tree_node *tree_leftmost(struct tree_node *node, word_t first);

/** The node with the lowest start among those that overlap first..last, or NULL. With last =
 *  first - 1: the first one that crosses the boundary between last and first. */
static inline struct tree_node *tree_find(const struct tree *tree, word_t first, word_t last)
{
        struct tree_node *node = tree->root;

        if (!node || node->max < first)
                return NULL;
        node = tree_leftmost(node, first);
        return node->start <= last ? node : NULL;
}

/** The next one after node, in order, that overlaps first..last, or NULL. */
struct tree_node *tree_find_next(struct tree_node *node, word_t first, word_t last);

/** Of a disjoint tree: the first node that overlaps first..last, or NULL. place, unless NULL: where
 *  a range goes that begins with first and ends before the one that was found. */
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

/** Inserts a node whose start and last are set into a disjoint tree, at the place that a search
 *  found for it. */
void tree_insert_at(struct tree *tree, struct tree_place place, struct tree_node *node);

/** Removes a node from the disjoint tree that it is in. Its last may be written at any time as long
 *  as it stays disjoint. */
void tree_remove_disjoint(struct tree_node *node);

static inline bool tree_is_empty(const struct tree *tree)
{
        return !tree->root;
}

#endif
