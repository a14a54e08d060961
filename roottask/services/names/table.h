/* SPDX-License-Identifier: BSD-2-Clause */
/* Names under which programs publish capabilities: who owns each, and with what rights it goes on.
 */
#ifndef NOVART_NAMES_TABLE_H
#define NOVART_NAMES_TABLE_H

#include <stdbool.h>

#include "nova/abi/types.h"

#define NAMES_LENGTH 31 /* longest name */

/* One published name. */
struct name_entry {
        char name[NAMES_LENGTH + 1]; /* empty: the entry is free */
        const void *owner;           /* the publisher's session */
        nova_sel_t sel;              /* first of 2^order capabilities */
        unsigned order;
        unsigned perms; /* what others get at most */
};

struct name_table {
        struct name_entry *entries;
        unsigned max;
        unsigned owner_max; /* names of one publisher */
};

/* True if @p name has 1 to NAMES_LENGTH characters: letters, digits, '.', '-', '_' and '/'. */
bool name_valid(const char *name);

/* Add an entry. 0, or EINVAL: no valid name; EEXIST: taken; EDQUOT: the owner has as many as it
 * may; ENOSPC: the table is full. @p added is the entry, to be filled. */
int name_add(struct name_table *table, const char *name, const void *owner,
             struct name_entry **added);

/* The entry of a name, or NULL. */
struct name_entry *name_find(const struct name_table *table, const char *name);

/* Any entry of an owner, or NULL: for taking all away when the owner goes. */
struct name_entry *name_of_owner(const struct name_table *table, const void *owner);

/* Make an entry free. What lies at its selectors is the caller's to release before. */
void name_remove(struct name_entry *entry);

#endif
