/* SPDX-License-Identifier: BSD-2-Clause */
/* The regions of a program's addresses, sorted, and the search for free addresses.
 * Takes no lock and makes no hypercalls. */
#ifndef NOVA_ROOTTASK_REGION_MAP_H
#define NOVA_ROOTTASK_REGION_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define REGION_AREAS      3
#define REGION_NAME_BYTES 24
#define REGION_FIRST_ROOM 10
#define REGION_SEARCHES   4

enum region_kind {
        REGION_RESERVED, /* addresses only: windows, UTCBs, device memory */
        REGION_LAZY,     /* the pager maps pages on first touch */
        REGION_RINGS,    /* like LAZY, for pages that a service shares; the pager also replaces a
                          * page whose permission to write the service has revoked */
        REGION_STACK     /* like LAZY, with a guard page as first page */
};

struct region {
        uintptr_t base;
        size_t pages; /* including a stack's guard page */
        uint8_t kind;
        char name[REGION_NAME_BYTES];
};

struct region_area {
        uintptr_t begin, end;
};

/** The end of the last search for a size: there is no such free range in the areas before @c area,
 * nor below @c from in this area. */
struct region_search {
        size_t pages, align; /* in pages; 0: there was no search */
        unsigned area;
        uintptr_t from; /* may lie inside of a region of another size */
};

/** Sorted by base. novart_region_map_move() can replace the array by a larger one. */
struct region_map {
        struct region_area area[REGION_AREAS]; /* searched in this order */
        struct region *entry;
        size_t count, room;
        struct region_search search[REGION_SEARCHES]; /* for different sizes */
        unsigned last_search;                         /* index of the search that began last */
        struct region first[REGION_FIRST_ROOM];
};

/** Initialises a map without regions. */
void novart_region_map_init(struct region_map *map, const struct region_area area[REGION_AREAS]);

/** Finds free addresses and creates a region there.
 * @param pages not 0
 * @param align alignment in pages, a power of two
 * @return the region, valid until the map changes; NULL if there are no addresses or no room */
struct region *novart_region_map_add(struct region_map *map, size_t pages, size_t align,
                                     enum region_kind kind, const char *name);

/** Returns the region that contains an address, or NULL. Valid until the map changes. */
struct region *novart_region_map_find(struct region_map *map, uintptr_t addr);

/** Removes a region from the map. */
void novart_region_map_remove(struct region_map *map, struct region *region);

/** Reduces a region's size. @param pages not 0, at most the region's */
void novart_region_map_shrink(struct region_map *map, struct region *region, size_t pages);

/** Returns true if the next region needs a larger array. */
static inline bool region_map_full(const struct region_map *map)
{
        return map->count == map->room;
}

/** Moves the regions to a larger array.
 * @return the old array for the caller to free; NULL if the caller does not own it */
struct region *novart_region_map_move(struct region_map *map, struct region *entry, size_t room);

/** Sets a region's name, cut to the available room. NULL sets an empty name. */
void novart_region_set_name(struct region *region, const char *name);

#ifdef __cplusplus
}
#endif

#endif
