/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database of objects: it records from which capability each capability was delegated.
 *
 * An object has no parts. A mapping therefore covers one selector, is found through the
 * capability's place, and has a plain list of children. A mapping that lost all permissions leaves
 * its space at once; only the mapping with which a revocation began stays until the walk below it
 * is done. A mapping that has left its space stays in the tree of derivation while it has children,
 * or while a revocation has stopped at it (pins).
 *
 * The space_lock of objects, which these functions take, protects all of this. */
#ifndef SPACE_OBJECT_MAPPING_H
#define SPACE_OBJECT_MAPPING_H

#include "lib/types.h"
#include "nova/abi/crd.h"
#include "nova/abi/status.h"
#include "object/object.h"
#include "space/mapping.h"

struct object_space;

struct object_mapping {
        struct object_mapping *parent;   /* NULL: the first mapping of an object */
        struct object_mapping *children; /* the newest child */
        struct object_mapping *next;     /* the next older child of parent */
        struct object_mapping **link;    /* the pointer to this mapping: parent->children or a
                                          * sibling's next */
        struct object_space *space;      /* NULL: the mapping has left its space */
        union {
                struct kobject *object;  /* the mapping has a reference while it is in a space; a
                                          * first mapping keeps the pointer afterwards */
                struct account *account; /* other mappings that have left their space: the
                                          * account to which they are charged */
        };
        uint32_t sel;
        uint32_t pins;  /* number of revocations that have stopped here between two steps */
        uint16_t depth; /* number of delegations above it */
        uint8_t perms;
};

_Static_assert(sizeof(struct object_mapping) <= OBJECT_HEAD, "it fits in front of an object");

/** Returns the mapping of the first capability for an object. It lies in the object's head: it
 * needs no memory of its own, and the object's account pays for both. */
static inline struct object_mapping *object_first_mapping(struct kobject *object)
{
        return (struct object_mapping *)(void *)((char *)object - OBJECT_HEAD);
}

/** Prepares the slab cache of object mappings. Call once, at boot. */
void object_mapping_init(void);

/** Returns true if the first mapping of an ended object still needs the object's memory, because a
 * revocation in progress is at a mapping below it. The revocation later calls reclaim_object().
 * Takes the lock. */
bool object_mapping_holds(struct kobject *object);

/** Delegates the capability at selector `from` to selector `to`, with those of its permissions that
 *  are in perms. Does nothing if no permission is left or `to` is in use. Returns false if there is
 *  no memory, or if the chain of delegations would be too long. */
hot_path __attribute__((noinline)) bool object_delegate(struct object_space *source, word_t from,
                                                        struct object_space *target, word_t to,
                                                        unsigned perms);

/** Does the work of translation_find() for objects. */
nova_crd_t object_translate(const struct object_space *sender, nova_crd_t crd,
                            const struct object_space *receiver, nova_crd_t window);

#endif
