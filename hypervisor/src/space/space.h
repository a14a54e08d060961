/* SPDX-License-Identifier: BSD-2-Clause */
/* A space of a PD: the PD's capabilities of one type, as mappings ordered by selector. */
#ifndef SPACE_SPACE_H
#define SPACE_SPACE_H

#include "lib/spinlock.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "nova/abi/crd.h"
#include "nova/abi/status.h"

struct flush;
struct mapping;
struct pd;

/* The hardware tables that must agree with a space's mappings. */
enum space_tables {
        SPACE_PAGES,      /* memory: the page table */
        SPACE_ALL_TABLES, /* memory: the page table and second-level tables */
        SPACE_PORTS,      /* the I/O bitmap */
        SPACE_NO_TABLES,  /* none: objects, and the kernel's spaces, which are only sources */
};

struct space {
        struct tree tree;         /* mappings by selector, without overlaps; unused for objects */
        struct tree_node *recent; /* the mapping of tree that was found last, or NULL */
        struct pd *pd;
        word_t charged; /* bytes charged so far for the space's tables and long delegations; may
                         * wrap */
        uint8_t type;   /* NOVA_CRD_MEM, _IO or _OBJ */
        uint8_t tables; /* enum space_tables */
};

/* One lock for all spaces of a type and the trees of derivation between them. Held for at most one
 * step of a long operation. Taken before the slab and frame locks. A CPU never holds two of
 * them. */
extern struct spinlock space_lock[4];

/** Prepares an empty space. */
void space_init(struct space *space, unsigned type, struct pd *pd);

/** Returns the number of selectors of a space of a type. */
word_t space_limit(unsigned type);

/** Writes the tables (page tables, I/O bitmap) for a mapping of a few selectors; clears them for a
 *  mapping without permissions, which never fails. false: no memory for a table. */
bool space_apply(const struct mapping *mapping, struct flush *flush);

/** Does space_apply() for a mapping of any size, beginning at selector *at, for about *budget
 * entries. Sets *at to the next selector and *budget to the rest. */
bool space_apply_from(const struct mapping *mapping, word_t *at, unsigned *budget,
                      struct flush *flush);

/** Does space_apply_from() for a mapping that has lost some, but not all permissions. Changes only
 * tables that exist, so it needs no memory: where there is no table yet, a delegation in progress
 * must still write the tables, with the permissions that are left. */
void space_reduce_from(const struct mapping *mapping, word_t *at, unsigned *budget,
                       struct flush *flush);

/** Splits large pages so that the tables can treat selectors x and x - 1 differently, and spends
 * the entries of the new tables. false: no memory. */
bool space_split(struct space *space, word_t x, unsigned *budget, struct flush *flush);

#endif
