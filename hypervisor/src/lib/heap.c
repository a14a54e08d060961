/* SPDX-License-Identifier: BSD-2-Clause */
/* Heaps (see heap.h). */
#include "lib/heap.h"

#include "arch/x86/insn.h"

void heap_init(struct heap *heap, uint32_t seed)
{
        heap->first = NULL;
        heap->random = seed | 1;
}

/* Marsaglia's xorshift: full period, a few instructions. */
static bool heap_random_bit(struct heap *heap)
{
        heap->random ^= heap->random << 13;
        heap->random ^= heap->random >> 17;
        heap->random ^= heap->random << 5;
        return heap->random >> 31;
}

/* Merges two heaps, of which one or both may be empty. Returns the root. The time of the merge goes
 * into the generator: a program that knows the generator's state could otherwise choose keys that
 * make the heap deep. */
static struct heap_node *heap_merge(struct heap *heap, struct heap_node *a, struct heap_node *b)
{
        struct heap_node *root = NULL, *parent = NULL, **link = &root;

        heap->random = (heap->random ^ (uint32_t)rdtsc()) | 1;
        while (a && b) {
                struct heap_node *low = b->key < a->key ? b : a;
                b = low == a ? b : a;
                *link = low;
                low->parent = parent;
                parent = low;
                link = heap_random_bit(heap) ? &low->left : &low->right;
                a = *link;
        }
        *link = a ? a : b;
        if (*link)
                (*link)->parent = parent;
        return root;
}

void heap_insert(struct heap *heap, struct heap_node *node)
{
        node->left = node->right = NULL;
        heap->first = heap_merge(heap, heap->first, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
        struct heap_node *parent = node->parent;
        struct heap_node *rest = heap_merge(heap, node->left, node->right);

        if (rest)
                rest->parent = parent;
        if (!parent)
                heap->first = rest;
        else if (parent->left == node)
                parent->left = rest;
        else
                parent->right = rest;
}
