/* SPDX-License-Identifier: BSD-2-Clause */
/* A space of a PD: its capabilities of one type, as mappings ordered by selector. */
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

/* What follows a space's mappings, so that a PD or a CPU sees them. */
enum space_tables {
        SPACE_PAGES,      /* memory: the page table */
        SPACE_ALL_TABLES, /* memory: the page table and second-level tables */
        SPACE_PORTS,      /* the I/O bitmap */
        SPACE_NO_TABLES,  /* nothing: objects, and the kernel's spaces, which are sources only */
};

struct space {
        struct tree tree;         /* mappings by selector; never overlap; not of objects */
        struct tree_node *recent; /* the one of these that was found last, or NULL */
        struct pd *pd;
        word_t charged; /* bytes that its tables and long delegations ever took; may wrap */
        uint8_t type;   /* NOVA_CRD_MEM, _IO or _OBJ */
        uint8_t tables; /* enum space_tables */
};

/* One lock for all spaces of a type and the trees of derivation between them; held for one step of
 * a long operation at most. Taken before the slab and frame locks; never two at a time. */
extern struct spinlock space_lock[4];

/** Prepares an empty space. */
void space_init(struct space *space, unsigned type, struct pd *pd);

/** Number of selectors that a space of a type has. */
word_t space_limit(unsigned type);

/** Makes the tables (page tables, I/O bitmap) agree with a mapping of a few selectors. One without
 *  permissions is cleared. false: no memory for a table. Giving fewer rights never fails. */
bool space_apply(const struct mapping *mapping, struct flush *flush);

/** The same with any mapping, from selector *at on, for about *budget entries; *at and *budget tell
 *  how far it came. */
bool space_apply_from(const struct mapping *mapping, word_t *at, unsigned *budget,
                      struct flush *flush);

/** Makes sure that the tables can tell selector x from x - 1 (splits large pages). false: no
 *  memory. */
bool space_split(struct space *space, word_t x, struct flush *flush);

#endif
