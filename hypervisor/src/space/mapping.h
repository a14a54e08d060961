/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database: which range of memory or ports was delegated from which. That of objects is
 * in object_mapping.h; what is declared with a type of space here is for all three.
 *
 * A mapping is a range of selectors of one space with equal permissions. It lies in the tree of its
 * space, by selector, and in the tree of its parent's children, by what it maps (frames, ports).
 * A child's range lies inside its parent's. A mapping that lost all permissions
 * leaves its space at once; as long as it has children, a revocation or a delegation stands on it
 * or an EC has it for its UTCB (pins), it stays in the tree of derivation, without a space.
 *
 * All under the space_lock of the type. */
#ifndef SPACE_MAPPING_H
#define SPACE_MAPPING_H

#include "lib/tree.h"
#include "lib/types.h"
#include "nova/abi/crd.h"
#include "nova/abi/status.h"
#include "space/space.h"

struct account;
struct object_mapping;
struct pd;
struct revocation;

/* Longest chain of delegations. It bounds the climb to an ancestor; a longer chain is refused like
 * a delegation without memory. */
#define MAPPING_DEPTH_MAX 1000

/* Steps of long operations: mappings handled, and table entries written, with the lock held. */
#define STEP_MAPPINGS 12
#define STEP_ENTRIES  512

/* Entries of the budget that the search for one mapping costs. */
#define ENTRIES_OF_A_SEARCH 32

struct mapping {
        struct tree_node in_space;  /* start..last: selectors */
        struct tree_node in_parent; /* start..last: frames or ports */
        struct tree children;
        struct space *space;     /* NULL: has left it */
        struct account *account; /* what the mapping was charged to */
        /* Not 0: no new child may cross this boundary (of what it maps). Without permissions: the
         * revocation that took them. */
        word_t cut;
        uint64_t torn;  /* not 0: when it was cut off from a mapping, in cuts since boot */
        uint32_t pins;  /* what stands here between two steps; the EC of a UTCB */
        uint16_t depth; /* delegations above it */
        uint8_t perms;
        uint8_t attr; /* MAPPING_… */
};

#define MAPPING_UTCB  0x1 /* a UTCB: has no permissions but is mapped for the user */
#define MAPPING_DMA   0x2 /* memory: also in the DMA page table */
#define MAPPING_GUEST 0x4 /* memory: also in the guest page table */

/** Prepares the cache of mappings. Once, at boot. */
void mapping_init(void);

/** Enters a range that was derived from nothing. BAD_PAR: something is there already. */
enum nova_status mapping_insert(struct space *space, word_t first, word_t count, word_t source,
                                unsigned perms);

/** Enters the mapping of a UTCB. *out lives until mapping_remove_utcb(), though it may leave the
 * space before. */
enum nova_status mapping_insert_utcb(struct space *space, word_t sel, word_t frame,
                                     struct mapping **out);

/** Whether a selector refers to nothing, not even a UTCB. */
bool mapping_is_free(struct space *space, word_t sel);

/** The whole mapping that holds a selector, as a CRD: the largest aligned range around it; 0 when
 *  there is none. */
nova_crd_t mapping_lookup(struct space *space, word_t sel);

/** The frame or port that a selector refers to; false: none, or a UTCB's. */
bool mapping_source(struct space *space, word_t sel, word_t *source);

/** Translates a sender's range into the receiver's space of the same type that it was derived from,
 * clipped to the window. 0: it is not derived from there. */
nova_crd_t mapping_translate(struct space *sender, nova_crd_t crd, struct space *receiver,
                             nova_crd_t window);

/** Removes the mapping of a UTCB if it is still there, and frees it. */
void mapping_remove_utcb(struct mapping *mapping);

/* A delegation under way. Lives in the EC that sends. */
struct delegation {
        struct space *source, *target;
        word_t from, to, count; /* ranges of selectors */
        word_t at;              /* selectors done */
        /* Tables of the target that are still to be written, or to be taken back (undo):
         * fill..fill_end - 1. */
        word_t fill, fill_end;
        word_t gone;           /* failed: selectors of which all has left the space */
        struct mapping *child; /* what was entered last, pinned, or what is above it; or NULL */
        /* Of a sender of memory or ports: takes back what was derived from a mapping that is being
         * taken back. Not open before. */
        struct revocation *revocation;
        uint8_t perms, attr;
        bool failed;   /* no memory for a table: what was entered last is being taken back */
        bool undo;     /* too expensive: all that was entered is being taken back */
        uint32_t left; /* bytes that the target's PD may still be charged, and 1; 0: no limit */
};

enum step_result { STEP_DONE, STEP_AGAIN, STEP_FAILED, STEP_REFUSED };

/** The bits of a selector that tell where in a range it is. */
static inline word_t range_offset_bits(nova_crd_t range)
{
        return ~(~(word_t)0 << nova_crd_order(range));
}

/** The selector of a range that has these offset bits. */
static inline word_t range_selector_in(nova_crd_t range, word_t offset)
{
        const word_t bits = range_offset_bits(range);

        return (nova_crd_base(range) & ~bits) | (offset & bits);
}

/** Delegates memory or ports if that is simple: the whole range comes from one mapping to a place
 *  where nothing is, by at most a step's entries. False: nothing has changed. Either way TLBs may
 *  have been flushed, and ECs have ended meanwhile. at and what follows are not looked at. */
bool range_delegate(const struct delegation *delegation);

/** Delegates what a typed item names, from a PD to another through its window, if that is simple.
 *  Returns the CRD that the receiver sees; 0: refused, or not simple. */
nova_crd_t delegation_at_once(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                              nova_crd_t window);

/** Begins the same in steps. Returns the CRD that the receiver sees; 0: refused. */
nova_crd_t delegation_begin(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                            nova_crd_t window, struct delegation *delegation);

/* Steps of delegations of memory or ports, and of objects. */
enum step_result range_delegation_step(struct delegation *delegation);
enum step_result object_delegation_step(struct delegation *delegation);

/** Whether a delegation of memory or ports stands in the middle of a mapping that it has entered,
 * or takes back what costs too much. The target's PD is referenced as long as that is so. */
static inline bool delegation_is_open(const struct delegation *delegation)
{
        return delegation->child || delegation->fill < delegation->fill_end;
}

/** Does a step of what is left of that when the delegation is given up. Enters no more. */
void delegation_finish_step(struct delegation *delegation);

/** Begins to take back what a delegation has entered. */
static inline void delegation_undo(struct delegation *delegation)
{
        delegation->undo = true;
        delegation->fill = delegation->fill_end = delegation->to;
}

/** Whether a delegation with a limit still keeps to it, after its target was charged some bytes. */
static inline bool delegation_keeps_to_limit(struct delegation *delegation, word_t bytes)
{
        if (bytes >= delegation->left)
                return false;
        delegation->left -= (uint32_t)bytes;
        return true;
}

/** Does a step of a delegation. STEP_FAILED: kernel memory ran out. STEP_REFUSED: the limit does
 *  not allow it, and what it had entered is gone, except what another thread has delegated on. */
static inline enum step_result delegation_step(struct delegation *delegation)
{
        return delegation->source->type == NOVA_CRD_OBJ ? object_delegation_step(delegation)
                                                        : range_delegation_step(delegation);
}

/* A revocation under way. Lives in the EC that revokes. */
struct revocation {
        struct space *space;
        word_t at, last;     /* selectors that are left */
        word_t top_first;    /* first and */
        word_t top_last;     /* last selector of the present mapping that is meant */
        word_t first_source; /* what is being revoked below the present mapping */
        word_t last_source;  /* … both inclusive */
        word_t sync;         /* selectors of pin whose tables are still to be written … */
        word_t sync_first;   /* … whose pieces have still to leave the space … */
        word_t sync_last;    /* … both up to here */
        word_t cut_at;       /* what crosses this is cut, while cutting is set */
        word_t owed_end; /* mappings from at up to here may have lost all permissions; 0: none */
        struct space *sync_space; /* … from one step to the next: its PD is referenced */
        union { /* the mapping visited last; NULL between two mappings of the space */
                struct mapping *pin;
                struct object_mapping *object_pin;
        };
        uint64_t since;      /* cuts when the walk began … */
        uint64_t since_deep; /* … and when it began again among mappings of depth_deep or more */
        uint16_t depth_deep;
        uint16_t depth; /* that of the mapping where the walk began */
        uint8_t perms;  /* to be taken away */
        bool self;
        bool cutting;  /* the mapping visited last is cut next, or one below it */
        bool syncs;    /* tables of the mapping visited last are still to be written */
        bool leaves;   /* the mapping visited last leaves its space when its tables are clear */
        bool up;       /* what lies below the mapping visited last is done */
        bool rises;    /* the walk has ended and frees what is empty above it */
        bool emptied;  /* the present mapping lost all permissions, and its tables are clear */
        bool whole;    /* no memory to cut mappings: take all of each */
        bool given_up; /* its EC has ended: only what has begun is finished */
};

/** Takes permissions from what was derived from first..last of a space of memory or ports if that
 * is simple: one mapping has the range, and what was derived from it loses all that it has, has no
 *  descendants, lies inside, and is no more than a step's. False: a revocation has to follow.
 *  Either way TLBs may have been flushed, and ECs have ended meanwhile. */
bool range_revoke(struct space *space, word_t first, word_t last, unsigned perms);

/** Begins a revocation of first..last. */
void revocation_begin(struct revocation *revocation, struct space *space, word_t first, word_t last,
                      unsigned perms, bool self);

/* Steps of revocations of memory or ports, and of objects. */
enum step_result range_revocation_step(struct revocation *revocation);
enum step_result object_revocation_step(struct revocation *revocation);

/** Does a step; STEP_DONE or STEP_AGAIN. All CPUs' TLBs are right when it returns. */
static inline enum step_result revocation_step(struct revocation *revocation)
{
        return revocation->space->type == NOVA_CRD_OBJ ? object_revocation_step(revocation)
                                                       : range_revocation_step(revocation);
}

/** Whether a revocation has begun and not come to its end. One that never began has no pin and owes
 *  nothing. */
static inline bool revocation_is_open(const struct revocation *revocation)
{
        return (word_t)revocation->pin | revocation->owed_end;
}

/** Does a step of what is left of an open revocation whose EC has ended; whether nothing is left.
 *  Mappings that it took all permissions from leave their space, and lose what was derived from
 *  them; nothing else is begun. */
bool revocation_finish_step(struct revocation *revocation);

#endif
