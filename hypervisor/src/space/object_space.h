/* SPDX-License-Identifier: BSD-2-Clause */
/* Object spaces: from a selector to a typed object in constant time, without a lock or a fault.
 *
 * A radix of pages; absent parts point at shared pages of null capabilities. A capability is one
 * word: the object's address and, in its low five bits, the permissions. */
#ifndef SPACE_OBJECT_SPACE_H
#define SPACE_OBJECT_SPACE_H

#include "lib/atomic.h"
#include "object/object.h"
#include "space/space.h"

struct ec;
struct pd;
struct pt;
struct sc;
struct sm;

#if __SIZEOF_POINTER__ == 8
#define RADIX_BITS 9
#else
#define RADIX_BITS 10
#endif
#define RADIX_SLOTS     (1u << RADIX_BITS)
#define RADIX_TOP_SLOTS (1u << (NOVA_SEL_ORDER - 2 * RADIX_BITS))

struct object_space {
        struct space space;
        word_t **first; /* top[0]: the pages of the first selectors, which are nearly all */
        word_t ***top;  /* pointers to pages of pointers to pages of capabilities */
};

/** Makes the shared empty pages. Once, at boot. false: no memory. */
bool object_space_boot(void);

/** Prepares an empty object space. */
void object_space_init(struct object_space *space, struct pd *pd);

/** Frees the tables; the space is empty. */
void object_space_fini(struct object_space *space);

/** The capability that a selector, taken modulo SEL, refers to; 0: null. */
static always_inline word_t object_space_capability(const struct object_space *space, word_t sel)
{
        if (likely(sel >> RADIX_BITS < RADIX_SLOTS))
                return load_once(space->first[sel >> RADIX_BITS][sel & (RADIX_SLOTS - 1)]);
        return load_once(
                space->top[sel >> 2 * RADIX_BITS & (RADIX_TOP_SLOTS - 1)]
                          [sel >> RADIX_BITS & (RADIX_SLOTS - 1)][sel & (RADIX_SLOTS - 1)]);
}

/** The object of a capability with all of the permissions and the kind asked for; NULL: it lacks
 *  one, is of another kind, null, or its object has ended. Borrowed until this CPU leaves the
 *  kernel or opens an interrupt window. */
static always_inline struct kobject *capability_object(word_t capability, enum object_kind kind,
                                                       unsigned perms)
{
        struct kobject *object = (struct kobject *)(capability & ~(word_t)NOVA_PERM_ALL);

        if (!object || !kobject_is(object, kind) || perms & ~capability)
                return NULL;
        return object;
}

/** Whether a selector refers to a null capability. */
static inline bool object_space_is_null(const struct object_space *space, word_t sel)
{
        return !object_space_capability(space, sel);
}

/** Publishes a new object. BAD_CAP: the selector is taken; OUT_OF_MEMORY. */
enum nova_status object_space_insert(struct pd *pd, word_t sel, struct kobject *object,
                                     unsigned perms);

/** Writes the capability of a mapping (space_apply). */
bool object_space_apply(const struct mapping *mapping);

#endif
