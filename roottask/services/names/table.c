/* SPDX-License-Identifier: BSD-2-Clause */
/* Names under which programs publish capabilities. */
#include "table.h"

#include <errno.h>
#include <string.h>

static bool name_character(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_' || c == '/';
}

bool name_valid(const char *name)
{
        size_t length = 0;

        for (; name[length]; length++)
                if (length == NAMES_LENGTH || !name_character(name[length]))
                        return false;
        return length > 0;
}

struct name_entry *name_find(const struct name_table *table, const char *name)
{
        for (unsigned i = 0; i < table->max && name[0]; i++)
                if (!strcmp(table->entries[i].name, name))
                        return &table->entries[i];
        return NULL;
}

struct name_entry *name_of_owner(const struct name_table *table, const void *owner)
{
        for (unsigned i = 0; i < table->max; i++)
                if (table->entries[i].name[0] && table->entries[i].owner == owner)
                        return &table->entries[i];
        return NULL;
}

int name_add(struct name_table *table, const char *name, const void *owner,
             struct name_entry **added)
{
        struct name_entry *room = NULL;
        unsigned owned = 0;

        if (!name_valid(name))
                return EINVAL;
        if (name_find(table, name))
                return EEXIST;
        for (unsigned i = 0; i < table->max; i++) {
                struct name_entry *entry = &table->entries[i];

                if (!entry->name[0])
                        room = room ? room : entry;
                else
                        owned += entry->owner == owner;
        }
        if (owned >= table->owner_max)
                return EDQUOT;
        if (!room)
                return ENOSPC;
        memset(room, 0, sizeof(*room));
        memcpy(room->name, name, strlen(name));
        room->owner = owner;
        *added = room;
        return 0;
}

void name_remove(struct name_entry *entry)
{
        memset(entry, 0, sizeof(*entry));
}
