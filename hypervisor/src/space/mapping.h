/* SPDX-License-Identifier: BSD-2-Clause */
/* The mapping database: it records from which range each range of memory or ports was delegated.
 * The database of objects is in object_mapping.h. Of the functions here, delegation_begin(),
 * delegation_step() and the functions with the prefix revocation_ serve objects, too.
 *
 * A mapping is a range of selectors of one space with equal permissions. It is in the tree of its
 * space, ordered by selector, and in the tree of its parent's children, ordered by source (frame or
 * port). A child's range lies inside its parent's, unless the parent is barren (MAPPING_BARREN). A
 * mapping that lost all permissions leaves its space when its tables are clear; the mapping with
 * which a revocation began leaves only after the walk below it. It stays in the tree of its
 * parent's children, without a space, as long as it has children or is pinned. A mapping is pinned
 * if a revocation or a delegation has stopped at it, or if it maps an EC's UTCB.
 *
 * The space_lock of the type protects all of this. */
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

/* Longest chain of delegations. It limits the number of steps from a mapping to an ancestor. A
 * delegation that would make the chain longer fails as if kernel memory had run out. */
#define MAPPING_DEPTH_MAX 1000

/* Limits of a step: mappings handled and table entries written with the lock held. */
#define STEP_MAPPINGS 12
#define STEP_ENTRIES  512

/* Cost of the search for one mapping, in entries of the budget. */
#define ENTRIES_OF_A_SEARCH 32

struct mapping {
        struct tree_node in_space;  /* start..last: selectors; max: see mapping_origin() */
        struct tree_node in_parent; /* start..last: frames or ports */
        struct tree children;
        struct space *space;     /* NULL: the mapping has left its space */
        struct account *account; /* account to which the mapping was charged */
        /* 0, or the source at which a new child must end; in a mapping without permissions, a
         * value that identifies the revocation that took them */
        word_t cut;
        /* value of mapping_cuts when it was cut off from another mapping, or 0 */
        uint64_t torn : 56;
        uint64_t may : 8; /* permissions that it or a mapping below it may have, now or later */
        uint32_t pins;    /* number of operations that have stopped here between two steps, plus one
                           * if an EC uses it as the mapping of its UTCB */
        uint16_t depth;   /* number of delegations above it */
        uint8_t perms;
        uint8_t attr; /* MAPPING_… */
};

#define MAPPING_UTCB  0x1 /* a UTCB: has no permissions but is mapped for the user */
#define MAPPING_DMA   0x2 /* memory: also in the DMA page table */
#define MAPPING_GUEST 0x4 /* memory: also in the guest page table */
/* Received under a limit, or taken: other PDs do not cut the mapping before it is barren. A mapping
 * without permissions keeps the attribute. */
#define MAPPING_WHOLE 0x8
/* Taken, has left its space, and no mapping below it has rights. Its children may lie outside its
 * range. */
#define MAPPING_BARREN 0x10

#define MAPPING_TORN_MASK (((uint64_t)1 << 56) - 1)

/** Returns the address of a word in a piece, which is a mapping whose torn is not 0. The word
 * stores the source at which the original mapping began, before any piece was cut off from it. It
 * is a field of the node, which a tree of disjoint ranges does not use. */
static inline word_t *mapping_origin(struct mapping *mapping)
{
        return &mapping->in_space.max;
}

/** Prepares the slab cache of mappings. Call once, at boot. */
void mapping_init(void);

/** Enters a range without a parent. Returns SUCCESS, BAD_PAR if the range overlaps a mapping, or
 * OUT_OF_MEMORY. */
enum nova_status mapping_insert(struct space *space, word_t first, word_t count, word_t source,
                                unsigned perms);

/** Enters the mapping of a UTCB. *out lives until mapping_remove_utcb(), even if the mapping leaves
 * its space earlier. */
enum nova_status mapping_insert_utcb(struct space *space, word_t sel, word_t frame,
                                     struct mapping **out);

/** Returns true if no mapping covers a selector, not even the mapping of a UTCB. */
bool mapping_is_free(struct space *space, word_t sel);

/** Returns the mapping of a selector as a CRD: its largest aligned range around the selector; 0 if
 *  there is no mapping. */
nova_crd_t mapping_lookup(struct space *space, word_t sel);

/** Finds the frame or port of a selector. Returns false if there is none, or if it is a UTCB. */
bool mapping_source(struct space *space, word_t sel, word_t *source);

/** Removes the mapping of a UTCB from its space, if it is still there, and unpins it. */
void mapping_remove_utcb(struct mapping *mapping);

/* A delegation in progress. Lives in the sending EC. */
struct delegation {
        struct space *source, *target;
        word_t from, to, count; /* ranges of selectors */
        word_t at;              /* number of selectors that are done */
        /* Selectors fill..fill_end - 1 of the target: their tables must still be written or, with
         * undo, their mappings must still be taken back. */
        word_t fill, fill_end;
        word_t gone;           /* with failed: first selector whose mapping may still be there */
        struct mapping *child; /* pinned: the mapping entered last, or one above it; or NULL */
        /* Memory and ports: revokes the mappings derived from a mapping that is being taken back.
         * Open only during such a revocation. */
        struct revocation *revocation;
        uint8_t perms, attr;
        bool failed;   /* no memory for a table: the mapping entered last is being taken back */
        bool undo;     /* the limit was exceeded: all mappings entered are being taken back */
        uint32_t left; /* 1 + bytes that the target's PD may still be charged; 0: no limit */
};

enum step_result { STEP_DONE, STEP_AGAIN, STEP_FAILED, STEP_REFUSED };

/** Returns the mask of the bits that give a selector's offset in a range. */
static inline word_t range_offset_bits(nova_crd_t range)
{
        return ~(~(word_t)0 << nova_crd_order(range));
}

/** Returns the selector of a range that has these offset bits. */
static inline word_t range_selector_in(nova_crd_t range, word_t offset)
{
        const word_t bits = range_offset_bits(range);

        return (nova_crd_base(range) & ~bits) | (offset & bits);
}

/** Delegates memory or ports if that is simple: one mapping covers the whole range, its place in
 * the target is free, and one step can write its entries. False: nothing has changed. In both cases
 * TLBs may have been flushed, and ECs may have ended. Uses only the fields source, target, from,
 * to, count, perms and attr. */
bool range_delegate(const struct delegation *delegation);

/** Delegates the range of a typed item from a PD to another through its window, if that is simple.
 *  attr: attributes of the mapping besides the attributes in the flags. Returns the CRD that the
 *  receiver sees; 0: refused, or not simple. */
nova_crd_t delegation_at_once(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                              nova_crd_t window, unsigned attr);

/** Begins a delegation in steps. Returns the CRD that the receiver sees; 0: refused. */
nova_crd_t delegation_begin(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                            nova_crd_t window, struct delegation *delegation);

/* Steps of delegations of memory or ports, and of objects. */
enum step_result range_delegation_step(struct delegation *delegation);
enum step_result object_delegation_step(struct delegation *delegation);

/** Returns true if a delegation of memory or ports has entered a mapping and must still write its
 * tables, or takes back its mappings because it exceeded its limit. An open delegation holds a
 * reference to the target's PD. */
static inline bool delegation_is_open(const struct delegation *delegation)
{
        return delegation->child || delegation->fill < delegation->fill_end;
}

/** Does a step of the work that ends an abandoned open delegation. Enters no further mapping. */
void delegation_finish_step(struct delegation *delegation);

/** Begins to take back all mappings that a delegation has entered. */
static inline void delegation_undo(struct delegation *delegation)
{
        delegation->undo = true;
        delegation->fill = delegation->fill_end = delegation->to;
}

/** Deducts bytes charged to the target from a delegation's limit. Returns false if the limit is
 * exceeded. */
static inline bool delegation_keeps_to_limit(struct delegation *delegation, word_t bytes)
{
        if (bytes >= delegation->left)
                return false;
        delegation->left -= (uint32_t)bytes;
        return true;
}

/** Does a step of a delegation. STEP_FAILED: kernel memory ran out. STEP_REFUSED: the delegation
 * exceeded its limit, and its mappings are gone, except mappings that another thread has delegated
 * further. */
static inline enum step_result delegation_step(struct delegation *delegation)
{
        return delegation->source->type == NOVA_CRD_OBJ ? object_delegation_step(delegation)
                                                        : range_delegation_step(delegation);
}

/* A revocation in progress. Lives in the revoking EC. */
struct revocation {
        struct space *space;
        word_t at, last;     /* first and last selectors that are left */
        word_t top_first;    /* first selector to revoke in the present top mapping */
        word_t top_last;     /* last selector to revoke in the present top mapping */
        word_t first_source; /* first source (frame or port) to revoke below top */
        word_t last_source;  /* last source to revoke below top */
        word_t sync;         /* first selector of pin whose tables must still be written */
        word_t sync_first;   /* first selector of pin whose pieces must still leave the space */
        word_t sync_last;    /* last selector for sync and sync_first */
        word_t cut_at;       /* source at which crossing mappings are being cut */
        word_t whole_last;   /* whole: last selector of the mapping that cannot be cut */
        word_t owed_end; /* mappings in at..owed_end - 1 may have lost all permissions; 0: none */
        /* Space of sync between two steps. The revocation holds a reference to the space's PD. */
        struct space *sync_space;
        struct mapping *loose; /* pinned mapping that nothing else holds any more, or NULL */
        union { /* the mapping visited last; NULL between two mappings of the space */
                struct mapping *pin;
                struct object_mapping *object_pin;
        };
        uint64_t since;      /* mapping_cuts when the walk began */
        uint64_t since_deep; /* mapping_cuts when the walk began again at depth_deep or deeper */
        uint16_t depth_deep;
        uint16_t depth;     /* depth of the top mapping, where the walk began */
        uint16_t top_depth; /* cutting, or takes: depth of the caller's mapping */
        uint8_t perms;      /* permissions to take away at present */
        uint8_t asked;      /* permissions that the caller revokes */
        bool self;          /* the caller's PD loses the permissions, too */
        bool cutting;       /* the next step cuts the mapping visited last, or one below it */
        bool takes;         /* the walk takes a mapping that is not cut, and all below it */
        bool syncs;         /* tables of the mapping visited last must still be written */
        bool leaves;   /* the mapping visited last leaves its space when its tables are clear */
        bool up;       /* all mappings below the mapping visited last are done */
        bool passes;   /* the walk does not go below the mapping visited last */
        bool rises;    /* the walk has ended; ancestors that nothing holds are freed */
        bool emptied;  /* the top mapping lost all permissions, and its tables are clear */
        bool whole;    /* a mapping of the caller cannot be cut, and all of it is revoked */
        bool given_up; /* the revoking EC has ended: nothing new begins */
};

/** Revokes permissions from the mappings derived from first..last of a space of memory or ports, if
 * that is simple. One mapping must cover the range. Each of its children in the range must lie
 * inside the range, lose all permissions and have no children. One step must suffice for all of
 * them. Returns false if a revocation must follow. In both cases TLBs may have been flushed, and
 * ECs may have ended. */
bool range_revoke(struct space *space, word_t first, word_t last, unsigned perms);

/** Begins a revocation of first..last. */
void revocation_begin(struct revocation *revocation, struct space *space, word_t first, word_t last,
                      unsigned perms, bool self);

/* Steps of revocations of memory or ports, and of objects. */
enum step_result range_revocation_step(struct revocation *revocation);
enum step_result object_revocation_step(struct revocation *revocation);

/** Does a step. Returns STEP_DONE or STEP_AGAIN. All CPUs' TLBs are up to date when it returns. */
static inline enum step_result revocation_step(struct revocation *revocation)
{
        return revocation->space->type == NOVA_CRD_OBJ ? object_revocation_step(revocation)
                                                       : range_revocation_step(revocation);
}

/** Returns true if a revocation has begun and not ended. A revocation that never began has neither
 * a pin nor owed_end. */
static inline bool revocation_is_open(const struct revocation *revocation)
{
        return (word_t)revocation->pin | revocation->owed_end;
}

/** Does a step of the work that ends an open revocation whose EC has ended. Returns true if no step
 *  is left. Mappings from which the revocation took all permissions leave their space, and the
 *  mappings derived from them are revoked. No other part of the revocation is begun. */
bool revocation_finish_step(struct revocation *revocation);

#endif
