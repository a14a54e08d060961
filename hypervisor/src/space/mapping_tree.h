/* SPDX-License-Identifier: BSD-2-Clause */
/* What delegation and revocation share inside the mapping database. Under the space_lock. */
#ifndef SPACE_MAPPING_TREE_H
#define SPACE_MAPPING_TREE_H

#include "space/mapping.h"

struct flush;

/** An empty mapping, in no tree, charged to an account; NULL: no memory, or too deep. */
struct mapping *mapping_alloc(struct account *account, unsigned depth);

/** Frees a mapping that is in no tree. */
void mapping_free(struct mapping *mapping);

/** The mapping that a mapping was delegated from; NULL for the first. */
struct mapping *mapping_parent(struct mapping *mapping);

/** Takes all permissions: the mapping leaves its space and tables. */
void mapping_detach(struct mapping *mapping, struct flush *flush);

/** Frees a detached mapping unless it has children or is pinned. */
void mapping_release(struct mapping *mapping);

/** Detaches and releases. */
void mapping_drop(struct mapping *mapping, struct flush *flush);

/** Cuts a mapping into two at boundary x of what it maps; no child crosses x. false: no memory. */
bool mapping_cut(struct mapping *mapping, word_t x);

#endif
