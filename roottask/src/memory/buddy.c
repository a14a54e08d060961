/* SPDX-License-Identifier: BSD-2-Clause */
/* The buddy allocator (see buddy.h). */
#include "memory/buddy.h"

#include <string.h>

/* Record of a page. The first page of a block records the block's state and order. All other pages
 * have RECORD_INSIDE. */
#define RECORD_INSIDE 0x00
#define RECORD_FREE   0x80
#define RECORD_TAKEN  0x40
/* Flag in any record: all bytes of the page are 0, except the links of a free block. */
#define RECORD_ZERO 0x20

static bool is_at(const struct buddy_zone *zone, size_t page, unsigned state)
{
        return (zone->record[page] & ~RECORD_ZERO) == state;
}

static void set_at(struct buddy_zone *zone, size_t page, unsigned state)
{
        zone->record[page] = (uint8_t)(state | (zone->record[page] & RECORD_ZERO));
}

static struct buddy_link *link_of(uintptr_t addr)
{
        return (struct buddy_link *)addr;
}

static uintptr_t addr_of(const struct buddy_zone *zone, size_t page)
{
        return zone->base + (page << NOVA_PAGE_BITS);
}

static void list_push(struct buddy *buddy, uintptr_t addr, unsigned order)
{
        struct buddy_link *link = link_of(addr);

        link->prev = NULL;
        link->next = buddy->list[order];
        if (link->next)
                link->next->prev = link;
        buddy->list[order] = link;
}

/* Removes a block from its list. Clears the links, so that a block of zeros contains only zeros
 * again. */
static void list_remove(struct buddy *buddy, uintptr_t addr, unsigned order)
{
        struct buddy_link *link = link_of(addr);

        if (link->prev)
                link->prev->next = link->next;
        else
                buddy->list[order] = link->next;
        if (link->next)
                link->next->prev = link->prev;
        *link = (struct buddy_link){NULL, NULL};
}

bool novart_buddy_add_zone(struct buddy *buddy, uintptr_t base, size_t pages)
{
        struct buddy_zone *zone = &buddy->zone[buddy->zones];

        if (buddy->zones == BUDDY_ZONES) {
                zone = &buddy->zone[0];
                for (unsigned i = 1; i < BUDDY_ZONES; i++)
                        if (buddy->zone[i].pages < zone->pages)
                                zone = &buddy->zone[i];
                if (zone->ready || zone->pages >= pages)
                        return false;
        } else {
                buddy->zones++;
        }
        *zone = (struct buddy_zone){base, pages, 0, NULL};
        return true;
}

struct buddy_zone *novart_buddy_zone_of(struct buddy *buddy, uintptr_t addr)
{
        for (unsigned i = 0; i < buddy->zones; i++) {
                struct buddy_zone *zone = &buddy->zone[i];

                if (addr >= zone->base && (addr - zone->base) >> NOVA_PAGE_BITS < zone->ready)
                        return zone;
        }
        return NULL;
}

void novart_buddy_extend(struct buddy_zone *zone, size_t pages, bool zero)
{
        memset(zone->record + zone->ready, zero ? RECORD_INSIDE | RECORD_ZERO : RECORD_INSIDE,
               pages);
        zone->ready += pages;
}

/* Adds a free block to its list after joining it with its free neighbours. */
static void insert(struct buddy *buddy, struct buddy_zone *zone, size_t page, unsigned order)
{
        const size_t first = zone->base >> NOVA_PAGE_BITS;

        buddy->free += (size_t)1 << order;
        for (; order + 1 < BUDDY_ORDERS; order++) {
                const size_t other = ((first + page) ^ (size_t)1 << order) - first;

                /* The offset of a buddy in front of the zone wraps around to a large number. */
                if (other >= zone->ready || !is_at(zone, other, RECORD_FREE | order))
                        break;
                list_remove(buddy, addr_of(zone, other), order);
                set_at(zone, page, RECORD_INSIDE);
                set_at(zone, other, RECORD_INSIDE);
                page = page < other ? page : other;
        }
        set_at(zone, page, RECORD_FREE | order);
        list_push(buddy, addr_of(zone, page), order);
}

void novart_buddy_give(struct buddy *buddy, struct buddy_zone *zone, size_t page, size_t count)
{
        const size_t first = zone->base >> NOVA_PAGE_BITS;

        while (count) {
                unsigned order = 0;

                while (order + 1 < BUDDY_ORDERS && !((first + page) & (size_t)1 << order) &&
                       count >> order > 1)
                        order++;
                insert(buddy, zone, page, order);
                page += (size_t)1 << order;
                count -= (size_t)1 << order;
        }
}

uintptr_t novart_buddy_take(struct buddy *buddy, unsigned order)
{
        unsigned from = order;

        while (from < BUDDY_ORDERS && !buddy->list[from])
                from++;
        if (from >= BUDDY_ORDERS)
                return 0;

        const uintptr_t addr = (uintptr_t)buddy->list[from];
        struct buddy_zone *zone = novart_buddy_zone_of(buddy, addr);
        const size_t page = (addr - zone->base) >> NOVA_PAGE_BITS;

        list_remove(buddy, addr, from);
        while (from > order) {
                const size_t half = page + ((size_t)1 << --from);

                set_at(zone, half, RECORD_FREE | from);
                list_push(buddy, addr_of(zone, half), from);
        }
        set_at(zone, page, RECORD_TAKEN | order);
        buddy->free -= (size_t)1 << order;
        return addr;
}

bool novart_buddy_free(struct buddy *buddy, uintptr_t addr, unsigned order)
{
        struct buddy_zone *zone = novart_buddy_zone_of(buddy, addr);
        const size_t page = zone ? (addr - zone->base) >> NOVA_PAGE_BITS : 0;

        if (!zone || order >= BUDDY_ORDERS || addr % NOVA_PAGE_SIZE ||
            !is_at(zone, page, RECORD_TAKEN | order))
                return false;
        memset(zone->record + page, RECORD_INSIDE, (size_t)1 << order);
        insert(buddy, zone, page, order);
        return true;
}

void novart_buddy_split(struct buddy *buddy, uintptr_t addr, unsigned order)
{
        struct buddy_zone *zone = novart_buddy_zone_of(buddy, addr);
        const size_t page = (addr - zone->base) >> NOVA_PAGE_BITS;

        for (size_t i = 0; i < (size_t)1 << order; i++)
                set_at(zone, page + i, RECORD_TAKEN);
}

size_t novart_buddy_next_used(const struct buddy_zone *zone, size_t page, size_t end, size_t *count)
{
        size_t after;

        while (page < end && zone->record[page] & RECORD_ZERO)
                page++;
        for (after = page; after < end && !(zone->record[after] & RECORD_ZERO);)
                after++;
        *count = after - page;
        return page;
}
