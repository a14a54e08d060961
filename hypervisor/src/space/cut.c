/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts a mapping of memory or ports into two, at an end of a revoked range.
 *
 * The PD that has a mapping pays for each part of it, and for tables in place of a large page. So
 * another PD could exhaust this account by revocations. Other PDs do not cut a mapping that was
 * received under a limit (MAPPING_WHOLE): they take it, with all mappings below it. They also take
 * a mapping if its PD has no memory for the parts.
 *
 * A taken mapping is not freed while a thread has stopped at it or below it. Such a mapping
 * (MAPPING_BARREN) must still be cut, so that the mappings above it can be cut. It becomes shorter,
 * which needs no memory, and keeps its children: they may lie beyond its new end. No thread needs
 * to find them by their sources, because no mapping below it has rights, or can get any. The
 * threads that have stopped at them free them. */
#include "object/pd.h"
#include "space/mapping_tree.h"
#include "space/space.h"

uint64_t mapping_cuts[array_size(space_lock)];

/* Moves the selectors of `mapping` at `sel` and above to the mapping `later`. */
static void cut_space(struct mapping *mapping, struct mapping *later, word_t sel)
{
        struct space *space = mapping->space;
        struct tree_place place;

        later->space = space;
        later->in_space.start = sel;
        later->in_space.last = mapping->in_space.last;
        mapping->in_space.last = sel - 1;
        tree_search(&space->tree, sel, later->in_space.last, &place);
        tree_insert_at(&space->tree, place, &later->in_space);
}

/* Creates the upper part of a mapping that is cut before source x. NULL: no memory. */
static struct mapping *cut_alloc(struct mapping *mapping, word_t x)
{
        struct mapping *later = mapping_alloc(mapping->account, mapping->depth);

        if (!later)
                return NULL;
        later->perms = mapping->perms;
        later->attr = mapping->attr;
        later->may = mapping->may;
        later->in_parent.start = x;
        later->in_parent.last = mapping->in_parent.last;
        return later;
}

/* Enters the upper part of a mapping into the tree of the parent's children. Moves the mapping's
 * children at source x and above to the upper part. */
static void cut_parent(struct mapping *mapping, struct mapping *later, word_t x)
{
        if (mapping->in_parent.parent) {
                tree_set_last(&mapping->in_parent, x - 1);
                tree_insert(tree_of(&mapping->in_parent), &later->in_parent);
        } else {
                mapping->in_parent.last = x - 1;
        }
        tree_split(&mapping->children, x, &later->children);
}

bool mapping_cut(struct mapping *mapping, const struct revocation *r, word_t x, unsigned *budget,
                 struct flush *flush)
{
        struct space *space = mapping->space;
        const word_t sel = mapping->in_space.start + (x - mapping->in_parent.start);

        assert(mapping->in_parent.start < x && x <= mapping->in_parent.last);
        if (unlikely(mapping->attr & MAPPING_BARREN)) {
                tree_set_last(&mapping->in_parent, x - 1);
                mapping_release(mapping);
                return true;
        }
        assert(!tree_find(&mapping->children, x, x - 1));
        /* No parts while mapping_take() is in progress: its walk would not find them. */
        if (unlikely(mapping->attr & MAPPING_WHOLE && !mapping_has_rights(mapping)))
                return false;
        if (space && !space_split(space, sel, budget, flush))
                return false;

        struct mapping *later = cut_alloc(mapping, x);
        if (!later)
                return false;
        if (space)
                cut_space(mapping, later, sel);
        cut_parent(mapping, later, x);
        later->torn = ++mapping_cuts[r->space->type] & MAPPING_TORN_MASK;
        *mapping_origin(later) =
                mapping->torn ? *mapping_origin(mapping) : mapping->in_parent.start;
        if (mapping->perms)
                mapping->cut = 0;
        else
                later->cut = mapping->cut;
        if (!space) {
                mapping_release(later);
                mapping_release(mapping);
        }
        return true;
}

void mapping_take(struct mapping *mapping, struct revocation *r)
{
        const bool had = mapping_has_rights(mapping);

        assert(!(mapping->attr & MAPPING_BARREN));
        mapping_take_rights(mapping);
        mapping->attr |= MAPPING_WHOLE;
        if (had)
                mapping->cut = revocation_mark_of(r);
        r->cutting = false;
        r->takes = true;
        r->perms = NOVA_PERM_ALL;
        r->depth = mapping->depth;
        r->first_source = mapping->in_parent.start;
        r->last_source = mapping->in_parent.last;
        r->since = r->since_deep = mapping_cuts[r->space->type];
        r->sync = r->sync_first = mapping->in_space.start;
        r->sync_last = mapping->in_space.last;
        /* emptied: the walk goes on to its end even if the revoking EC ends, because the mapping
         * leaves its space, so nothing could revoke the mappings below it any more. */
        r->emptied = true;
        r->syncs = mapping->space;
        /* A revocation that took the rights earlier keeps its mark. That revocation removes the
         * mapping from the space, because it may have to go on at this mapping before it
         * returns. */
        r->leaves = had;
}

struct mapping *mapping_taken(struct mapping *mapping, struct revocation *r)
{
        struct mapping *parent = mapping_parent(mapping);

        if (mapping->space)
                mapping_leave_space(mapping, mapping->space);
        mapping->attr |= MAPPING_BARREN;
        mapping->may = 0;
        r->takes = r->emptied = r->up = false;
        r->perms = r->asked;
        r->depth = r->top_depth;
        if (r->given_up)
                return mapping;
        r->cutting = true;
        parent->pins++;
        mapping_release(mapping);
        parent->pins--;
        return parent;
}
