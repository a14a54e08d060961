/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database: nodes and delegation (see mapping.h). */
#include "space/mapping.h"

#include "arch/x86/tlb.h"
#include "lib/bits.h"
#include "memory/slab.h"
#include "object/pd.h"
#include "space/budget.h"
#include "space/mapping_tree.h"
#include "space/space.h"

static struct slab_cache mapping_cache;

void mapping_init(void)
{
        for (unsigned type = 0; type < array_size(space_lock); type++)
                spin_set_kind(&space_lock[type], LOCK_SPACE);
        slab_init(&mapping_cache, sizeof(struct mapping));
}

static always_inline struct mapping *mapping_alloc_inline(struct account *account, unsigned depth)
{
        if (depth > MAPPING_DEPTH_MAX || !account_charge(account, mapping_cache.size))
                return NULL;

        struct mapping *mapping = slab_alloc(&mapping_cache);
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

struct mapping *mapping_alloc(struct account *account, unsigned depth)
{
        return mapping_alloc_inline(account, depth);
}

void mapping_free(struct mapping *mapping)
{
        assert(!mapping->pins && tree_is_empty(&mapping->children) && !mapping->in_parent.parent);
        account_return(mapping->account, mapping_cache.size);
        slab_free(&mapping_cache, mapping);
}

struct mapping *mapping_search(struct space *space, word_t first, word_t last)
{
        struct tree_node *node = tree_search(&space->tree, first, last, NULL);

        if (!node)
                return NULL;
        space->recent = node;
        return container_of(node, struct mapping, in_space);
}

/* What a new mapping is of; it is in no tree yet. */
static inline void mapping_set_range(struct mapping *mapping, struct space *space, word_t first,
                                     word_t last, word_t source, unsigned perms, unsigned attr)
{
        mapping->space = space;
        mapping->perms = (uint8_t)perms;
        mapping->attr = (uint8_t)attr;
        mapping->in_space.start = first;
        mapping->in_space.last = last;
        mapping->in_parent.start = source;
        mapping->in_parent.last = source + (last - first);
}

/* A range that was derived from nothing. out: where a UTCB's goes; else NULL. */
static always_inline enum nova_status mapping_insert_underived(struct space *space, word_t first,
                                                               word_t count, word_t source,
                                                               unsigned perms, struct mapping **out)
{
        enum nova_status status = NOVA_OUT_OF_MEMORY;
        struct flush flush;

        flush_init(&flush);
        spin_lock(&space_lock[space->type]);
        struct tree_place place;
        if (tree_search(&space->tree, first, first + count - 1, &place)) {
                status = NOVA_BAD_PAR;
        } else {
                struct mapping *mapping = mapping_alloc(space->pd->account, 0);
                if (mapping) {
                        mapping_set_range(mapping, space, first, first + count - 1, source, perms,
                                          out ? MAPPING_UTCB : 0);
                        tree_insert_at(&space->tree, place, &mapping->in_space);
                        if (space_apply(mapping, &flush)) {
                                status = NOVA_SUCCESS;
                                if (out) {
                                        mapping->pins = 1;
                                        *out = mapping;
                                }
                        } else {
                                mapping_drop(mapping, &flush);
                        }
                }
        }
        spin_unlock(&space_lock[space->type]);
        flush_run(&flush);
        return status;
}

enum nova_status mapping_insert(struct space *space, word_t first, word_t count, word_t source,
                                unsigned perms)
{
        return mapping_insert_underived(space, first, count, source, perms, NULL);
}

enum nova_status mapping_insert_utcb(struct space *space, word_t sel, word_t frame,
                                     struct mapping **out)
{
        return mapping_insert_underived(space, sel, 1, frame, 0, out);
}

bool mapping_is_free(struct space *space, word_t sel)
{
        spin_lock(&space_lock[space->type]);
        const bool is_free = !mapping_find(space, sel, sel);
        spin_unlock(&space_lock[space->type]);
        return is_free;
}

struct mapping *mapping_parent(struct mapping *mapping)
{
        if (!mapping->in_parent.parent)
                return NULL;
        return container_of(tree_of(&mapping->in_parent), struct mapping, children);
}

/* For assert(): no mapping of a space overlaps a range. */
static assert_only bool mapping_has_room(struct space *space, const struct tree_node *range)
{
        return !tree_search(&space->tree, range->start, range->last, NULL);
}

/* Enters a child of parent into both trees, that of its space where a search found a place. */
static inline void mapping_enter(struct mapping *child, struct tree_place place,
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

/* Whether a mark that a revocation left lies inside of a range of what a mapping maps. */
static inline bool mapping_is_marked(const struct mapping *mapping, word_t source, word_t count)
{
        return mapping->cut > source && mapping->cut - source < count;
}

/* Makes a child of parent if nothing is where it goes, and writes its tables. It is filled before
 * that is looked for, so that no more than it has to be kept meanwhile. */
static always_inline bool mapping_derive(struct mapping *parent, const struct delegation *d,
                                         word_t source, unsigned perms, struct flush *flush)
{
        struct mapping *child = mapping_alloc_inline(d->target->pd->account, parent->depth + 1u);
        struct tree_place place;

        if (unlikely(!child))
                return false;
        mapping_set_range(child, d->target, d->to, d->to + (d->count - 1), source, perms, d->attr);
        if (unlikely(tree_search(&d->target->tree, child->in_space.start, child->in_space.last,
                                 &place))) {
                mapping_free(child);
                return false;
        }
        mapping_enter(child, place, parent);
        if (likely(space_apply(child, flush)))
                return true;
        mapping_drop(child, flush);
        return false;
}

bool range_delegate(const struct delegation *d)
{
        struct flush flush;
        bool done = false;

        if (d->count > STEP_ENTRIES)
                return false;
        flush_init(&flush);
        spin_lock(&space_lock[d->source->type]);
        struct mapping *parent = mapping_find(d->source, d->from, d->from);
        if (likely(parent && parent->in_space.last - d->from >= d->count - 1)) {
                const word_t source = parent->in_parent.start + (d->from - parent->in_space.start);
                const unsigned perms = parent->perms & d->perms;
                if (likely(perms && !mapping_is_marked(parent, source, d->count)))
                        done = mapping_derive(parent, d, source, perms, &flush);
        }
        spin_unlock(&space_lock[d->source->type]);
        flush_run(&flush);
        return done;
}

/* Delegates from one mapping what of it lies in the delegation's range, up to the next occupied or
 * forbidden boundary. The new mapping, whose tables are still to be written; NULL: there is nothing
 * to delegate, or no memory (*fail). */
static struct mapping *mapping_delegate_piece(struct delegation *d, struct mapping *parent,
                                              bool *fail)
{
        word_t first = max_word(parent->in_space.start, d->from + d->at);
        word_t last = min_word(parent->in_space.last, d->from + d->count - 1);
        const word_t source = parent->in_parent.start + (first - parent->in_space.start);
        const unsigned perms = parent->perms & d->perms;

        const word_t before = d->at;
        if (mapping_is_marked(parent, source, last - first + 1))
                last = first + (parent->cut - source) - 1;
        d->at = last - d->from + 1;
        if (!perms)
                return NULL;

        const word_t to = d->to + (first - d->from);
        word_t to_last = to + (last - first);
        struct tree_place place;
        const struct tree_node *taken = tree_search(&d->target->tree, to, to_last, &place);
        if (taken && taken->start <= to) {
                d->at = min_word(taken->last, to_last) - d->to + 1;
                return NULL;
        }
        if (taken) {
                to_last = taken->start - 1;
                d->at = to_last - d->to + 1;
        }

        struct mapping *child = mapping_alloc(d->target->pd->account, parent->depth + 1u);
        *fail = !child;
        if (child) {
                d->target->charged += mapping_cache.size;
                mapping_set_range(child, d->target, to, to_last, source, perms, d->attr);
                mapping_enter(child, place, parent);
        } else {
                d->at = before; /* may be tried again */
        }
        return child;
}

static enum step_result mapping_next_step(const struct delegation *d)
{
        return d->at < d->count ? STEP_AGAIN : STEP_DONE;
}

/* Whether a mapping is the one that the delegation entered last, or a piece that another CPU has
 * cut off from it meanwhile. Anything else in its place was entered after a revocation. */
static bool mapping_is_own(const struct delegation *d, const struct mapping *mapping)
{
        const struct mapping *child = d->child;

        return mapping == child || (mapping->torn && mapping->depth == child->depth &&
                                    mapping->in_parent.start - mapping->in_space.start ==
                                            child->in_parent.start - child->in_space.start);
}

static void mapping_take_rights(struct mapping *mapping)
{
        mapping->perms = mapping->attr = 0;
        mapping->cut = 0;
}

/* No memory for a mapping's tables: it and all pieces after it are taken back, and the rest of the
 * delegation may be tried again from there. */
static void mapping_take_back(struct delegation *d, struct mapping *mapping)
{
        mapping_take_rights(mapping);
        d->fill = d->gone = mapping->in_space.start;
        d->at = d->fill - d->to;
        d->failed = true;
}

/* Writes tables of a mapping where they are to be written next, or clears them when it is taken
 * back. */
static void mapping_fill(struct delegation *d, struct mapping *mapping, unsigned *budget,
                         struct flush *flush)
{
        if (unlikely(!mapping_is_own(d, mapping))) {
                d->fill = mapping->in_space.last + 1; /* the thread that entered it writes them */
                return;
        }
        d->fill = max_word(d->fill, mapping->in_space.start);
        if (d->failed && mapping->perms)
                mapping_take_rights(mapping);
        if (!space_apply_from(mapping, &d->fill, budget, flush))
                mapping_take_back(d, mapping);
}

/* Begins to revoke what the receiver has derived from a mapping that was taken back: it would keep
 * rights that the receiver has lost. The mapping leaves the space after that. */
static cold_path void mapping_revoke_derived(struct delegation *d, const struct mapping *mapping)
{
        struct revocation *r = d->revocation;

        assert(!revocation_is_open(r));
        revocation_begin(r, d->target, mapping->in_space.start, mapping->in_space.last,
                         NOVA_PERM_ALL, true);
        r->given_up = true; /* only mappings without rights */
        r->owed_end = mapping->in_space.last + 1;
}

/* Does a step of that. What the delegation stands on stays meanwhile. */
static cold_path enum step_result mapping_revoke_derived_step(struct delegation *d)
{
        range_revocation_step(d->revocation);
        return STEP_AGAIN;
}

/* What was taken back leaves the space when all its tables are clear: others may have cut it where
 * they were clear already. What a revocation has emptied is that one's. false: there is more. */
static cold_path bool mapping_leave_taken(struct delegation *d, unsigned *budget)
{
        struct mapping *mapping;

        while (d->gone < d->fill_end &&
               (mapping = mapping_find(d->target, d->gone, d->fill_end - 1))) {
                if (!*budget)
                        return false;
                budget_spend(budget, ENTRIES_OF_A_SEARCH);
                d->gone = mapping->in_space.last + 1;
                if (!mapping_is_own(d, mapping) || mapping->perms || mapping->cut)
                        continue;
                if (unlikely(!tree_is_empty(&mapping->children))) {
                        mapping_revoke_derived(d, mapping);
                        *budget = 0;
                        return false;
                }
                mapping_leave_space(mapping, d->target);
                if (mapping != d->child)
                        mapping_release(mapping);
        }
        return true;
}

/* Frees what the delegation stood on if nothing else holds it, and what waited for that above it.
 * It may be a long chain: no more than a few in a step. false: there are more. */
static bool mapping_release_child(struct delegation *d, unsigned *budget)
{
        d->child = mapping_release_some(d->child, STEP_MAPPINGS);
        if (unlikely(d->child))
                *budget = 0;
        return !d->child;
}

/* Writes what is left of the tables for what was entered last; at most a step's entries. Others may
 * have cut it or taken it away meanwhile, so this goes by selector. */
static cold_path enum step_result mapping_delegate_fill(struct delegation *d, unsigned *budget,
                                                        struct flush *flush)
{
        while (d->fill < d->fill_end) {
                struct mapping *mapping = mapping_find(d->target, d->fill, d->fill_end - 1);
                if (!mapping)
                        break;
                if (!*budget)
                        return STEP_AGAIN; /* goes on in the next step */
                mapping_fill(d, mapping, budget, flush);
                budget_spend(budget, ENTRIES_OF_A_SEARCH);
        }
        d->fill = d->fill_end;
        if (d->failed && !mapping_leave_taken(d, budget))
                return STEP_AGAIN;
        if (!mapping_release_child(d, budget))
                return STEP_AGAIN;

        const bool failed = d->failed;
        d->failed = false;
        return failed ? STEP_FAILED : mapping_next_step(d);
}

/* Enters the next mapping and writes its tables, or goes on with those of the last one. */
static enum step_result mapping_delegate_next(struct delegation *d, unsigned *budget,
                                              struct flush *flush)
{
        bool fail = false;

        if (unlikely(d->child))
                return mapping_delegate_fill(d, budget, flush);

        struct mapping *parent = mapping_find(d->source, d->from + d->at, d->from + d->count - 1);
        if (!parent)
                return STEP_DONE;

        struct mapping *child = mapping_delegate_piece(d, parent, &fail);
        if (!child)
                return fail ? STEP_FAILED : mapping_next_step(d);

        word_t at = child->in_space.start;
        const bool written = space_apply_from(child, &at, budget, flush);
        if (likely(written && at > child->in_space.last))
                return mapping_next_step(d);
        d->child = child;
        d->fill = at;
        d->fill_end = child->in_space.last + 1;
        if (!written)
                mapping_take_back(d, child);
        return mapping_delegate_fill(d, budget, flush);
}

/* Keeps what an open delegation stands on, and the target's PD, until the next step. A PD that has
 * no references any more is ending, and clears its tables itself. */
static void mapping_hold(struct delegation *d, bool held)
{
        struct kobject *target = &d->target->pd->object;
        const bool open = delegation_is_open(d);

        if (open && !held && !object_get_referenced(target)) {
                mapping_release(d->child);
                d->child = NULL;
                d->fill = d->fill_end;
                d->count = 0;
        } else if (held && !open) {
                object_put(target);
        }
        if (d->child)
                d->child->pins++;
}

/* Whether a mapping in the target is what a delegation has entered, or its sender earlier by one
 * like it: the sender may take back either at any time. One that others stand on or hang on stays
 * with the receiver. */
static bool mapping_is_undone(const struct delegation *d, struct mapping *mapping, word_t last)
{
        const struct mapping *parent = mapping_parent(mapping);

        return parent && parent->space == d->source && mapping->perms && !mapping->pins &&
               tree_is_empty(&mapping->children) && mapping->in_space.start >= d->to &&
               mapping->in_space.last <= last &&
               mapping_place_in(parent, mapping->in_parent.start) - d->from ==
                       mapping->in_space.start - d->to;
}

/* Takes away a mapping's first selectors, up to at, whose tables are clear. The others keep their
 * rights: another thread may delegate them on before the next step, and then they stay. */
static void mapping_shrink(struct mapping *mapping, word_t at)
{
        struct mapping *parent = mapping_parent(mapping);

        tree_remove(&mapping->in_parent);
        mapping->in_parent.start += at - mapping->in_space.start;
        mapping->in_space.start = at; /* its place among its neighbours stays */
        tree_insert(&parent->children, &mapping->in_parent);
}

/* Frees a mapping that was taken back, but for what the delegation stands on. */
static void mapping_release_undone(const struct delegation *d, struct mapping *mapping)
{
        if (d->child)
                d->child->pins++;
        mapping_release(mapping);
        if (d->child)
                d->child->pins--;
}

/* Takes back a mapping, or as much of it as the budget allows. */
static void mapping_undo(struct delegation *d, struct mapping *mapping, unsigned *budget,
                         struct flush *flush)
{
        const uint8_t perms = mapping->perms, attr = mapping->attr;

        d->fill = mapping->in_space.start;
        mapping->perms = mapping->attr = 0;
        space_apply_from(mapping, &d->fill, budget, flush);
        if (d->fill > mapping->in_space.last) {
                mapping_leave_space(mapping, d->target);
                mapping_release_undone(d, mapping);
        } else {
                mapping->perms = perms;
                mapping->attr = attr;
                mapping_shrink(mapping, d->fill);
        }
}

/* Passes a mapping that is not taken back. What was being filled when the limit was met gets all
 * its tables, or goes. */
static void mapping_pass(struct delegation *d, struct mapping *mapping, unsigned *budget,
                         struct flush *flush)
{
        if (d->child && mapping->perms)
                mapping_fill(d, mapping, budget, flush);
        else
                d->fill = mapping->in_space.last + 1;
}

/* A move of a delegation that takes back what it has entered. */
static cold_path enum step_result mapping_undo_next(struct delegation *d, unsigned *budget,
                                                    struct flush *flush)
{
        struct mapping *mapping = NULL;

        if (d->fill < d->fill_end)
                mapping = mapping_find(d->target, d->fill, d->fill_end - 1);
        if (!mapping) {
                d->fill = d->fill_end;
                return mapping_release_child(d, budget) ? STEP_REFUSED : STEP_AGAIN;
        }
        if (mapping_is_undone(d, mapping, d->fill_end - 1))
                mapping_undo(d, mapping, budget, flush);
        else
                mapping_pass(d, mapping, budget, flush);
        return STEP_AGAIN;
}

/* mapping_delegate_next() where the target's PD pays no more than a limit. */
static cold_path enum step_result mapping_delegate_limited(struct delegation *d, unsigned *budget,
                                                           struct flush *flush)
{
        const word_t before = d->target->charged;

        if (d->undo && !d->failed)
                return mapping_undo_next(d, budget, flush);
        const enum step_result result = mapping_delegate_next(d, budget, flush);
        if (delegation_keeps_to_limit(d, d->target->charged - before))
                return result;
        if (d->failed && d->child) { /* it is being taken back: nothing is left for another try */
                d->left = 1;
                return result;
        }
        d->failed = false;
        delegation_undo(d);
        d->fill_end = d->to + d->at;
        return STEP_AGAIN;
}

enum step_result range_delegation_step(struct delegation *d)
{
        enum step_result result = STEP_AGAIN;
        unsigned budget = STEP_ENTRIES;
        struct flush flush;

        if (unlikely(d->failed && revocation_is_open(d->revocation)))
                return mapping_revoke_derived_step(d);
        flush_init(&flush);
        spin_lock(&space_lock[d->source->type]);
        const bool held = delegation_is_open(d);
        assert(!d->child || d->child->pins);
        if (d->child)
                d->child->pins--;
        for (unsigned i = 0; i < STEP_MAPPINGS && budget && result == STEP_AGAIN; i++)
                result = unlikely(d->left) ? mapping_delegate_limited(d, &budget, &flush)
                                           : mapping_delegate_next(d, &budget, &flush);
        if (unlikely(held || delegation_is_open(d)))
                mapping_hold(d, held);
        spin_unlock(&space_lock[d->source->type]);
        flush_run(&flush);
        return result;
}

void delegation_finish_step(struct delegation *d)
{
        d->count = 0;
        range_delegation_step(d);
}
