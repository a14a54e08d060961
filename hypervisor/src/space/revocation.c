/* SPDX-License-Identifier: BSD-2-Clause */
/* Revocation: walks the mappings derived from a range, takes permissions, and removes mappings
 * without permissions. object_mapping.c revokes objects, which have no parts.
 *
 * A walk has two phases for each mapping of the caller's range. First, at each end of the range, it
 * cuts the mappings that cross this end, children before parents, so that the second phase visits
 * whole mappings only. A mapping above one that must be cut gets a mark (mapping.cut). New
 * delegations of it end at the mark, so that the first phase cannot go on for ever. Second, the
 * walk visits all mappings below, parents first. It misses none, because a mapping without
 * permissions cannot delegate. Between two steps, the mapping at which the walk stopped is pinned.
 *
 * Another revocation may cut a mapping in two while this walk is below its upper piece. A walk
 * visits siblings in the order of their starts. So from the upper piece it would go on after the
 * start of this piece, and would miss siblings that start between the lower piece and this piece.
 * Therefore cuts are counted, and each piece records the count at which it was cut off, and the
 * start of the mapping to which it once belonged (origin). A walk that comes up to a piece that was
 * cut off meanwhile goes back to the siblings from the origin on.
 *
 * Cuts cannot keep a walk from its end. Each mapping records the permissions that mappings below it
 * may have (may), and a walk passes mappings whose record has no revoked permission. A mapping
 * delegated from a visited mapping never has one. The walk removes these permissions from the
 * record of a mapping it leaves. So it goes back at most once per piece of a mapping that had one.
 *
 * If a thread ends while its revocation is in progress, the thread that ends it does the remaining
 * steps (given_up). A mapping from which the revocation took all permissions leaves its space, and
 * the mappings derived from it are revoked completely, because the ended thread's PD could no
 * longer revoke them. No other part of the revocation is begun. */
#include "arch/x86/tlb.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "object/object.h"
#include "object/pd.h"
#include "space/budget.h"
#include "space/mapping_tree.h"
#include "space/space.h"

#define LEAVES_AT_ONCE 8 /* mappings dropped without a walk; each may empty nine tables */

void mapping_leave_space(struct mapping *mapping, struct space *space)
{
        assert_held(&space_lock[space->type]);
        assert(mapping->space == space && !mapping_has_rights(mapping));
        if (space->recent == &mapping->in_space)
                space->recent = NULL;
        tree_remove_disjoint(&mapping->in_space);
        mapping->space = NULL;
}

/* Returns true if nothing holds a mapping any more: neither its space, nor pins, nor children. */
static bool revocation_is_loose(const struct mapping *mapping)
{
        return !mapping->space && !mapping->pins && tree_is_empty(&mapping->children);
}

static void revocation_free_loose(struct mapping *mapping)
{
        assert(revocation_is_loose(mapping));
        if (mapping->in_parent.parent)
                tree_remove(&mapping->in_parent);
        mapping_free(mapping);
}

/* Frees a mapping if nothing holds it. Returns its parent if the parent is loose, else NULL. */
static struct mapping *revocation_release_one(struct mapping *mapping)
{
        if (!revocation_is_loose(mapping))
                return NULL;
        struct mapping *parent = mapping_parent(mapping);
        revocation_free_loose(mapping);
        return parent && revocation_is_loose(parent) ? parent : NULL;
}

struct mapping *mapping_release_some(struct mapping *mapping, unsigned *budget)
{
        const uint32_t before = account_steps_now();

        for (; mapping && *budget; budget_spend(budget, ENTRIES_OF_A_SEARCH)) {
                mapping = revocation_release_one(mapping);
                *budget = unlikely(account_has_closed_many(before)) ? 0 : *budget;
        }
        return mapping;
}

bool mapping_release_rest(struct mapping **loose, unsigned *budget)
{
        if (likely(!*loose))
                return true;
        (*loose)->pins--;
        *loose = mapping_release_some(*loose, budget);
        if (*loose)
                (*loose)->pins++;
        return !*loose;
}

void mapping_release(struct mapping *mapping)
{
        while (mapping)
                mapping = revocation_release_one(mapping);
}

/* Returns true if a mapping below top, or top itself if self, must be cut at x. */
static inline bool revocation_is_crossed(const struct revocation *r, const struct mapping *top,
                                         word_t x)
{
        if (!x)
                return false;
        return (r->self && top->in_parent.start < x && x <= top->in_parent.last) ||
               tree_find(&top->children, x, x - 1);
}

/* Writes tables of a mapping, beginning at selector *at, without any memory. */
static inline void revocation_write(const struct mapping *mapping, word_t *at, unsigned *budget,
                                    struct flush *flush)
{
        if (likely(!mapping->perms)) /* removes whole tables and large pages */
                space_apply_from(mapping, at, budget, flush);
        else
                space_reduce_from(mapping, at, budget, flush);
}

/* Takes from a mapping the revoked permissions, so that it can no longer delegate them, and the
 * permissions that its parent lacks. Its tables follow (sync); its descendants come later.
 *
 * Another revocation may have taken permissions from the parent. It would reach this mapping only
 * through the parent, which leaves its space when both revocations have emptied it. */
static void revocation_reduce(struct revocation *r, struct mapping *mapping, unsigned parent_perms,
                              unsigned *budget, struct flush *flush)
{
        const bool top = mapping->depth == r->depth;
        const bool had = mapping_has_rights(mapping);
        const uint8_t left = mapping->perms & (uint8_t)~r->perms & (uint8_t)parent_perms;
        word_t at = mapping->in_space.start;

        /* An operation that stopped at a pinned mapping may owe entries of it and of its pieces. */
        const bool owed = mapping->pins || mapping->torn;
        if (!mapping->space || (mapping->perms && left == mapping->perms && !owed))
                return;
        mapping->perms = left;
        if (!left)
                mapping_take_rights(mapping);
        if (had && !left)
                mapping->cut = revocation_mark_of(r);
        if (top)
                r->emptied = !left;
        if (top && !left)
                r->owed_end = max_word(r->owed_end, mapping->in_space.last + 1);
        /* A mapping that another revocation will remove stays in its space until that revocation
         * has visited the mappings below it. This one may return first, so it clears the tables. */
        const bool leaves = !top && had && !left;
        if (at == mapping->in_space.last) { /* cannot be cut: has no pieces for revocation_sync() */
                revocation_write(mapping, &at, budget, flush);
                if (at > mapping->in_space.last) {
                        if (leaves)
                                mapping_leave_space(mapping, mapping->space);
                        return;
                }
        }
        r->syncs = true;
        r->leaves = leaves;
        r->sync = r->sync_first = at;
        r->sync_last = mapping->in_space.last;
}

/* Takes or drops (space is NULL) a reference to the PD whose tables are being written. The
 * reference is held between steps, when another revocation may cut and remove the mapping at
 * which the walk stands. The revoking EC holds the PD in which the walk began. A PD without
 * references is ending: it has no threads and clears its tables itself. */
static void revocation_hold_space(struct revocation *r, struct space *space)
{
        if (r->sync_space == space)
                return;
        if (space && space != r->space && !object_get_referenced(&space->pd->object))
                space = NULL;
        if (r->sync_space && r->sync_space != r->space)
                object_put(&r->sync_space->pd->object);
        r->sync_space = space;
}

/* Writes tables, beginning at r->sync: those of the next mapping, or of the unmapped range before
 * it. Tables of an unmapped range are cleared: another revocation may have removed the mapping from
 * the space before this one reached its tables. */
static void revocation_sync_next(struct revocation *r, struct space *space, unsigned *budget,
                                 struct flush *flush)
{
        const struct mapping *mapping = mapping_find(space, r->sync, r->sync_last);

        if (likely(mapping && mapping->in_space.start <= r->sync)) {
                revocation_write(mapping, &r->sync, budget, flush);
                return;
        }
        const struct mapping nothing = {
                .space = space,
                .in_space = {.start = r->sync,
                             .last = mapping ? mapping->in_space.start - 1 : r->sync_last},
        };
        revocation_write(&nothing, &r->sync, budget, flush);
}

/* Removes from the space the pieces into which threads have cut a mapping that revocation_reduce()
 * emptied. Each piece may hold a chain of empty mappings. Returns false if there are more. */
static bool revocation_leave_pieces(struct revocation *r, struct space *space, unsigned *budget)
{
        struct mapping *mapping;

        while (r->sync_first <= r->sync_last &&
               (mapping = mapping_find(space, r->sync_first, r->sync_last))) {
                if (!*budget)
                        return false;
                r->sync_first = mapping->in_space.last + 1;
                budget_spend(budget, ENTRIES_OF_A_SEARCH);
                if (mapping->perms || mapping->cut != revocation_mark_of(r))
                        continue; /* another thread has emptied the mapping and may still have to
                                   * clear its tables */
                mapping_leave_space(mapping, space);
                mapping->pins++;
                r->loose = mapping;
                if (!mapping_release_rest(&r->loose, budget))
                        return false;
        }
        return true;
}

/* Writes the tables of a mapping after revocation_reduce(). The mapping leaves the space if it has
 * no permissions. Finds its pieces by selector, because other threads may have cut it. Returns true
 * when all is done. */
static bool revocation_sync(struct revocation *r, struct mapping *here, unsigned *budget,
                            struct flush *flush)
{
        struct space *space = r->sync_space ? r->sync_space : here->space;

        if (!mapping_release_rest(&r->loose, budget))
                return false;
        for (bool first = true; space && r->sync <= r->sync_last; first = false) {
                if (!first)
                        budget_spend(budget, ENTRIES_OF_A_SEARCH);
                if (!*budget)
                        return false;
                revocation_sync_next(r, space, budget, flush);
        }
        if (space && r->leaves) {
                /* The mapping leaves before its pieces: a later cut would make a piece at a place
                 * that sync_first has passed. Pieces are cut off only while sync_space is set. */
                if (here->space == space) {
                        r->sync_first = here->in_space.last + 1;
                        mapping_leave_space(here, space);
                }
                if (!revocation_leave_pieces(r, space, budget))
                        return false;
        }
        r->leaves = r->syncs = false;
        revocation_hold_space(r, NULL);
        return true;
}

/* Ends the walk on a mapping and frees it if nothing holds it. If only this mapping held its
 * parent, the walk goes up and frees such ancestors one by one (rises). */
static struct mapping *revocation_rise(struct revocation *r, struct mapping *mapping)
{
        struct mapping *above = revocation_release_one(mapping);

        r->up = false;
        r->rises = above;
        return above;
}

/* Ends a walk below top. Another revocation may have cut top meanwhile and removed a piece. The
 * next walk begins with the selectors of a piece that was cut off. If this walk has ended below
 * such a piece, the next walk checks the selectors before the piece again. */
static struct mapping *revocation_leave_top(struct revocation *r, struct mapping *top)
{
        r->at = r->top_last + 1;
        if (top->in_parent.last < r->last_source)
                r->at -= r->last_source - top->in_parent.last;
        if (top->in_parent.start > r->first_source || top->in_parent.last < r->first_source)
                r->at = r->top_first;
        if (r->emptied && top->space)
                mapping_leave_space(top, top->space);
        r->emptied = false;
        return revocation_rise(r, top);
}

/* Returns true if a mapping reaches beyond the revoked sources: it was delegated from top after the
 * revocation began. */
static inline bool revocation_is_beyond(const struct revocation *r, const struct mapping *mapping)
{
        return mapping->in_parent.start < r->first_source ||
               mapping->in_parent.last > r->last_source;
}

/* Returns true if a mapping may have been cut off since the walk visited the mapping it was part
 * of. A false positive is harmless, and each one requires another cut. */
static bool revocation_is_torn(struct revocation *r, const struct mapping *mapping)
{
        const bool deep = mapping->depth >= r->depth_deep;

        if (mapping->torn <= (deep ? r->since_deep : r->since))
                return false;
        r->depth_deep = mapping->depth;
        r->since_deep = mapping_cuts[r->space->type];
        return true;
}

/* Returns true if neither a mapping nor any below it has one of the revoked permissions, or can get
 * one. If the parent lost its last permission, the mappings below lose all of theirs; else they
 * lose the permissions that the parent lost. A barren mapping has nothing to lose. */
static inline bool revocation_is_clean(const struct revocation *r, const struct mapping *mapping,
                                       unsigned parent_perms)
{
        return !(mapping->may & r->perms) && !(mapping->perms & ~parent_perms) &&
               (parent_perms || mapping->attr & MAPPING_BARREN);
}

/* Leaves a mapping, which is freed if nothing holds it, for its next sibling. Returns NULL if there
 * is none. After a torn piece, goes back to the first sibling that the walk may have missed. */
static struct mapping *revocation_next_sibling(struct revocation *r, struct mapping *mapping,
                                               struct mapping *parent)
{
        const bool again = r->up && !r->passes && revocation_is_torn(r, mapping);
        const word_t origin = unlikely(again) ? *mapping_origin(mapping) : 0;
        struct tree_node *next =
                tree_find_next(&mapping->in_parent, r->first_source, r->last_source);

        if (revocation_is_loose(mapping))
                revocation_free_loose(mapping);
        else if (!r->passes)
                mapping->may &= (uint8_t)~r->perms;
        if (unlikely(again))
                next = tree_find(&parent->children, max_word(origin, r->first_source),
                                 r->last_source);
        return revocation_child_at(next);
}

/* Moves the walk on: to the first child, else to the next sibling, which then loses its
 * permissions, else up to the parent, which is then also done (up). A sibling that reaches beyond
 * the range keeps its permissions, and the walk does not go below it. Frees empty mappings when it
 * goes up. Returns NULL at its end. */
static struct mapping *revocation_walk_on(struct revocation *r, struct mapping *mapping,
                                          unsigned *budget, struct flush *flush)
{
        struct mapping *next = NULL, *parent = mapping;

        if (!r->up)
                next = revocation_child_at(
                        tree_find(&mapping->children, r->first_source, r->last_source));
        if (!next) {
                if (mapping->depth == r->depth)
                        return unlikely(r->takes) ? mapping_taken(mapping, r)
                                                  : revocation_leave_top(r, mapping);
                parent = mapping_parent(mapping);
                next = revocation_next_sibling(r, mapping, parent);
        }
        r->passes = next &&
                    (revocation_is_beyond(r, next) || revocation_is_clean(r, next, parent->perms));
        r->up = !next || r->passes;
        if (!next)
                return parent;
        if (likely(!r->up))
                revocation_reduce(r, next, parent->perms, budget, flush);
        return next;
}

/* Cuts a mapping at r->cut_at, which no child crosses. Returns its parent, with which cutting
 * continues. The mapping may be freed. Without memory for the cut, takes the mapping. */
static struct mapping *revocation_cut_below(struct revocation *r, struct mapping *mapping,
                                            unsigned *budget, struct flush *flush)
{
        struct mapping *parent = mapping_parent(mapping);
        const word_t x = r->cut_at;

        parent->pins++;
        const bool crosses = mapping->in_parent.start < x && x <= mapping->in_parent.last;
        const bool stays = crosses && !mapping_cut(mapping, r, x, budget, flush);
        if (!crosses) /* not freed by a cut; other threads may have taken it */
                mapping_release(mapping);
        parent->pins--;
        if (likely(!stays))
                return parent;
        mapping_take(mapping, r);
        return mapping;
}

/* Begins a walk that revokes the selectors first..last of top. */
static inline void revocation_begin_walk(struct revocation *r, const struct mapping *top,
                                         word_t first, word_t last)
{
        r->top_first = first;
        r->top_last = last;
        r->first_source = top->in_parent.start + (first - top->in_space.start);
        r->last_source = r->first_source + (last - first);
        r->depth = top->depth;
        r->since = r->since_deep = mapping_cuts[r->space->type];
}

/* Begins to revoke all of a mapping of the caller that cannot be cut. Takes its permissions in this
 * step: before a later one, it may leave the space, and another mapping may come to its place. */
static struct mapping *revocation_begin_whole(struct revocation *r, struct mapping *top,
                                              unsigned *budget, struct flush *flush)
{
        r->cutting = false;
        r->whole_last = max_word(r->whole ? r->whole_last : 0, top->in_space.last);
        r->whole = true;
        revocation_begin_walk(r, top, top->in_space.start, top->in_space.last);
        revocation_reduce(r, top, NOVA_PERM_ALL, budget, flush);
        return top;
}

/* Moves on the walk that cuts all mappings that cross r->cut_at below top and, if r->self, top too.
 * If a child crosses, marks the mapping and goes down to the child; else cuts the mapping and goes
 * up. Takes a mapping that may not be cut. Returns NULL at the end. Then revocation_find_top()
 * checks the range again, because other threads may have changed it between two steps. */
static cold_path struct mapping *revocation_cut_on(struct revocation *r, struct mapping *mapping,
                                                   unsigned *budget, struct flush *flush)
{
        const word_t x = r->cut_at;
        const bool top = mapping->depth == r->depth;
        struct mapping *child = NULL;

        if (likely(!(mapping->attr & MAPPING_BARREN))) /* else children may lie beyond its range */
                child = revocation_child_at(tree_find(&mapping->children, x, x - 1));
        if (!top && mapping_is_taken_at(mapping, r, x)) {
                mapping_take(mapping, r);
                return mapping;
        }
        if (child) {
                if (mapping->perms && (!top || r->self))
                        mapping->cut = x;
                return child;
        }
        if (!top)
                return revocation_cut_below(r, mapping, budget, flush);
        if (r->self && mapping->space && mapping->in_parent.start < x &&
            x <= mapping->in_parent.last && !mapping_cut(mapping, r, x, budget, flush))
                return revocation_begin_whole(r, mapping, budget, flush);
        r->cutting = false;
        return revocation_rise(r, mapping); /* frees top if nothing else holds it */
}

/* Returns the next mapping of the caller's range from which to walk, or below which to cut first.
 * Returns NULL if there is none at this place, and sets *done if none is left at all. */
static struct mapping *revocation_find_top(struct revocation *r, bool *done)
{
        /* threads may have cut a mapping revoked as a whole, which may reach beyond the range */
        const word_t end = r->whole ? max_word(r->last, r->whole_last) : r->last;
        struct mapping *top = r->at > end ? NULL : mapping_find(r->space, r->at, end);

        *done = !top;
        if (!top) {
                r->owed_end = 0;
                return NULL;
        }

        const struct tree_node *node = &top->in_space;
        /* A piece lacks the revoked permissions. Another mapping may be at the place of a piece. */
        const bool piece = r->whole && !(top->perms & r->perms) && !(top->attr & MAPPING_UTCB);
        if (unlikely((r->given_up || (node->start > r->last && !piece)) &&
                     mapping_has_rights(top))) {
                r->at = node->last + 1; /* not to be revoked */
                return NULL;
        }
        const word_t first = piece ? node->start : max_word(node->start, r->at);
        const word_t last = piece ? node->last : min_word(node->last, r->last);
        revocation_begin_walk(r, top, first, last);
        if (likely(!piece)) {
                const bool begin = revocation_is_crossed(r, top, r->first_source);
                if (begin || revocation_is_crossed(r, top, r->last_source + 1)) {
                        r->cutting = true;
                        r->cut_at = begin ? r->first_source : r->last_source + 1;
                        r->top_depth = top->depth;
                }
        }
        return top;
}

void revocation_begin(struct revocation *r, struct space *space, word_t first, word_t last,
                      unsigned perms, bool self)
{
        r->space = space;
        r->at = first;
        r->last = last;
        r->perms = r->asked = (uint8_t)perms;
        r->self = self;
        r->pin = NULL;
        r->sync_space = NULL;
        r->loose = NULL;
        r->owed_end = 0;
        r->syncs = r->leaves = r->up = r->passes = r->rises = r->emptied = r->whole = r->given_up =
                r->cutting = r->takes = false;
}

/* Handles as much of one mapping as the budget allows. Returns true if all is done. */
static bool revocation_do_one(struct revocation *r, struct mapping **here, unsigned *budget,
                              struct flush *flush)
{
        bool done = false;

        if (*here && r->syncs && !revocation_sync(r, *here, budget, flush))
                return false;
        if (unlikely(*here && r->cutting)) {
                budget_spend(budget, ENTRIES_OF_A_SEARCH);
                *here = revocation_cut_on(r, *here, budget, flush);
        } else if (unlikely(*here && (r->rises || (r->given_up && !r->emptied)))) {
                *here = revocation_rise(r, *here);
        } else if (*here) {
                *here = revocation_walk_on(r, *here, budget, flush);
        } else {
                *here = revocation_find_top(r, &done);
                if (unlikely(r->cutting && *here))
                        *budget = 0; /* the first cut may take a whole step */
                if (*here && r->self && !r->cutting)
                        revocation_reduce(r, *here, NOVA_PERM_ALL, budget, flush);
        }
        return done;
}

enum step_result range_revocation_step(struct revocation *r)
{
        const uint32_t before = account_steps_now();
        unsigned budget = STEP_ENTRIES;
        bool done = false;
        struct flush flush;

        flush_init(&flush);
        spin_lock(&space_lock[r->space->type]);
        struct mapping *here = r->pin;
        assert(!here || here->pins);
        if (here)
                here->pins--;
        for (unsigned i = 0;
             i < STEP_MAPPINGS && budget && !done && !account_has_closed_many(before); i++) {
                const uint32_t freed = flush.frames;
                done = revocation_do_one(r, &here, &budget, &flush);
                if (flush.frames != freed)
                        budget_spend(&budget, BUDGET_OLD_TABLES);
        }
        if (here) {
                here->pins++;
                if (r->syncs && !r->sync_space)
                        revocation_hold_space(r, here->space);
        }
        r->pin = here;
        spin_unlock(&space_lock[r->space->type]);
        flush_run(&flush);
        return done ? STEP_DONE : STEP_AGAIN;
}

/* Drops the mappings derived from sources first..last of top. Returns false if the rest requires a
 * walk. A separate function, so that range_revoke() takes no registers from the loop. */
static __attribute__((noinline)) bool revocation_do_leaves(struct mapping *top, word_t first,
                                                           word_t last, unsigned perms,
                                                           struct flush *flush)
{
        word_t budget = STEP_ENTRIES;
        struct tree_node *node;

        for (unsigned i = 0; (node = tree_find(&top->children, first, last)); i++) {
                struct mapping *child = revocation_child_at(node);
                const word_t size = node->last - node->start + 1;
                if (unlikely(i == LEAVES_AT_ONCE || size > budget || node->start < first ||
                             node->last > last || !child->space || child->pins || !child->perms ||
                             child->perms & ~perms || !tree_is_empty(&child->children)))
                        return false;
                budget -= size;
                mapping_drop(child, flush);
        }
        return true;
}

bool range_revoke(struct space *space, word_t first, word_t last, unsigned perms)
{
        struct flush flush;
        bool done = true;

        flush_init(&flush);
        spin_lock(&space_lock[space->type]);
        struct mapping *top = mapping_find(space, first, last);
        if (likely(top)) {
                const word_t source = top->in_parent.start + (first - top->in_space.start);
                done = top->in_space.start <= first && last <= top->in_space.last &&
                       revocation_do_leaves(top, source, source + (last - first), perms, &flush);
        }
        spin_unlock(&space_lock[space->type]);
        flush_run(&flush);
        return done;
}

bool revocation_finish_step(struct revocation *r)
{
        if (!r->given_up) {
                r->given_up = true;
                r->cutting = r->whole = false;
                if (r->at < r->owed_end) { /* false for objects, which have no pieces */
                        r->last = r->owed_end - 1;
                } else {
                        r->at = 1;
                        r->last = 0;
                }
        }
        return revocation_step(r) == STEP_DONE;
}
