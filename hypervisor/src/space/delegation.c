/* SPDX-License-Identifier: BSD-2-Clause */
/* The delegation of memory and ports, from a typed item to the mapping and its tables.
 *
 * delegation_decode() makes a struct delegation from a typed item and the receiver's window. The
 * fast path is delegation_at_once(): it enters one mapping and writes its tables. If it cannot do
 * all of this, it changes nothing. The general path is delegation_begin(), followed by repeated
 * range_delegation_step(): each step enters some mappings, writes part of their tables, or takes
 * mappings back. Both paths call space_apply…() to write tables: page table, DMA and guest table,
 * or I/O bitmap. object_mapping.c delegates a capability for an object. */
#include "arch/x86/tlb.h"
#include "lib/bits.h"
#include "nova/abi/utcb.h"
#include "object/pd.h"
#include "space/budget.h"
#include "space/mapping_tree.h"

/* Mask of the permissions in a CRD. */
#define PERM_BITS ((nova_crd_t)NOVA_CRD_PERM_MASK << NOVA_CRD_PERM_SHIFT)

/* Sets the range of ports, which keep their numbers. Returns false if neither range is inside the
 * other. */
static bool delegation_intersect(nova_crd_t crd, nova_crd_t window, struct delegation *d)
{
        const word_t a = nova_crd_base(crd), b = nova_crd_base(window);
        const word_t send = range_offset_bits(crd), receive = range_offset_bits(window);

        d->from = d->to = send <= receive ? a & ~send : b & ~receive;
        return !((a ^ b) & ~(send | receive));
}

/* Sets source and destination of memory and objects. The hotspot selects a part of the larger
 * range. */
static void delegation_disambiguate(nova_crd_t crd, nova_crd_t window, word_t hotspot,
                                    struct delegation *d)
{
        d->from = range_selector_in(crd, hotspot & ~range_offset_bits(window));
        d->to = range_selector_in(window, hotspot & ~range_offset_bits(crd));
}

/* Clips a range to its space, whose size is a power of two. A CRD of memory cannot name a page
 * beyond the space. Selectors of objects wrap around at the end of the space. */
static always_inline void delegation_clip(struct delegation *d, unsigned type, unsigned order)
{
        const word_t limit = space_limit(type);

        d->count = min_word((word_t)1 << order, limit);
        if (type == NOVA_CRD_OBJ) {
                d->from &= limit - 1;
                d->to &= limit - 1;
        } else if (type == NOVA_CRD_IO && (d->from | d->to) >= limit) {
                d->count = 0;
        }
}

/* Removes the second-level page tables that the receiver lacks. A sender under a limit cannot make
 * the receiver pay for their roots, which stay with the PD when the mapping is revoked. */
static cold_path uint8_t delegation_limit_attr(const struct pd *to, unsigned attr)
{
        return (uint8_t)(attr & ~((to->guest.root ? 0u : MAPPING_GUEST) |
                                  (to->dma.root ? 0u : MAPPING_DMA)));
}

/* Decodes an item and a window. Returns the CRD that the receiver sees; 0: refused. */
static always_inline nova_crd_t delegation_decode(struct pd *from, struct pd *to, nova_crd_t crd,
                                                  word_t flags, nova_crd_t window, unsigned attr,
                                                  struct delegation *d)
{
        const nova_crd_t both = crd & window;
        const unsigned type = nova_crd_type(both), perms = nova_crd_perms(both);
        const unsigned order = (unsigned)min_word(nova_crd_order(crd), nova_crd_order(window));

        if (type == NOVA_CRD_NULL || (crd ^ window) & NOVA_CRD_TYPE_MASK || !perms)
                return 0;
        if (type != NOVA_CRD_IO)
                delegation_disambiguate(crd, window, flags >> NOVA_ITEM_HOTSPOT_SHIFT, d);
        else if (!delegation_intersect(crd, window, d))
                return 0;
        delegation_clip(d, type, order);
        d->perms = (uint8_t)perms;
        d->attr = (uint8_t)(attr | (flags & NOVA_ITEM_G ? MAPPING_GUEST : 0) |
                            (flags & NOVA_ITEM_D ? MAPPING_DMA : 0));
        if (unlikely(attr & MAPPING_WHOLE))
                d->attr = delegation_limit_attr(to, d->attr);
        const bool host = flags & NOVA_ITEM_H && from->is_root;
        d->source = pd_space(host ? &kernel_pd : from, type);
        d->target = pd_space(to, type);
        return nova_crd(0, d->to, order, 0) | (both & (NOVA_CRD_TYPE_MASK | PERM_BITS));
}

/* Returns true if a revocation's mark lies inside a range of a mapping's sources. */
static always_inline bool delegation_is_marked(const struct mapping *mapping, word_t source,
                                               word_t count)
{
        return mapping->cut > source && mapping->cut - source < count;
}

bool range_delegate(const struct delegation *d)
{
        struct flush flush;
        struct tree_place place;
        bool done = false;

        if (d->count > STEP_ENTRIES)
                return false;
        flush_init(&flush);
        spin_lock(&space_lock[d->source->type]);

        /* Needs one mapping that covers the whole range, has permissions, and has no revocation's
         * mark inside the range. */
        struct mapping *parent = mapping_find(d->source, d->from, d->from), *child;
        if (unlikely(!parent || parent->in_space.last - d->from < d->count - 1))
                goto general;
        const word_t source = parent->in_parent.start + (d->from - parent->in_space.start);
        const unsigned perms = parent->perms & d->perms;
        if (unlikely(!perms || delegation_is_marked(parent, source, d->count)))
                goto general;

        /* the child is filled in before the search for its place, so that few values stay live
         * during the search */
        child = mapping_alloc(d->target->pd->account, parent->depth + 1u);
        if (unlikely(!child))
                goto general;
        mapping_set_range(child, d->target, d->to, d->to + (d->count - 1), source, perms, d->attr);
        if (unlikely(tree_search(&d->target->tree, child->in_space.start, child->in_space.last,
                                 &place))) {
                mapping_free(child);
                goto general;
        }

        mapping_enter(child, place, parent);
        done = space_apply(child, &flush);
        if (unlikely(!done))
                mapping_drop(child, &flush);
general:
        spin_unlock(&space_lock[d->source->type]);
        flush_run(&flush);
        return done;
}

nova_crd_t delegation_at_once(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                              nova_crd_t window, unsigned attr)
{
        struct delegation d;
        const nova_crd_t received = delegation_decode(from, to, crd, flags, window, attr, &d);

        return received && range_delegate(&d) ? received : 0;
}

nova_crd_t delegation_begin(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                            nova_crd_t window, struct delegation *d)
{
        assert(!delegation_is_open(d));
        d->at = d->fill = d->fill_end = 0;
        d->failed = d->undo = false;
        return delegation_decode(from, to, crd, flags, window, d->left ? MAPPING_WHOLE : 0, d);
}

/* Delegates the part of one mapping that lies in the delegation's range, up to the next occupied
 * selector or revocation's mark. Returns the new mapping, whose tables must still be written; NULL
 * if there is nothing to delegate, or no memory (*fail). */
static struct mapping *delegation_enter_piece(struct delegation *d, struct mapping *parent,
                                              bool *fail)
{
        word_t first = max_word(parent->in_space.start, d->from + d->at);
        word_t last = min_word(parent->in_space.last, d->from + d->count - 1);
        const word_t source = parent->in_parent.start + (first - parent->in_space.start);
        const unsigned perms = parent->perms & d->perms;

        const word_t before = d->at;
        if (delegation_is_marked(parent, source, last - first + 1))
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
                d->at = before; /* the caller may repeat the step when there is memory */
        }
        return child;
}

static enum step_result delegation_next_step(const struct delegation *d)
{
        return d->at < d->count ? STEP_AGAIN : STEP_DONE;
}

/* Returns true if a mapping is the mapping that the delegation entered last, or a piece that
 * another CPU has cut off from it. Any other mapping at this place is from another thread, which
 * entered it after a revocation. */
static bool delegation_is_own(const struct delegation *d, const struct mapping *mapping)
{
        const struct mapping *child = d->child;

        return mapping == child || (mapping->torn && mapping->depth == child->depth &&
                                    mapping->in_parent.start - mapping->in_space.start ==
                                            child->in_parent.start - child->in_space.start);
}

static void delegation_take_rights(struct mapping *mapping)
{
        mapping_take_rights(mapping);
        mapping->cut = 0;
}

/* Begins to take back a mapping and all pieces of it that follow, because there was no memory for
 * its tables. The caller may repeat the delegation from the first selector of this mapping. */
static void delegation_take_back(struct delegation *d, struct mapping *mapping)
{
        delegation_take_rights(mapping);
        d->fill = d->gone = mapping->in_space.start;
        d->at = d->fill - d->to;
        d->failed = true;
}

/* Writes the next tables of a mapping, or clears them if the mapping is being taken back. */
static void delegation_fill(struct delegation *d, struct mapping *mapping, unsigned *budget,
                            struct flush *flush)
{
        if (unlikely(!delegation_is_own(d, mapping))) {
                /* the thread that entered this mapping writes its tables */
                d->fill = mapping->in_space.last + 1;
                return;
        }
        d->fill = max_word(d->fill, mapping->in_space.start);
        if (d->failed && mapping->perms)
                delegation_take_rights(mapping);
        if (!space_apply_from(mapping, &d->fill, budget, flush))
                delegation_take_back(d, mapping);
}

/* Begins to revoke the mappings derived from a mapping that is being taken back: otherwise they
 * would keep permissions that the receiver has lost. The mapping that is being taken back leaves
 * its space after the revocation. */
static cold_path void delegation_revoke_derived(struct delegation *d, const struct mapping *mapping)
{
        struct revocation *r = d->revocation;

        assert(!revocation_is_open(r));
        revocation_begin(r, d->target, mapping->in_space.start, mapping->in_space.last,
                         NOVA_PERM_ALL, true);
        r->given_up = true; /* handles only mappings without permissions */
        r->owed_end = mapping->in_space.last + 1;
}

/* Does a step of the revocation of derived mappings. The delegation's pinned mapping stays. */
static cold_path enum step_result delegation_revoke_derived_step(struct delegation *d)
{
        range_revocation_step(d->revocation);
        return STEP_AGAIN;
}

/* Removes from the space the mappings that were taken back, after all their tables are clear. Other
 * threads may have cut these mappings where the tables were already clear. If a revocation has
 * taken all permissions of a mapping, that revocation removes it. Returns false if another step is
 * needed. */
static cold_path bool delegation_leave_taken(struct delegation *d, unsigned *budget)
{
        struct mapping *mapping, **loose = &d->revocation->loose;

        while (mapping_release_rest(loose, budget) && d->gone < d->fill_end &&
               (mapping = mapping_find(d->target, d->gone, d->fill_end - 1))) {
                if (!*budget)
                        return false;
                budget_spend(budget, ENTRIES_OF_A_SEARCH);
                d->gone = mapping->in_space.last + 1;
                if (!delegation_is_own(d, mapping) || mapping->perms || mapping->cut)
                        continue;
                if (unlikely(!tree_is_empty(&mapping->children))) {
                        delegation_revoke_derived(d, mapping);
                        *budget = 0;
                        return false;
                }
                mapping_leave_space(mapping, d->target);
                if (mapping == d->child)
                        continue;
                mapping->pins++;
                *loose = mapping;
        }
        return !*loose;
}

/* Frees the mapping that the delegation pinned, if nothing else holds it, and the ancestors that
 * only this mapping held. Frees only a few mappings in a step. Returns false if another step is
 * needed. */
static bool delegation_release_child(struct delegation *d, unsigned *budget)
{
        d->child = mapping_release_some(d->child, budget);
        return !d->child;
}

/* Writes the remaining tables of the mapping entered last, as far as the budget allows. Finds the
 * mapping by selector, because other threads may have cut or removed it meanwhile. */
static cold_path enum step_result delegation_fill_last(struct delegation *d, unsigned *budget,
                                                       struct flush *flush)
{
        while (d->fill < d->fill_end) {
                struct mapping *mapping = mapping_find(d->target, d->fill, d->fill_end - 1);
                if (!mapping)
                        break;
                if (!*budget)
                        return STEP_AGAIN; /* continues in the next step */
                delegation_fill(d, mapping, budget, flush);
                budget_spend(budget, ENTRIES_OF_A_SEARCH);
        }
        d->fill = d->fill_end;
        if (d->failed && !delegation_leave_taken(d, budget))
                return STEP_AGAIN;
        if (!delegation_release_child(d, budget))
                return STEP_AGAIN;

        const bool failed = d->failed;
        d->failed = false;
        return failed ? STEP_FAILED : delegation_next_step(d);
}

/* Enters the next mapping and writes its tables, or continues with the tables of the last
 * mapping. */
static enum step_result delegation_do_next(struct delegation *d, unsigned *budget,
                                           struct flush *flush)
{
        bool fail = false;

        if (unlikely(d->child))
                return delegation_fill_last(d, budget, flush);

        struct mapping *parent = mapping_find(d->source, d->from + d->at, d->from + d->count - 1);
        if (!parent)
                return STEP_DONE;

        struct mapping *child = delegation_enter_piece(d, parent, &fail);
        if (!child)
                return fail ? STEP_FAILED : delegation_next_step(d);

        word_t at = child->in_space.start;
        const bool written = space_apply_from(child, &at, budget, flush);
        if (likely(written && at > child->in_space.last))
                return delegation_next_step(d);
        d->child = child;
        d->fill = at;
        d->fill_end = child->in_space.last + 1;
        if (!written)
                delegation_take_back(d, child);
        return delegation_fill_last(d, budget, flush);
}

/* Keeps the mapping at which an open delegation has stopped, and the target's PD, until the next
 * step. A target PD without references is ending, and clears its tables itself. */
static void delegation_hold(struct delegation *d, bool held)
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

/* Returns true if a delegation that is undone takes back `mapping`: the mapping has neither pins
 * nor children, and this delegation or an earlier equal delegation from the same sender has entered
 * it. It does not matter which of the two has, because the sender may take back both at any
 * time. */
static bool delegation_is_undone(const struct delegation *d, struct mapping *mapping, word_t last)
{
        const struct mapping *parent = mapping_parent(mapping);

        return parent && parent->space == d->source && mapping->perms && !mapping->pins &&
               tree_is_empty(&mapping->children) && mapping->in_space.start >= d->to &&
               mapping->in_space.last <= last &&
               mapping_place_in(parent, mapping->in_parent.start) - d->from ==
                       mapping->in_space.start - d->to;
}

/* Removes a mapping's selectors before `at`, whose tables are clear. The other selectors keep their
 * permissions until the next step. They stay if another thread delegates them before that step. */
static void delegation_shrink(struct mapping *mapping, word_t at)
{
        struct mapping *parent = mapping_parent(mapping);

        tree_remove(&mapping->in_parent);
        mapping->in_parent.start += at - mapping->in_space.start;
        mapping->in_space.start = at; /* its place among its neighbours does not change */
        tree_insert(&parent->children, &mapping->in_parent);
}

/* Frees a mapping that was taken back, unless it is the mapping that the delegation has pinned. */
static void delegation_release_undone(const struct delegation *d, struct mapping *mapping)
{
        if (d->child)
                d->child->pins++;
        mapping_release(mapping);
        if (d->child)
                d->child->pins--;
}

/* Takes back as much of a mapping as the budget allows. */
static void delegation_undo_one(struct delegation *d, struct mapping *mapping, unsigned *budget,
                                struct flush *flush)
{
        const uint8_t perms = mapping->perms, attr = mapping->attr;

        d->fill = mapping->in_space.start;
        mapping_take_rights(mapping);
        space_apply_from(mapping, &d->fill, budget, flush);
        if (d->fill > mapping->in_space.last) {
                mapping_leave_space(mapping, d->target);
                delegation_release_undone(d, mapping);
        } else {
                mapping->perms = perms;
                mapping->attr = attr;
                delegation_shrink(mapping, d->fill);
        }
}

/* Skips a mapping that is not taken back. A mapping that was being filled when the limit was
 * exceeded gets all its tables, or is taken back if there is no memory for them. */
static void delegation_pass(struct delegation *d, struct mapping *mapping, unsigned *budget,
                            struct flush *flush)
{
        if (d->child && mapping->perms)
                delegation_fill(d, mapping, budget, flush);
        else
                d->fill = mapping->in_space.last + 1;
}

/* Takes back or skips the next mapping of a delegation that takes back its mappings. */
static cold_path enum step_result delegation_undo_next(struct delegation *d, unsigned *budget,
                                                       struct flush *flush)
{
        struct mapping *mapping = NULL;

        if (d->fill < d->fill_end)
                mapping = mapping_find(d->target, d->fill, d->fill_end - 1);
        if (!mapping) {
                d->fill = d->fill_end;
                return delegation_release_child(d, budget) ? STEP_REFUSED : STEP_AGAIN;
        }
        if (delegation_is_undone(d, mapping, d->fill_end - 1))
                delegation_undo_one(d, mapping, budget, flush);
        else
                delegation_pass(d, mapping, budget, flush);
        return STEP_AGAIN;
}

/* Does delegation_do_next() with a limit on the bytes that the target's PD pays. */
static cold_path enum step_result delegation_do_limited(struct delegation *d, unsigned *budget,
                                                        struct flush *flush)
{
        const word_t before = d->target->charged;

        if (d->undo && !d->failed)
                return delegation_undo_next(d, budget, flush);
        const enum step_result result = delegation_do_next(d, budget, flush);
        if (delegation_keeps_to_limit(d, d->target->charged - before))
                return result;
        if (d->failed &&
            d->child) { /* already being taken back; no bytes are left for another attempt */
                d->left = 1;
                return result;
        }
        d->failed = false;
        delegation_undo(d);
        d->fill_end = d->to + d->at;
        return STEP_AGAIN;
}

/* Handles the next mapping of a delegation. The budget pays for the entries that were written, for
 * the search for the mapping, and for new tables: up to nine for a mapping of one page. */
static enum step_result delegation_do_one(struct delegation *d, unsigned *budget,
                                          struct flush *flush)
{
        const word_t before = d->target->charged;
        const enum step_result result = unlikely(d->left) ? delegation_do_limited(d, budget, flush)
                                                          : delegation_do_next(d, budget, flush);
        const word_t tables = (d->target->charged - before) >> PAGE_BITS;

        budget_spend(budget, ENTRIES_OF_A_SEARCH + tables * BUDGET_NEW_TABLE);
        return result;
}

enum step_result range_delegation_step(struct delegation *d)
{
        enum step_result result = STEP_AGAIN;
        unsigned budget = STEP_ENTRIES;
        struct flush flush;

        if (unlikely(d->failed && revocation_is_open(d->revocation)))
                return delegation_revoke_derived_step(d);
        flush_init(&flush);
        spin_lock(&space_lock[d->source->type]);
        const bool held = delegation_is_open(d);
        assert(!d->child || d->child->pins);
        if (d->child)
                d->child->pins--;
        for (unsigned i = 0; i < STEP_MAPPINGS && budget && result == STEP_AGAIN; i++)
                result = delegation_do_one(d, &budget, &flush);
        if (unlikely(held || delegation_is_open(d)))
                delegation_hold(d, held);
        spin_unlock(&space_lock[d->source->type]);
        flush_run(&flush);
        return result;
}

void delegation_finish_step(struct delegation *d)
{
        d->count = 0;
        range_delegation_step(d);
}
