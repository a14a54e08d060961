/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts the searches in trees that a step makes. The number of instructions of a search hardly
 * depends on the size of the tree, so that a bound on searches is a bound on the step. */
#include "lib/tree.h"
#include "fake.h"
#include "space/mapping_tree.h"

/* The real functions; their sources are compiled with these names. */
struct tree_node *real_tree_find_next(struct tree_node *node, word_t first, word_t last);
struct mapping *real_mapping_search(struct space *space, word_t first, word_t last);

unsigned long fake_searches;

struct tree_node *tree_find_next(struct tree_node *node, word_t first, word_t last)
{
        fake_searches++;
        return real_tree_find_next(node, first, last);
}

struct mapping *mapping_search(struct space *space, word_t first, word_t last)
{
        fake_searches++;
        return real_mapping_search(space, first, last);
}
