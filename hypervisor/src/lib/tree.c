/* SPDX-License-Identifier: BSD-2-Clause */
/* Interval trees (see tree.h). */
#include "lib/tree.h"

#define ROOT_TAG 1

static uint64_t tree_key;

void tree_seed(uint64_t seed)
{
        tree_key = seed;
}

/* The heap order: a hash of the node's address, so that it needs no field. */
static uint32_t priority(const struct tree_node *node)
{
        uint64_t hash = ((uint64_t)(uintptr_t)node >> 4 ^ tree_key) * 0x9e3779b97f4a7c15;
        return (uint32_t)(hash >> 32);
}

static struct tree_node *parent_of(const struct tree_node *node)
{
        return node->parent & ROOT_TAG ? NULL : (struct tree_node *)node->parent;
}

static void update_max(struct tree_node *node)
{
        word_t max = node->last;

        if (node->left && node->left->max > max)
                max = node->left->max;
        if (node->right && node->right->max > max)
                max = node->right->max;
        node->max = max;
}

/* Recomputes max from node upwards until nothing changes. */
static void update_up(struct tree_node *node)
{
        for (; node; node = parent_of(node)) {
                const word_t old = node->max;
                update_max(node);
                if (node->max == old)
                        return;
        }
}

/* Puts node, which may be NULL, where old hangs. */
static void replace(const struct tree_node *old, struct tree_node *node)
{
        struct tree_node *parent = parent_of(old);

        if (!parent)
                ((struct tree *)(old->parent & ~(word_t)ROOT_TAG))->root = node;
        else if (parent->left == old)
                parent->left = node;
        else
                parent->right = node;
        if (node)
                node->parent = old->parent;
}

/* Makes node, a child, the parent of its parent. */
static void rotate_up(struct tree_node *node)
{
        struct tree_node *parent = parent_of(node), *inner;

        replace(parent, node);
        if (parent->left == node) {
                inner = node->right;
                node->right = parent;
                parent->left = inner;
        } else {
                inner = node->left;
                node->left = parent;
                parent->right = inner;
        }
        parent->parent = (word_t)node;
        if (inner)
                inner->parent = (word_t)parent;
        update_max(parent);
        update_max(node);
}

void tree_insert(struct tree *tree, struct tree_node *node)
{
        struct tree_node **link = &tree->root, *parent = NULL;

        node->left = node->right = NULL;
        node->max = node->last;
        while (*link) {
                parent = *link;
                if (parent->max < node->last)
                        parent->max = node->last;
                link = node->start <= parent->start ? &parent->left : &parent->right;
        }
        *link = node;
        node->parent = parent ? (word_t)parent : (word_t)tree | ROOT_TAG;

        const uint32_t prio = priority(node);
        while ((parent = parent_of(node)) && priority(parent) < prio)
                rotate_up(node);
}

void tree_remove(struct tree_node *node)
{
        while (node->left && node->right)
                rotate_up(priority(node->left) < priority(node->right) ? node->right : node->left);

        struct tree_node *parent = parent_of(node);
        replace(node, node->left ? node->left : node->right);
        update_up(parent);
        node->parent = 0;
}

void tree_set_last(struct tree_node *node, word_t last)
{
        node->last = last;
        update_up(node);
}

/* Hangs node where a split goes on, and tells where the next node of this side goes. */
static struct tree_node **split_append(struct tree_node **link, word_t *parent,
                                       struct tree_node *node, bool right)
{
        *link = node;
        node->parent = *parent;
        *parent = (word_t)node;
        return right ? &node->right : &node->left;
}

/* Recomputes max on the whole way from the end of a split side to its root. */
static void split_finish(struct tree_node **link, word_t parent)
{
        *link = NULL;
        while (!(parent & ROOT_TAG)) {
                struct tree_node *node = (struct tree_node *)parent;
                update_max(node);
                parent = node->parent;
        }
}

void tree_split(struct tree *tree, word_t x, struct tree *later)
{
        struct tree_node *node = tree->root;
        struct tree_node **left = &tree->root, **right = &later->root;
        word_t left_parent = (word_t)tree | ROOT_TAG, right_parent = (word_t)later | ROOT_TAG;

        while (node) {
                if (node->start < x) {
                        left = split_append(left, &left_parent, node, true);
                        node = *left;
                } else {
                        right = split_append(right, &right_parent, node, false);
                        node = *right;
                }
        }
        split_finish(left, left_parent);
        split_finish(right, right_parent);
}

struct tree *tree_of(struct tree_node *node)
{
        while (!(node->parent & ROOT_TAG))
                node = (struct tree_node *)node->parent;
        return (struct tree *)(node->parent & ~(word_t)ROOT_TAG);
}

/* The first node, in order, of a subtree that ends at or after first; there is one. */
static struct tree_node *leftmost(struct tree_node *node, word_t first)
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

struct tree_node *tree_find(const struct tree *tree, word_t first, word_t last)
{
        if (!tree->root || tree->root->max < first)
                return NULL;

        struct tree_node *node = leftmost(tree->root, first);
        return node->start <= last ? node : NULL;
}

struct tree_node *tree_find_next(struct tree_node *node, word_t first, word_t last)
{
        struct tree_node *next = NULL;

        if (node->right && node->right->max >= first) {
                next = leftmost(node->right, first);
        } else {
                struct tree_node *parent;
                for (; !next && (parent = parent_of(node)); node = parent) {
                        if (parent->left != node)
                                continue;
                        if (parent->last >= first)
                                next = parent;
                        else if (parent->right && parent->right->max >= first)
                                next = leftmost(parent->right, first);
                }
        }
        return next && next->start <= last ? next : NULL;
}
