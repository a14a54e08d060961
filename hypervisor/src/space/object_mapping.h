/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database of objects: which capability was delegated from which.
 *
 * An object has no parts, so that a mapping is one selector, found through the capability's place,
 * and what was delegated from it is a plain list. A mapping that lost all permissions leaves its
 * space at once, but for the one that a revocation began with, which stays until that has been
 * below it; while it has children or a revocation stands on it (pins) it stays in the tree of
 * derivation, without a space.
 *
 * All of it is under the space_lock of objects, which these functions take. */
#ifndef SPACE_OBJECT_MAPPING_H
#define SPACE_OBJECT_MAPPING_H

#include "lib/types.h"
#include "nova/abi/crd.h"
#include "nova/abi/status.h"
#include "object/object.h"
#include "space/mapping.h"

struct object_space;

struct object_mapping {
        struct object_mapping *parent;   /* what it was delegated from; NULL: a new object */
        struct object_mapping *children; /* what was delegated from it last */
        struct object_mapping *next;     /* what was delegated from its parent before it */
        struct object_mapping **link;    /* what points at it: its parent, or the one before next */
        struct object_space *space;      /* NULL: has left it */
        union {
                struct kobject *object;  /* in a space: a reference */
                struct account *account; /* afterwards: what the mapping is charged to;
                                          * of an object's first mapping still the object */
        };
        uint32_t sel;
        uint32_t pins;  /* revocations that stand here between two steps */
        uint16_t depth; /* delegations above it */
        uint8_t perms;
};

_Static_assert(sizeof(struct object_mapping) <= OBJECT_HEAD, "it fits in front of an object");

/** The mapping of the capability that an object gets when it is created: a part of the object, so
 *  that it needs no memory of its own, and its account pays for both. */
static inline struct object_mapping *object_first_mapping(struct kobject *object)
{
        return (struct object_mapping *)(void *)((char *)object - OBJECT_HEAD);
}

/** Prepares the cache. Once, at boot. */
void object_mapping_init(void);

/** Whether the first mapping of an ended object needs its memory still, because another revocation
 *  stands below it; reclaim_object() follows then when that has passed. Takes the lock. */
bool object_mapping_holds(struct kobject *object);

/** Delegates one capability, with those of its permissions that perms names, unless it is null or
 *  its place is taken. false: no memory, or too deep. */
hot_path __attribute__((noinline)) bool object_delegate(struct object_space *source, word_t from,
                                                        struct object_space *target, word_t to,
                                                        unsigned perms);

/** mapping_translate() for objects. */
nova_crd_t object_translate(const struct object_space *sender, nova_crd_t crd,
                            const struct object_space *receiver, nova_crd_t window);

#endif
