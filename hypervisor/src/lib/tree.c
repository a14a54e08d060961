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

/* What points at a node. */
static struct tree_node **link_to(const struct tree_node *node)
{
        struct tree_node *parent = parent_of(node);

        if (!parent)
                return &((struct tree *)(node->parent & ~(word_t)ROOT_TAG))->root;
        return parent->left == node ? &parent->left : &parent->right;
}

/* A side of a split: where its next node hangs, and below what. */
struct side {
        struct tree_node **link;
        word_t parent;
};

/* Hangs a node on its side; the next one of this side goes to its right, or to its left. */
static void side_append(struct side *side, struct tree_node *node, bool right)
{
        *side->link = node;
        node->parent = side->parent;
        side->parent = (word_t)node;
        side->link = right ? &node->right : &node->left;
}

/* Hangs the rest, which is a whole subtree or NULL, and recomputes max on the way from there up to
 * what the side hangs below. */
static void side_finish(struct side *side, struct tree_node *rest, word_t top)
{
        *side->link = rest;
        if (rest)
                rest->parent = side->parent;
        for (word_t at = side->parent; at != top; at = ((struct tree_node *)at)->parent)
                update_max((struct tree_node *)at);
}

/* Distributes a subtree: what starts before x, and the rest. */
static void split(struct tree_node *node, word_t x, struct side left, struct side right)
{
        const word_t left_top = left.parent, right_top = right.parent;

        while (node) {
                const bool before = node->start < x;
                struct tree_node *next = before ? node->right : node->left;
                side_append(before ? &left : &right, node, before);
                node = next;
        }
        side_finish(&left, NULL, left_top);
        side_finish(&right, NULL, right_top);
}

/* On the way up from the new leaf's place there may be nodes of lower priority: the new node takes
 * the place of the highest of them, which is split below it. */
void tree_insert(struct tree *tree, struct tree_node *node)
{
        struct tree_node **link = &tree->root, *parent = NULL, *lower = NULL;

        while (*link) {
                parent = *link;
                if (parent->max < node->last)
                        parent->max = node->last;
                link = node->start <= parent->start ? &parent->left : &parent->right;
        }
        const uint32_t prio = priority(node);
        while (parent && priority(parent) < prio) {
                lower = parent;
                parent = parent_of(parent);
        }
        if (!lower) {
                *link = node;
                node->parent = parent ? (word_t)parent : (word_t)tree | ROOT_TAG;
                node->left = node->right = NULL;
                node->max = node->last;
                return;
        }
        *link_to(lower) = node;
        node->parent = lower->parent;
        split(lower, node->start, (struct side){&node->left, (word_t)node},
              (struct side){&node->right, (word_t)node});
        update_max(node);
}

/* What hangs below the node is merged in its place, the higher priority first. */
void tree_remove(struct tree_node *node)
{
        struct tree_node *left = node->left, *right = node->right, *parent = parent_of(node);
        struct side side = {link_to(node), node->parent};

        while (left && right) {
                if (priority(left) < priority(right)) {
                        struct tree_node *next = right->left;
                        side_append(&side, right, false);
                        right = next;
                } else {
                        struct tree_node *next = left->right;
                        side_append(&side, left, true);
                        left = next;
                }
        }
        side_finish(&side, left ? left : right, node->parent);
        update_up(parent);
        node->parent = 0;
}

void tree_set_last(struct tree_node *node, word_t last)
{
        node->last = last;
        update_up(node);
}

void tree_split(struct tree *tree, word_t x, struct tree *later)
{
        split(tree->root, x, (struct side){&tree->root, (word_t)tree | ROOT_TAG},
              (struct side){&later->root, (word_t)later | ROOT_TAG});
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
