/* SPDX-License-Identifier: BSD-2-Clause */
/* Interval trees (see tree.h). */
#include "lib/tree.h"

#include "arch/x86/insn.h"
#include "lib/atomic.h"
#include "nova/abi/types.h"

#define ROOT_TAG 1

static word_t random;

void tree_seed(uint64_t seed)
{
        random = (word_t)(seed ^ seed >> 32);
}

/* Returns the next word of a generator with Knuth's multipliers. The upper bits decide comparisons.
 * The time of each call goes into the generator: a program can read stamps from about the time of
 * tree_seed(), and without new entropy each 2^k-th word of such a generator is a nearly arithmetic
 * progression. With either, a program could choose insertions that make a tree deep. Trees under
 * different locks may draw the same word, which is harmless. */
static word_t tree_random_priority(void)
{
        const uint64_t multiplier = NOVA_WORD_BITS == 64 ? 6364136223846793005 : 1664525;
        const word_t next = load_once(random) * (word_t)multiplier + ((word_t)rdtsc() << 1 | 1);

        store_once(random, next);
        return next;
}

static struct tree_node *tree_parent_of(const struct tree_node *node)
{
        return node->parent & ROOT_TAG ? NULL : (struct tree_node *)node->parent;
}

static void tree_update_max(struct tree_node *node)
{
        word_t max = node->last;

        if (node->left && node->left->max > max)
                max = node->left->max;
        if (node->right && node->right->max > max)
                max = node->right->max;
        node->max = max;
}

/* Recomputes max from node upwards until it does not change. */
static void tree_update_up(struct tree_node *node)
{
        for (; node; node = tree_parent_of(node)) {
                const word_t old = node->max;
                tree_update_max(node);
                if (node->max == old)
                        return;
        }
}

/* Returns the pointer that points to a node. */
static struct tree_node **tree_link_to(const struct tree_node *node)
{
        struct tree_node *parent = tree_parent_of(node);

        if (!parent)
                return &((struct tree *)(node->parent & ~(word_t)ROOT_TAG))->root;
        return parent->left == node ? &parent->left : &parent->right;
}

/* One side of a split: the link for its next node, and that node's parent. */
struct side {
        struct tree_node **link;
        word_t parent;
};

/* Links a node to its side. The next node of this side becomes its right or left child. */
static void tree_side_append(struct side *side, struct tree_node *node, bool right)
{
        *side->link = node;
        node->parent = side->parent;
        side->parent = (word_t)node;
        side->link = right ? &node->right : &node->left;
}

/* Ends a side by linking the rest, which is a whole subtree or NULL. */
static void tree_side_end(const struct side *side, struct tree_node *rest)
{
        *side->link = rest;
        if (rest)
                rest->parent = side->parent;
}

/* Recomputes max from the end of a side upwards, up to the last node below `top`. */
static void tree_side_update(const struct side *side, word_t top)
{
        for (word_t at = side->parent; at != top; at = ((struct tree_node *)at)->parent)
                tree_update_max((struct tree_node *)at);
}

/* Splits a subtree into the nodes that start before x, and the others. */
static void tree_distribute(struct tree_node *node, word_t x, struct side left, struct side right)
{
        const word_t left_top = left.parent, right_top = right.parent;

        while (node) {
                const bool before = node->start < x;
                struct tree_node *next = before ? node->right : node->left;
                tree_side_append(before ? &left : &right, node, before);
                node = next;
        }
        tree_side_end(&left, NULL);
        tree_side_end(&right, NULL);
        tree_side_update(&left, left_top);
        tree_side_update(&right, right_top);
}

/* Sets the parent of a node, unless the node is NULL. */
static inline void tree_set_parent(struct tree_node *node, struct tree_node *parent)
{
        if (node)
                node->parent = (word_t)parent;
}

/* Inserts a node at a place. Nodes above the place with a lower priority move below the new node,
 * each with the subtree on its other side. */
static always_inline void tree_hang_at(struct tree *tree, struct tree_place place,
                                       struct tree_node *node, bool overlap)
{
        const word_t priority = tree_random_priority();
        struct tree_node *left = NULL, *right = NULL, *parent = place.parent;
        struct tree_node **link = place.link;

        while (parent && parent->priority < priority) {
                if (link == &parent->left) {
                        *link = right;
                        tree_set_parent(right, parent);
                        right = parent;
                } else {
                        *link = left;
                        tree_set_parent(left, parent);
                        left = parent;
                }
                if (overlap)
                        tree_update_max(parent);
                link = tree_link_to(parent);
                parent = tree_parent_of(parent);
        }
        *link = node;
        node->parent = parent ? (word_t)parent : (word_t)tree | ROOT_TAG;
        node->priority = priority;
        node->left = left;
        node->right = right;
        tree_set_parent(left, node);
        tree_set_parent(right, node);
        if (overlap) {
                tree_update_max(node);
                for (; parent && parent->max < node->last; parent = tree_parent_of(parent))
                        parent->max = node->last;
        }
}

void tree_insert_at(struct tree *tree, struct tree_place place, struct tree_node *node)
{
        tree_hang_at(tree, place, node, false);
}

void tree_insert(struct tree *tree, struct tree_node *node)
{
        struct tree_place place = {.link = &tree->root};

        while (*place.link) {
                place.parent = *place.link;
                place.link = node->start <= place.parent->start ? &place.parent->left
                                                                : &place.parent->right;
        }
        tree_hang_at(tree, place, node, true);
}

/* Replaces a node by the merge of its subtrees, the higher priority on top. Returns, as a side, the
 * last node that was linked, or the node's parent if none was linked. */
static always_inline struct side tree_merge_below(const struct tree_node *node)
{
        struct tree_node *left = node->left, *right = node->right;
        struct side side = {tree_link_to(node), node->parent};

        while (left && right) {
                if (left->priority < right->priority) {
                        struct tree_node *next = right->left;
                        tree_side_append(&side, right, false);
                        right = next;
                } else {
                        struct tree_node *next = left->right;
                        tree_side_append(&side, left, true);
                        left = next;
                }
        }
        tree_side_end(&side, left ? left : right);
        return side;
}

void tree_remove_disjoint(struct tree_node *node)
{
        tree_merge_below(node);
        node->parent = 0;
}

void tree_remove(struct tree_node *node)
{
        const struct side side = tree_merge_below(node);

        tree_side_update(&side, node->parent);
        tree_update_up(tree_parent_of(node));
        node->parent = 0;
}

void tree_set_last(struct tree_node *node, word_t last)
{
        node->last = last;
        tree_update_up(node);
}

void tree_split(struct tree *tree, word_t x, struct tree *later)
{
        tree_distribute(tree->root, x, (struct side){&tree->root, (word_t)tree | ROOT_TAG},
                        (struct side){&later->root, (word_t)later | ROOT_TAG});
}

struct tree *tree_of(struct tree_node *node)
{
        while (!(node->parent & ROOT_TAG))
                node = (struct tree_node *)node->parent;
        return (struct tree *)(node->parent & ~(word_t)ROOT_TAG);
}

struct tree_node *tree_leftmost(struct tree_node *node, word_t first)
{
        for (;;) {
                if (node->left && node->left->max >= first)
                        node = node->left;
                else if (node->last >= first)
                        return node;
                else
                        node = node->right;
        }
}

struct tree_node *tree_find_next(struct tree_node *node, word_t first, word_t last)
{
        struct tree_node *next = NULL;

        if (node->right && node->right->max >= first) {
                next = tree_leftmost(node->right, first);
        } else {
                struct tree_node *parent;
                for (; !next && (parent = tree_parent_of(node)); node = parent) {
                        if (parent->left != node)
                                continue;
                        if (parent->last >= first)
                                next = parent;
                        else if (parent->right && parent->right->max >= first)
                                next = tree_leftmost(parent->right, first);
                }
        }
        return next && next->start <= last ? next : NULL;
}
