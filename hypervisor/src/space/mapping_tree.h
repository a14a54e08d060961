/* SPDX-License-Identifier: BSD-2-Clause */
/* What delegation and revocation share inside the mapping database. Under the space_lock. */
#ifndef SPACE_MAPPING_TREE_H
#define SPACE_MAPPING_TREE_H

#include "space/mapping.h"

struct flush;

/** What mapping_find() does when the mapping that was found last is not the one. */
struct mapping *mapping_search(struct space *space, word_t first, word_t last);

/** The first mapping of a space that overlaps first..last, or NULL. Who looks for one looks often
 * for the same again: for parts of a range that are delegated one by one. */
static inline struct mapping *mapping_find(struct space *space, word_t first, word_t last)
{
        struct tree_node *node = space->recent;

        assert_held(&space_lock[space->type]);
        if (node && node->start <= first && first <= node->last)
                return container_of(node, struct mapping, in_space);
        return mapping_search(space, first, last);
}

/** An empty mapping, in no tree, charged to an account; NULL: no memory, or too deep. */
struct mapping *mapping_alloc(struct account *account, unsigned depth);

/** Frees a mapping that is in no tree. */
void mapping_free(struct mapping *mapping);

/** The mapping that a mapping was delegated from; NULL for the first. */
struct mapping *mapping_parent(struct mapping *mapping);

/** The place of an ancestor's selector space that a frame or port has. */
static inline word_t mapping_place_in(const struct mapping *mapping, word_t source)
{
        return mapping->in_space.start + (source - mapping->in_parent.start);
}

/** A mapping whose tables are clear leaves its space. */
void mapping_leave_space(struct mapping *mapping, struct space *space);

/** Frees a mapping that has left its space unless it has children or is pinned, and then those
 *  above it that were waiting for that. */
void mapping_release(struct mapping *mapping);

/** The same with at most count mappings; the mapping that comes next, if there are more. */
struct mapping *mapping_release_some(struct mapping *mapping, unsigned count);

/** Takes all permissions of a mapping of a few selectors, which leaves its space, and releases it.
 */
void mapping_drop(struct mapping *mapping, struct flush *flush);

/** Cuts since boot, of each type of space. */
extern uint64_t mapping_cuts[];

/** Cuts a mapping into two at boundary x of what it maps; no child crosses x. A mapping outside of
 *  its space may be freed with what it held. false: no memory. */
bool mapping_cut(struct mapping *mapping, unsigned type, word_t x, struct flush *flush);

#endif
