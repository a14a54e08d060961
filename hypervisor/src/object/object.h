/* SPDX-License-Identifier: BSD-2-Clause */
/* What all kernel objects have in common: kind, references, account, and their end. In front of
 * each, in the same memory, lies the mapping of the capability that it gets when it is created.
 *
 * A reference is a capability or an edge SC -> EC -> PD, PT -> EC. Being queued, running or donated
 * is none. When the last one goes the object joins the CPU's dying list; object_reap() ends it: on
 * its own CPU, names freed at once. Its memory comes back after a grace period, because other CPUs
 * look capabilities up without a lock. */
#ifndef OBJECT_OBJECT_H
#define OBJECT_OBJECT_H

#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/types.h"
#include "memory/account.h"
#include "memory/slab.h"
#include "nova/abi/crd.h"

enum object_kind {
        OBJECT_PD = NOVA_KIND_PD,
        OBJECT_EC = NOVA_KIND_EC,
        OBJECT_SC = NOVA_KIND_SC,
        OBJECT_PT = NOVA_KIND_PT,
        OBJECT_SM = NOVA_KIND_SM,
};

struct kobject {
        uint8_t kind;            /* enum object_kind */
        bool dead;               /* ended: capabilities to it act as null */
        uint8_t held;            /* OBJECT_HELD…: by its first mapping, for which see below */
        uint32_t references;     /* atomic */
        struct account *account; /* what its memory was charged to */
        struct kobject *next;    /* in a dying list, then among those that wait for the grace */
};

/* Bytes in front of an object (see object_first_mapping()). */
#define OBJECT_HEAD 64

/* The memory stays, for the mapping in front has left its space but is in the tree of derivation.
 */
#define OBJECT_HELD     1
#define OBJECT_HELD_DUE 2 /* … and the object has ended and could be freed otherwise */

/** Whether an object is of a kind and has not ended. */
static inline bool kobject_is(const struct kobject *object, enum object_kind kind)
{
        uint16_t kind_and_dead;

        __builtin_memcpy(&kind_and_dead, &object->kind, sizeof(kind_and_dead)); /* both at once */
        return kind_and_dead == (uint16_t)kind;
}

_Static_assert(offsetof(struct kobject, dead) == offsetof(struct kobject, kind) + 1,
               "kobject_is reads them together");

/** Initialises a new object with one reference, its creator's. */
static inline void object_init(struct kobject *object, enum object_kind kind,
                               struct account *account)
{
        object->kind = (uint8_t)kind;
        object->dead = false;
        object->held = 0;
        object->references = 1;
        object->account = account;
}

/** Prepares the cache of a kind, whose objects have size bytes. Once, at boot. */
void object_boot(enum object_kind kind, size_t size);

extern struct slab_cache object_cache[OBJECT_SM + 1]; /* by kind */

/** Bytes that an object takes, with what lies in front of it. */
static inline word_t object_bytes(enum object_kind kind)
{
        return object_cache[kind].size;
}

/** Memory for an object and what lies in front of it; NULL: out of memory. */
static inline void *object_take(enum object_kind kind)
{
        char *memory = (char *)slab_alloc(&object_cache[kind]);

        return likely(memory) ? memory + OBJECT_HEAD : NULL;
}

/** Gives it back. */
static inline void object_give(enum object_kind kind, void *object)
{
        slab_free(&object_cache[kind], (char *)object - OBJECT_HEAD);
}

/** The same, charged to an account. */
static inline void *object_alloc(enum object_kind kind, struct account *account)
{
        if (unlikely(!account_charge(account, object_bytes(kind))))
                return NULL;

        void *object = object_take(kind);
        if (unlikely(!object))
                account_return(account, object_bytes(kind));
        return object;
}

/** … and credited. */
void object_release(enum object_kind kind, struct account *account, void *object);

/** Takes a reference to an object that was found by a capability; false: it is ending. */
bool object_get_live(struct kobject *object);

/** Takes a reference. */
static inline void object_get(struct kobject *object)
{
        const uint32_t references = atomic_fetch_add_u32(&object->references, 1);

        assert(references);
}

/** Takes a reference to an object that still has one; false: it has none, and never will again. */
static inline bool object_get_referenced(struct kobject *object)
{
        uint32_t references = atomic_load_u32(&object->references);

        while (references)
                if (__atomic_compare_exchange_n(&object->references, &references, references + 1,
                                                false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                        return true;
        return false;
}

/** Gives a reference back; the last one puts the object on this CPU's dying list. */
void object_put(struct kobject *object);

/** Puts an object on this CPU's dying list. */
void object_queue(struct kobject *object);

/** What comes back to object->account when an ended object is freed, about. The second function
 *  returns what the first one did. */
word_t object_ending_bytes(struct kobject *object);
word_t object_ended_bytes(const struct kobject *object);

/** Whether mail about an object, sent just before its end, is still in its CPU's hands. */
bool object_has_mail(const struct kobject *object);

/** Ends what is first on this CPU's dying list, or does a step of it. No lock is held. May wait for
 *  other CPUs. */
void object_reap(void);

/** Frees the memory of an ended object; called after the grace period. */
void object_free(struct kobject *object);

#endif
