/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubly linked rings with a head. The links of an entry that is in no list are invalid, unless
 * list_init() or list_remove() has linked the entry to itself. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
        struct list *next, *prev;
};

static inline void list_init(struct list *list)
{
        list->next = list->prev = list;
}

static inline bool list_is_empty(const struct list *list)
{
        return list->next == list;
}

/** Puts entry at the end of the list with this head. */
static inline void list_append(struct list *head, struct list *entry)
{
        entry->next = head;
        entry->prev = head->prev;
        head->prev->next = entry;
        head->prev = entry;
}

/** Makes entry the only entry of the list with this head, which is empty. */
static inline void list_set(struct list *head, struct list *entry)
{
        entry->next = entry->prev = head;
        head->next = head->prev = entry;
}

/** Moves all entries of a list that is not empty to the end of the list with this head. */
static inline void list_append_all(struct list *head, struct list *from)
{
        from->next->prev = head->prev;
        head->prev->next = from->next;
        from->prev->next = head;
        head->prev = from->prev;
        list_init(from);
}

/** Takes entry out of its list. Its own links are invalid afterwards. */
static inline void list_unlink(const struct list *entry)
{
        entry->next->prev = entry->prev;
        entry->prev->next = entry->next;
}

/** Takes the first entry out of the list with this head, which is not empty. The entry's own links
 * are invalid afterwards. */
static inline struct list *list_take(struct list *head)
{
        struct list *first = head->next, *next = first->next;

        head->next = next;
        next->prev = head;
        return first;
}

/** Takes entry out of its list and links it to itself. */
static inline void list_remove(struct list *entry)
{
        list_unlink(entry);
        list_init(entry);
}

#endif
