/* SPDX-License-Identifier: BSD-2-Clause */
/* What delegation and revocation share inside the mapping database. Under the space_lock. */
#ifndef SPACE_MAPPING_TREE_H
#define SPACE_MAPPING_TREE_H

#include "memory/account.h"
#include "memory/slab.h"
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

extern struct slab_cache mapping_cache;

/** An empty mapping, in no tree, charged to an account; NULL: no memory, or too deep. */
static always_inline struct mapping *mapping_alloc(struct account *account, unsigned depth)
{
        if (depth > MAPPING_DEPTH_MAX || !account_charge(account, mapping_cache.size))
                return NULL;

        struct mapping *mapping = (struct mapping *)slab_alloc(&mapping_cache);
        if (!mapping) {
                account_return(account, mapping_cache.size);
                return NULL;
        }
        /* Trees write their nodes; who is in none has no parent. */
        mapping->in_parent.parent = 0;
        mapping->children.root = NULL;
        mapping->space = NULL;
        mapping->account = account;
        mapping->cut = 0;
        mapping->torn = 0;
        mapping->pins = 0;
        mapping->depth = (uint16_t)depth;
        mapping->perms = 0;
        mapping->attr = 0;
        return mapping;
}

/** What a new mapping is of; it is in no tree yet. */
static always_inline void mapping_set_range(struct mapping *mapping, struct space *space,
                                            word_t first, word_t last, word_t source,
                                            unsigned perms, unsigned attr)
{
        mapping->space = space;
        mapping->perms = (uint8_t)perms;
        mapping->attr = (uint8_t)attr;
        mapping->in_space.start = first;
        mapping->in_space.last = last;
        mapping->in_parent.start = source;
        mapping->in_parent.last = source + (last - first);
}

/** Frees a mapping that is in no tree. */
void mapping_free(struct mapping *mapping);

/** The mapping that a mapping was delegated from; NULL for the first. */
struct mapping *mapping_parent(struct mapping *mapping);

/** The place of an ancestor's selector space that a frame or port has. */
static inline word_t mapping_place_in(const struct mapping *mapping, word_t source)
{
        return mapping->in_space.start + (source - mapping->in_parent.start);
}

/* For assert(): no mapping of a space overlaps a range. */
static assert_only bool mapping_has_room(struct space *space, const struct tree_node *range)
{
        return !tree_search(&space->tree, range->start, range->last, NULL);
}

/** Enters a child of parent into both trees, that of its space where a search found a place. */
static always_inline void mapping_enter(struct mapping *child, struct tree_place place,
                                        struct mapping *parent)
{
        assert_held(&space_lock[child->space->type]);
        assert(!(child->perms & ~(unsigned)parent->perms) && child->depth == parent->depth + 1u);
        assert(child->in_parent.start >= parent->in_parent.start &&
               child->in_parent.last <= parent->in_parent.last);
        assert(mapping_has_room(child->space, &child->in_space));
        tree_insert_at(&child->space->tree, place, &child->in_space);
        tree_insert(&parent->children, &child->in_parent);
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
