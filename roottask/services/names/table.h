/* SPDX-License-Identifier: BSD-2-Clause */
/* Names under which programs publish capabilities: the owner of each name, and the permissions that
 * other programs get. */
#ifndef NOVART_NAMES_TABLE_H
#define NOVART_NAMES_TABLE_H

#include <stdbool.h>

#include "nova/abi/types.h"

#define NAMES_LENGTH 31 /* maximum length of a name */

/* One published name. */
struct name_entry {
        char name[NAMES_LENGTH + 1]; /* empty: the entry is free */
        const void *owner;           /* session of the publisher */
        nova_sel_t sel;              /* first of 2^order capabilities */
        unsigned order;
        unsigned perms; /* maximum permissions of other programs */
};

struct name_table {
        struct name_entry *entries;
        unsigned max;
        unsigned owner_max; /* maximum number of names of one publisher */
};

/* Returns true if @p name has 1 to NAMES_LENGTH characters: letters, digits, '.', '-', '_' and
 * '/'. */
bool name_valid(const char *name);

/* Adds an entry, @p added, which the caller fills in. Returns 0, or EINVAL: invalid name; EEXIST:
 * name taken; EDQUOT: the owner has reached its limit; ENOSPC: the table is full. */
int name_add(struct name_table *table, const char *name, const void *owner,
             struct name_entry **added);

/* Returns the entry of a name, or NULL. */
struct name_entry *name_find(const struct name_table *table, const char *name);

/* Returns any entry of an owner, or NULL. Repeated calls find all entries to remove when the owner
 * ends. */
struct name_entry *name_of_owner(const struct name_table *table, const void *owner);

/* Frees an entry. The caller has released its selectors. */
void name_remove(struct name_entry *entry);

#endif
