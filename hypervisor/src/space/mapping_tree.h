/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the mapping database that delegation and revocation share. Under the space_lock. */
#ifndef SPACE_MAPPING_TREE_H
#define SPACE_MAPPING_TREE_H

#include "lib/bits.h"
#include "memory/account.h"
#include "memory/slab.h"
#include "space/mapping.h"

struct flush;

/** Does the part of mapping_find() that searches the tree, and remembers the result. */
struct mapping *mapping_search(struct space *space, word_t first, word_t last);

/** Returns the first mapping of a space that overlaps first..last, or NULL. Checks the result of
 * the preceding search first, because parts of one range are often delegated one by one. */
static inline struct mapping *mapping_find(struct space *space, word_t first, word_t last)
{
        struct tree_node *node = space->recent;

        assert_held(&space_lock[space->type]);
        if (node && node->start <= first && first <= node->last)
                return container_of(node, struct mapping, in_space);
        return mapping_search(space, first, last);
}

extern struct slab_cache mapping_cache;

/** Creates an empty mapping, which is in no tree yet, and charges it to an account. NULL: there is
 * no memory, or the chain of delegations would be too long. */
static always_inline struct mapping *mapping_alloc(struct account *account, unsigned depth)
{
        if (depth > MAPPING_DEPTH_MAX || !account_charge(account, mapping_cache.size))
                return NULL;

        struct mapping *mapping = (struct mapping *)slab_alloc(&mapping_cache);
        if (!mapping) {
                account_return(account, mapping_cache.size);
                return NULL;
        }
        /* Insertions write the nodes. Before an insertion, only in_parent.parent is read; 0: in no
         * tree. */
        mapping->in_parent.parent = 0;
        mapping->children.root = NULL;
        mapping->space = NULL;
        mapping->account = account;
        mapping->cut = 0;
        mapping->torn = 0;
        mapping->may = 0;
        mapping->pins = 0;
        mapping->depth = (uint16_t)depth;
        mapping->perms = 0;
        mapping->attr = 0;
        return mapping;
}

/** Sets the range, source and permissions of a new mapping, which is in no tree yet. */
static always_inline void mapping_set_range(struct mapping *mapping, struct space *space,
                                            word_t first, word_t last, word_t source,
                                            unsigned perms, unsigned attr)
{
        mapping->space = space;
        mapping->perms = mapping->may = (uint8_t)perms;
        mapping->attr = (uint8_t)attr;
        mapping->in_space.start = first;
        mapping->in_space.last = last;
        mapping->in_parent.start = source;
        mapping->in_parent.last = source + (last - first);
}

/** Returns true if the mapping's PD may use it. The mapping of a UTCB has no permissions. */
static inline bool mapping_has_rights(const struct mapping *mapping)
{
        return mapping->perms || mapping->attr & MAPPING_UTCB;
}

/** Takes all rights from a mapping, whose tables must then be cleared. */
static inline void mapping_take_rights(struct mapping *mapping)
{
        mapping->perms = 0;
        mapping->attr &= MAPPING_WHOLE | MAPPING_BARREN;
}

/** Frees a mapping that is in no tree. */
void mapping_free(struct mapping *mapping);

/** Returns the mapping from which a mapping was delegated; NULL for the first. */
struct mapping *mapping_parent(struct mapping *mapping);

static inline struct mapping *revocation_child_at(struct tree_node *node)
{
        return node ? container_of(node, struct mapping, in_parent) : NULL;
}

/** Returns the selector at which a mapping has a source (frame or port). */
static inline word_t mapping_place_in(const struct mapping *mapping, word_t source)
{
        return mapping->in_space.start + (source - mapping->in_parent.start);
}

/* For assert(): returns true if no mapping of a space overlaps a range. */
static assert_only bool mapping_has_room(struct space *space, const struct tree_node *range)
{
        return !tree_search(&space->tree, range->start, range->last, NULL);
}

/** Enters a child into the tree of its space, at the place that a search found, and into the tree
 * of its parent's children. */
static always_inline void mapping_enter(struct mapping *child, struct tree_place place,
                                        struct mapping *parent)
{
        assert_held(&space_lock[child->space->type]);
        assert(!(child->perms & ~(unsigned)parent->perms) && child->depth == parent->depth + 1u);
        assert(!(child->may & ~(unsigned)parent->may));
        assert(child->in_parent.start >= parent->in_parent.start &&
               child->in_parent.last <= parent->in_parent.last);
        assert(mapping_has_room(child->space, &child->in_space));
        tree_insert_at(&child->space->tree, place, &child->in_space);
        tree_insert(&parent->children, &child->in_parent);
}

/** Removes a mapping without permissions, whose tables are clear, from its space. */
void mapping_leave_space(struct mapping *mapping, struct space *space);

/** Frees a mapping that has left its space, unless it has children or is pinned. Then frees those
 * of its ancestors that only this mapping held. */
void mapping_release(struct mapping *mapping);

/** Does mapping_release() as far as the budget allows. Returns the mapping at which to continue, or
 * NULL. */
struct mapping *mapping_release_some(struct mapping *mapping, unsigned *budget);

/** Unpins *loose and does mapping_release_some(). Stores the mapping at which to continue in *loose
 * and pins it, or stores NULL. Returns true if none is left. */
bool mapping_release_rest(struct mapping **loose, unsigned *budget);

/** Takes away all permissions of a mapping of a few selectors, removes it from its space, and
 * releases it. */
void mapping_drop(struct mapping *mapping, struct flush *flush);

/** Number of cuts since boot, for each type of space. */
extern uint64_t mapping_cuts[];

/** Cuts a mapping into two before source x (frame or port), which no child crosses, for a
 * revocation. A barren mapping ends before x instead. A cut that splits a large page spends a
 * step's budget. If the mapping has left its space, it may be freed, and so may mappings above it.
 * false: no memory, or mapping_take() has begun and not ended. */
bool mapping_cut(struct mapping *mapping, const struct revocation *revocation, word_t x,
                 unsigned *budget, struct flush *flush);

/** Returns true if a revocation would have to cut a mapping before source x, but must take it
 * instead (MAPPING_WHOLE). A PD cuts its own mappings, because it pays for the parts. */
static inline bool mapping_is_taken_at(const struct mapping *mapping, const struct revocation *r,
                                       word_t x)
{
        return mapping->in_parent.start < x && x <= mapping->in_parent.last &&
               (mapping->attr & (MAPPING_WHOLE | MAPPING_BARREN)) == MAPPING_WHOLE &&
               mapping->space != r->space;
}

/** Begins to take a mapping and all mappings below it, during a revocation that cuts. The walk
 * begins at this mapping, whose tables must be written first. Needs no memory. Another thread may
 * have taken the mapping's rights: this revocation then completes the removal. */
void mapping_take(struct mapping *mapping, struct revocation *revocation);

/** Ends mapping_take(), after the walk. Returns the parent, at which cutting continues. If the
 * revoking EC has ended, returns the mapping itself, and nothing is cut. */
struct mapping *mapping_taken(struct mapping *mapping, struct revocation *revocation);

/** Returns the value of mapping.cut in a mapping from which a revocation took all permissions. */
static inline word_t revocation_mark_of(const struct revocation *r)
{
        return (word_t)r;
}

/** Returns the CRD of the largest aligned range around sel inside first..last. The highest bits in
 * which sel differs from first - 1 and from last + 1 limit its order. */
static inline nova_crd_t mapping_crd_around(unsigned type, word_t sel, word_t first, word_t last,
                                            unsigned perms)
{
        const word_t differing = min_word(sel ^ (first - 1), sel ^ (last + 1));
        const unsigned order = (unsigned)min_word(bit_highest(differing), NOVA_CRD_ORDER_MASK);

        return nova_crd(type, align_down(sel, order), order, perms);
}

#endif
