/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of all kernel objects: kind, references, account, and their end. The mapping of
 * an object's first capability lies in front of the object, in the same memory.
 *
 * An object is referenced by capabilities and by other objects: SC -> EC -> PD and PT -> EC. A
 * queue, a running CPU and a donation hold no references. An object without references joins the
 * dying list of the CPU that dropped the last reference. object_reap() ends the object, an EC or SC
 * on its own CPU, and immediately frees the selectors and the UTCB's address that it used. Its
 * memory is freed after a grace period, because other CPUs look up capabilities without a lock. */
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
        union {
                struct {
                        uint8_t kind; /* enum object_kind */
                        bool dead;    /* ended: capabilities to it act as null capabilities */
                };
                uint16_t kind_and_dead; /* read by kobject_is() */
        };
        uint8_t held;            /* OBJECT_HELD…: the first mapping needs the memory */
        uint32_t references;     /* atomic */
        struct account *account; /* account to which its memory was charged */
        struct kobject *next;    /* in a dying list, then in a batch of the grace period */
};

/* Bytes in front of an object (see object_first_mapping()). */
#define OBJECT_HEAD 64

/* The mapping in front has left its space but is still in the mapping tree: the memory stays. */
#define OBJECT_HELD     1
#define OBJECT_HELD_DUE 2 /* the object has ended; only the mapping keeps its memory */

/** Returns true if an object is of a kind and has not ended. */
static inline bool kobject_is(const struct kobject *object, enum object_kind kind)
{
        return object->kind_and_dead == (uint16_t)kind;
}

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

/** Prepares the slab cache of a kind, whose objects have size bytes. Call once, at boot. */
void object_boot(enum object_kind kind, size_t size);

extern struct slab_cache object_cache[OBJECT_SM + 1]; /* by kind */

/** Returns the size in bytes of an object with the head in front of it. */
static inline word_t object_bytes(enum object_kind kind)
{
        return object_cache[kind].size;
}

/** Allocates memory for an object and its head. Returns NULL if out of memory. */
static inline void *object_take(enum object_kind kind)
{
        char *memory = (char *)slab_alloc(&object_cache[kind]);

        return likely(memory) ? memory + OBJECT_HEAD : NULL;
}

/** Frees the memory of an object and its head. */
static inline void object_give(enum object_kind kind, void *object)
{
        slab_free(&object_cache[kind], (char *)object - OBJECT_HEAD);
}

/** Does object_take() and charges the memory to an account. */
static inline void *object_alloc(enum object_kind kind, struct account *account)
{
        if (unlikely(!account_charge(account, object_bytes(kind))))
                return NULL;

        void *object = object_take(kind);
        if (unlikely(!object))
                account_return(account, object_bytes(kind));
        return object;
}

/** Does object_give() and returns the memory to the account. */
void object_release(enum object_kind kind, struct account *account, void *object);

/** Takes a reference to an object found by a capability. Returns false if the object is ending. */
bool object_get_live(struct kobject *object);

/** Takes a reference. */
static inline void object_get(struct kobject *object)
{
        const uint32_t references = atomic_fetch_add_u32(&object->references, 1);

        assert(references);
}

/** Takes a reference if the object still has a reference. Returns false if the object has none and
 * will never have one again. */
static inline bool object_get_referenced(struct kobject *object)
{
        uint32_t references = atomic_load_u32(&object->references);

        while (references)
                if (__atomic_compare_exchange_n(&object->references, &references, references + 1,
                                                false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                        return true;
        return false;
}

/** Drops a reference; the last one puts the object on this CPU's dying list. */
void object_put(struct kobject *object);

/** Puts an object on this CPU's dying list. */
void object_queue(struct kobject *object);

/** Returns approximately the number of bytes that object->account gets back when an ended object is
 * freed. Afterwards, object_ended_bytes() returns this value. */
word_t object_ending_bytes(struct kobject *object);
word_t object_ended_bytes(const struct kobject *object);

/** Returns true if mail about an object, sent just before its end, has not been processed yet. */
bool object_has_mail(const struct kobject *object);

/** Ends the first object of this CPU's dying list, or does a step of its end. No lock is held. May
 *  wait for other CPUs. */
void object_reap(void);

/** Frees the memory of an ended object after its grace period. */
void object_free(struct kobject *object);

#endif
