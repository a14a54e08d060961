/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database of objects (see object_mapping.h). */
#include "space/object_mapping.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "memory/slab.h"
#include "object/pd.h"
#include "object/reclaim.h"
#include "space/object_space.h"
#include "space/space.h"

/* Limits of a step: the number of capabilities delegated, each of which may need two new tables,
 * and the number of places and absent tables checked. */
#define STEP_DELEGATIONS 8
#define STEP_PLACES      256

static struct slab_cache mapping_cache;

void object_mapping_init(void)
{
        slab_init(&mapping_cache, sizeof(struct object_mapping));
}

static __attribute__((noinline)) void object_mapping_free(struct object_mapping *mapping,
                                                          struct account *account)
{
        slab_free(&mapping_cache, mapping);
        account_return(account, mapping_cache.size);
}

enum nova_status object_space_publish(struct object_space *space, struct capability_page *page,
                                      word_t sel, struct kobject *object, unsigned perms)
{
        struct object_mapping *mapping = object_first_mapping(object);

        sel &= SELECTOR_MASK;
        mapping->parent = NULL;
        mapping->children = NULL;
        mapping->space = space;
        mapping->object = object;
        mapping->sel = (uint32_t)sel;
        mapping->pins = 0;
        mapping->depth = 0;
        mapping->perms = (uint8_t)perms;
        spin_lock(&space_lock[NOVA_CRD_OBJ]);
        const enum nova_status status =
                object_space_enter(space, page, sel, mapping, object, perms);
        spin_unlock(&space_lock[NOVA_CRD_OBJ]);
        return status;
}

/* Enters a capability that is derived from parent at a free selector. page: the selector's page.
 * Returns false, and enters nothing, if the PD's account or the kernel has too little memory left,
 * or if the chain of delegations would be longer than MAPPING_DEPTH_MAX. */
static always_inline bool object_mapping_derive(struct object_mapping *parent,
                                                struct object_space *space,
                                                struct capability_page *page, word_t sel,
                                                uint8_t perms)
{
        struct account *account = space->space.pd->account;

        if (parent->depth >= MAPPING_DEPTH_MAX || !account_charge(account, mapping_cache.size))
                return false;

        struct object_mapping *mapping = slab_alloc(&mapping_cache);
        if (unlikely(!mapping)) {
                account_return(space->space.pd->account, mapping_cache.size);
                return false;
        }
        mapping->children = NULL;
        mapping->space = space;
        mapping->object = parent->object;
        mapping->sel = (uint32_t)sel;
        mapping->pins = 0;
        mapping->depth = (uint16_t)(parent->depth + 1);
        mapping->perms = perms;
        if (unlikely(object_space_enter(space, page, sel, mapping, parent->object, perms) !=
                     NOVA_SUCCESS)) {
                object_mapping_free(mapping, space->space.pd->account);
                return false;
        }
        assert(parent->space && perms && !(perms & ~(unsigned)parent->perms));
        object_get(parent->object);
        mapping->parent = parent;
        mapping->link = &parent->children;
        mapping->next = parent->children;
        if (mapping->next)
                mapping->next->link = &mapping->next;
        parent->children = mapping;
        return true;
}

/* The part of object_delegate() under the lock. */
static always_inline bool object_mapping_delegate_one(struct object_space *source, word_t from,
                                                      struct object_space *target, word_t to,
                                                      unsigned perms)
{
        struct object_mapping *parent = object_space_mapping(source, from);
        struct capability_page *page = object_space_page(target, to);

        if (unlikely(!parent || page->mapping[to & (CAPABILITY_SLOTS - 1)]))
                return true;
        perms &= parent->perms;
        return !perms || object_mapping_derive(parent, target, page, to, (uint8_t)perms);
}

bool object_delegate(struct object_space *source, word_t from, struct object_space *target,
                     word_t to, unsigned perms)
{
        spin_lock(&space_lock[NOVA_CRD_OBJ]);
        const bool done = object_mapping_delegate_one(source, from, target, to, perms);
        spin_unlock(&space_lock[NOVA_CRD_OBJ]);
        return done;
}

nova_crd_t object_translate(const struct object_space *sender, nova_crd_t crd,
                            const struct object_space *receiver, nova_crd_t window)
{
        const word_t sel = align_down(nova_crd_base(crd), nova_crd_order(crd)) & SELECTOR_MASK;
        const word_t base = nova_crd_base(window);
        const word_t fixed = ~(word_t)0 << nova_crd_order(window) & SELECTOR_MASK;
        nova_crd_t result = 0;

        spin_lock(&space_lock[NOVA_CRD_OBJ]);
        const struct object_mapping *mapping = object_space_mapping(sender, sel);
        if (mapping && mapping->perms) {
                const struct object_mapping *ancestor = mapping->parent;
                while (ancestor && (ancestor->space != receiver || (ancestor->sel ^ base) & fixed))
                        ancestor = ancestor->parent;
                if (ancestor)
                        result = nova_crd(NOVA_CRD_OBJ, ancestor->sel, 0, mapping->perms);
        }
        spin_unlock(&space_lock[NOVA_CRD_OBJ]);
        return result;
}

/* Removes a mapping without permissions from its space and drops the mapping's reference to the
 * object. A first mapping lies in the object's memory, so it keeps this memory. */
static void object_mapping_leave_space(struct object_mapping *mapping)
{
        struct kobject *object = mapping->object;

        assert(!mapping->perms);
        object_space_leave(mapping);
        if (mapping->parent)
                mapping->account = mapping->space->space.pd->account;
        else
                object->held = OBJECT_HELD;
        mapping->space = NULL;
        object_put(object);
}

/* Takes a mapping out of its parent's list. */
static void object_mapping_unlink_child(const struct object_mapping *mapping)
{
        assert(*mapping->link == mapping && !mapping->children && !mapping->pins);
        *mapping->link = mapping->next;
        if (mapping->next)
                mapping->next->link = mapping->link;
}

/* Returns true if nothing holds a mapping any more: neither its space, nor pins, nor children. */
static bool object_mapping_is_loose(const struct object_mapping *mapping)
{
        return !mapping->space && !mapping->pins && !mapping->children;
}

/* Frees a mapping if nothing holds it. Returns true if it freed the mapping. */
static bool object_mapping_release_one(struct object_mapping *mapping)
{
        if (!object_mapping_is_loose(mapping))
                return false;
        if (mapping->parent) {
                object_mapping_unlink_child(mapping);
                object_mapping_free(mapping, mapping->account);
        } else {
                if (unlikely(mapping->object->held == OBJECT_HELD_DUE))
                        reclaim_object(mapping->object);
                store_once(mapping->object->held, 0);
        }
        return true;
}

bool object_mapping_holds(struct kobject *object)
{
        spin_lock(&space_lock[NOVA_CRD_OBJ]);
        const bool holds = object->held;
        if (holds)
                object->held = OBJECT_HELD_DUE;
        spin_unlock(&space_lock[NOVA_CRD_OBJ]);
        return holds;
}

/* Ends the walk at a mapping, and frees the mapping if nothing holds it. If nothing else holds the
 * mappings above it, the walk goes up and frees them one by one (rises). */
static struct object_mapping *object_mapping_rise(struct revocation *r,
                                                  struct object_mapping *mapping)
{
        struct object_mapping *parent = mapping->parent;

        if (!object_mapping_release_one(mapping) || (parent && !object_mapping_is_loose(parent)))
                parent = NULL;
        r->up = false;
        r->rises = parent;
        return parent;
}

/* Reduces the permissions of a mapping. A mapping without permissions leaves its space. If the walk
 * began with this mapping (stays), it leaves only after the walk has visited all mappings below. */
static always_inline void object_mapping_reduce(struct object_mapping *mapping, unsigned left,
                                                bool stays)
{
        if (mapping->perms == left)
                return;
        mapping->perms = (uint8_t)left;
        if (left || stays)
                object_space_update(mapping);
        else
                object_mapping_leave_space(mapping);
}

/* Reduces the permissions of a mapping without children, and frees the mapping if it then has
 * neither permissions nor pins. Returns the parent if nothing else holds the parent, else NULL. */
static struct object_mapping *object_mapping_reduce_leaf(struct object_mapping *mapping,
                                                         unsigned left)
{
        struct object_mapping *parent = mapping->parent;
        struct kobject *object = mapping->object;

        if (unlikely(left)) {
                object_mapping_reduce(mapping, left, false);
                return NULL;
        }
        if (unlikely(mapping->pins)) {
                mapping->perms = 0;
                object_mapping_leave_space(mapping);
                return NULL;
        }
        object_space_leave(mapping);
        object_put(object);
        if (parent) {
                object_mapping_unlink_child(mapping);
                object_mapping_free(mapping, mapping->space->space.pd->account);
        }
        return parent && unlikely(object_mapping_is_loose(parent)) ? parent : NULL;
}

/* Delegates one capability of a long delegation. If the delegation now exceeds the limit of the
 * target's PD, begins to take back all its capabilities, including this one. */
static cold_path bool object_mapping_delegate_next(struct delegation *d, word_t from, word_t to)
{
        struct object_space *target = object_space_of(d->target);
        const word_t before = target->space.charged;
        const bool was_free = !object_space_mapping(target, to);
        const bool done =
                object_mapping_delegate_one(object_space_of(d->source), from, target, to, d->perms);

        if (was_free && object_space_mapping(target, to))
                target->space.charged += mapping_cache.size;
        if (d->left && !delegation_keeps_to_limit(d, target->space.charged - before))
                delegation_undo(d);
        return done;
}

/* Returns true if the undo of this delegation must remove a mapping from the target: this
 * delegation or an earlier equal one from the same sender has entered it. It does not matter which
 * one, because the sender may take back both at any time. A mapping with pins or children stays. */
static bool object_mapping_is_undone(const struct delegation *d,
                                     const struct object_mapping *mapping)
{
        const struct object_mapping *parent = mapping->parent;

        return parent && parent->space == object_space_of(d->source) && mapping->perms &&
               !mapping->pins && !mapping->children &&
               parent->sel - d->from == mapping->sel - d->to;
}

/* Takes back the next capabilities of a delegation. */
static cold_path enum step_result object_mapping_undo_step(struct delegation *d)
{
        struct object_space *target = object_space_of(d->target);
        const word_t end = d->to + d->at;
        unsigned budget = STEP_PLACES;
        bool found = true;

        for (unsigned i = 0; i < STEP_DELEGATIONS && found && d->fill < end; i++) {
                struct object_mapping *mapping = object_space_next(target, &d->fill, end, &budget);
                found = mapping;
                if (found && object_mapping_is_undone(d, mapping))
                        object_mapping_reduce_leaf(mapping, 0);
                d->fill += found;
        }
        return d->fill < end ? STEP_AGAIN : STEP_REFUSED;
}

/* Delegates the next capabilities. */
static enum step_result object_mapping_delegate_step(struct delegation *d)
{
        struct object_space *source = object_space_of(d->source);
        const word_t end = d->from + d->count;
        word_t sel = d->from + d->at;
        unsigned budget = STEP_PLACES;
        bool failed = false;

        for (unsigned i = 0; i < STEP_DELEGATIONS && sel < end && !failed && !d->undo; i++) {
                if (!object_space_next(source, &sel, end, &budget))
                        break;
                failed = !object_mapping_delegate_next(d, sel, d->to + (sel - d->from));
                sel += !failed;
        }
        d->at = sel - d->from;
        if (unlikely(d->undo))
                return STEP_AGAIN;
        return failed ? STEP_FAILED : sel < end ? STEP_AGAIN : STEP_DONE;
}

/* Holds the lock for the whole step. If this kernel runs in a virtual machine, the host may preempt
 * the CPU that is next in the queue for the lock, and then all CPUs behind it wait. So taking the
 * lock once for a long time is faster than taking it many times briefly. */
enum step_result object_delegation_step(struct delegation *d)
{
        spin_lock(&space_lock[NOVA_CRD_OBJ]);
        const enum step_result result =
                unlikely(d->undo) ? object_mapping_undo_step(d) : object_mapping_delegate_step(d);
        spin_unlock(&space_lock[NOVA_CRD_OBJ]);
        return result;
}

/* Ends a walk when it has returned to the mapping where it began. */
static struct object_mapping *object_mapping_leave_top(struct revocation *r,
                                                       struct object_mapping *top)
{
        if (r->emptied && top->space)
                object_mapping_leave_space(top);
        r->emptied = false;
        return object_mapping_rise(r, top);
}

/* Takes the next capability of the caller's range, and reduces it if the revocation includes it
 * (self). Returns the mapping at which a walk must continue: the capability's mapping if it has
 * children, or its parent if only that mapping held the parent. Returns NULL if no walk is needed,
 * or if there is no capability before the new r->at. */
static struct object_mapping *object_mapping_begin_walk(struct revocation *r, unsigned *budget)
{
        struct object_mapping *top =
                object_space_next(object_space_of(r->space), &r->at, r->last + 1, budget);

        if (!top)
                return NULL;
        r->at++;
        const unsigned left = top->perms & ~(r->self ? (unsigned)r->perms : 0);
        if (likely(!top->children)) {
                struct object_mapping *above =
                        r->self ? object_mapping_reduce_leaf(top, left) : NULL;
                r->rises = above;
                return above;
        }
        r->depth = top->depth;
        r->up = false;
        r->emptied = r->self && !left;
        object_mapping_reduce(top, left, true);
        return top;
}

/* Moves the walk to the first child, else to the next sibling, else up to the parent. The walk has
 * then visited all mappings below that parent (up). Frees mappings that nothing holds on the way
 * up. Returns NULL at the end of the walk. */
static struct object_mapping *object_mapping_walk_on(struct revocation *r,
                                                     struct object_mapping *mapping)
{
        if (unlikely(r->rises || (r->given_up && !r->emptied)))
                return object_mapping_rise(r, mapping);

        struct object_mapping *next = r->up ? NULL : mapping->children;

        if (!next && mapping->depth == r->depth)
                return object_mapping_leave_top(r, mapping);
        if (!next) {
                struct object_mapping *parent = mapping->parent;
                next = mapping->next;
                object_mapping_release_one(mapping);
                if (!next) {
                        r->up = true;
                        return parent;
                }
        }
        r->up = false;
        /* Also takes the permissions that the parent has lost to another revocation. The other
         * revocation would reach this mapping only through the parent, which may be gone by then.
         * But each revocation itself removes from the space the mapping at which its walk began. */
        object_mapping_reduce(next, next->perms & ~(unsigned)r->perms & next->parent->perms, false);
        return next;
}

enum step_result object_revocation_step(struct revocation *r)
{
        const uint32_t before = account_steps_now();
        unsigned budget = STEP_PLACES;

        spin_lock(&space_lock[NOVA_CRD_OBJ]);
        struct object_mapping *here = r->object_pin;
        assert(!here || here->pins);
        if (here)
                here->pins--;
        for (unsigned i = 0;
             i < STEP_MAPPINGS && (here || r->at <= r->last) && !account_has_closed_many(before);
             i++)
                here = here ? object_mapping_walk_on(r, here)
                            : object_mapping_begin_walk(r, &budget);
        if (here)
                here->pins++;
        r->object_pin = here;
        spin_unlock(&space_lock[NOVA_CRD_OBJ]);
        return here || r->at <= r->last ? STEP_AGAIN : STEP_DONE;
}
