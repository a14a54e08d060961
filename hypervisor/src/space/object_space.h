/* SPDX-License-Identifier: BSD-2-Clause */
/* Object spaces: from a selector to a typed object in constant time, without a lock or a fault.
 *
 * An object space is a radix tree of pages. Absent parts point to shared pages of null
 * capabilities. A capability is one word: the object's address, with the permissions in the low
 * five bits. Half of a page holds capabilities. The other half holds their mappings, which record
 * the origin of the capabilities. */
#ifndef SPACE_OBJECT_SPACE_H
#define SPACE_OBJECT_SPACE_H

#include "arch/x86/insn.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "memory/frame.h"
#include "object/object.h"
#include "space/space.h"

struct object_mapping;
struct pd;

/* A page holds two words for each capability, and one for each pointer. */
#define CAPABILITY_BITS  (RADIX_BITS - 1)
#define RADIX_BITS       (NOVA_WORD_BITS == 64 ? 9 : 10)
#define CAPABILITY_SLOTS (1u << CAPABILITY_BITS)
#define RADIX_SLOTS      (1u << RADIX_BITS)
#define RADIX_TOP_SLOTS  (1u << (NOVA_SEL_ORDER - RADIX_BITS - CAPABILITY_BITS))
#define SELECTOR_MASK    (((word_t)1 << NOVA_SEL_ORDER) - 1)
#define RADIX_FIRST      (RADIX_SLOTS * CAPABILITY_SLOTS) /* selectors that first leads to */

struct capability_page {
        word_t capability[CAPABILITY_SLOTS]; /* read by all without a lock */
        struct object_mapping *mapping[CAPABILITY_SLOTS];
};

struct object_space {
        struct space space;
        struct capability_page **first; /* pages of the first selectors, which programs use most */
        struct capability_page ***top;  /* pointers to pages of pointers to all other pages */
};

static inline struct object_space *object_space_of(struct space *space)
{
        return container_of(space, struct object_space, space);
}

/** Creates the shared empty pages and a slab cache. Call once, at boot. false: no memory. */
bool object_space_boot(void);

/** Prepares an empty object space. */
void object_space_init(struct object_space *space, struct pd *pd);

/** Returns the page of a number, modulo the number of pages; it may be the shared empty page. */
static always_inline struct capability_page *object_space_page_at(const struct object_space *space,
                                                                  word_t page)
{
        if (likely(page < RADIX_SLOTS))
                return space->first[checked_index(page, RADIX_SLOTS)];

        const word_t top = page >> RADIX_BITS & (RADIX_TOP_SLOTS - 1);
        struct capability_page **const pages = top ? space->top[top] : space->first;
        return pages[page & (RADIX_SLOTS - 1)];
}

/** Returns the page of a selector, taken modulo SEL; it may be the shared empty page. */
static always_inline struct capability_page *object_space_page(const struct object_space *space,
                                                               word_t sel)
{
        return object_space_page_at(space, sel >> CAPABILITY_BITS);
}

/** Returns the capability of a selector whose page is given; 0: null. */
static always_inline word_t capability_at(const struct capability_page *page, word_t sel)
{
        return load_once(page->capability[sel & (CAPABILITY_SLOTS - 1)]);
}

/** Returns the capability of a selector, taken modulo SEL; 0: null. */
static always_inline word_t object_space_capability(const struct object_space *space, word_t sel)
{
        const word_t slot = sel & (CAPABILITY_SLOTS - 1);
        const word_t page = opaque_word(sel >> CAPABILITY_BITS); /* no copy of sel for each
                                                                  * level of the tree */

        return load_once(object_space_page_at(space, page)->capability[slot]);
}

/** Returns the object of a capability, if the object has the requested kind and the capability has
 *  all requested permissions. NULL: the capability is null, lacks a permission or is of another
 *  kind, or the object has ended. The object is borrowed until this CPU leaves the kernel or opens
 *  an interrupt window. */
static always_inline struct kobject *capability_object(word_t capability, enum object_kind kind,
                                                       unsigned perms)
{
        /* The null capability has no permissions, so a check for a permission needs no check for
         * null. */
        if (perms && unlikely(perms & ~capability))
                return NULL;
        const bool null = and_word(&capability, ~(word_t)NOVA_PERM_ALL);
        if (!perms && unlikely(null))
                return NULL;

        struct kobject *object = (struct kobject *)capability;
        assert(object->kind >= OBJECT_PD && object->kind <= OBJECT_SM);
        return likely(kobject_is(object, kind)) ? object : NULL;
}

/** Publishes a new object at a selector, taken modulo SEL, with at least one permission. The
 *  capability takes the caller's reference. page: page of the selector. It may have been found
 *  without a lock, but not before this CPU last entered the kernel or opened an interrupt window.
 *  Returns SUCCESS, BAD_CAP if the selector is taken, or OUT_OF_MEMORY. On both errors the caller
 *  keeps the reference. */
__attribute__((noinline)) enum nova_status object_space_publish(struct object_space *space,
                                                                struct capability_page *page,
                                                                word_t sel, struct kobject *object,
                                                                unsigned perms);

/** Does object_space_publish() and finds the page of the selector itself. */
static inline enum nova_status object_space_insert(struct object_space *space, word_t sel,
                                                   struct kobject *object, unsigned perms)
{
        return object_space_publish(space, object_space_page(space, sel), sel, object, perms);
}

/** Returns true if no selector is taken. */
bool object_space_is_empty(const struct object_space *space);

/* The functions below are for object_mapping.c. Called under the space_lock of objects. */

/** Returns the mapping of a selector below SEL; NULL: none. */
static inline struct object_mapping *object_space_mapping(const struct object_space *space,
                                                          word_t sel)
{
        return object_space_page(space, sel)->mapping[sel & (CAPABILITY_SLOTS - 1)];
}

/** Returns the first mapping in *sel..end - 1; end is above *sel. Checks at most *budget tables and
 * places. Sets *sel to the mapping's selector. NULL: there is no mapping below the new *sel. */
struct object_mapping *object_space_search(const struct object_space *space, word_t *sel,
                                           word_t end, unsigned *budget);

/** Does object_space_search(), but first checks whether *sel has a mapping, which is the usual
 * case. */
static inline struct object_mapping *object_space_next(const struct object_space *space,
                                                       word_t *sel, word_t end, unsigned *budget)
{
        struct object_mapping *mapping = object_space_mapping(space, *sel);

        return likely(mapping) ? mapping : object_space_search(space, sel, end, budget);
}

/** Returns the page of a selector; creates it if there is none. NULL: no memory. */
__attribute__((noinline)) struct capability_page *object_space_page_for(struct object_space *space,
                                                                        word_t sel);

/** Enters the mapping of a selector with its capability; page: see object_space_publish().
 *  BAD_CAP: the selector is taken; OUT_OF_MEMORY: no memory for a table. */
static always_inline enum nova_status object_space_enter(struct object_space *space,
                                                         struct capability_page *page, word_t sel,
                                                         struct object_mapping *mapping,
                                                         struct kobject *object, unsigned perms)
{
        struct frame_info *info = frame_info(page);

        assert_held(&space_lock[NOVA_CRD_OBJ]);
        const word_t slot = sel & (CAPABILITY_SLOTS - 1);

        /* A page without entries is the shared empty page, or was unlinked after it was found. */
        if (unlikely(!info->used)) {
                page = object_space_page_for(space, sel);
                if (!page)
                        return NOVA_OUT_OF_MEMORY;
                info = frame_info(page);
        }
        if (unlikely(page->mapping[slot]))
                return NOVA_BAD_CAP;
        info->used++;
        page->mapping[slot] = mapping;
        store_once(page->capability[slot], (word_t)object | perms);
        return NOVA_SUCCESS;
}

/** Writes the permissions of a mapping to its capability. */
void object_space_update(const struct object_mapping *mapping);

/** Frees the selector of a mapping. */
void object_space_leave(const struct object_mapping *mapping);

#endif
