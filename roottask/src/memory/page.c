/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of the pool. A child's pool is complete from the start. A root's zones are the free RAM,
 * each at NOVA_LAYOUT_POOL + physical address, which the runtime requests from the kernel piece by
 * piece. */
#include "memory/page.h"

#include <errno.h>

#include "memory/buddy.h"
#include "memory/clear.h"
#include "memory/mapper.h"
#include "nova/crd.h"
#include "nova/hip.h"
#include "novart/layout.h"
#include "novart/selector.h"
#include "selector/lock.h"

/* Firmware tables and video memory lie below this address; the runtime does not use that RAM. */
#define RAM_BEGIN 0x100000

/* A request for RAM has at least this number of pages, and at least a fourth of the zone's present
 * pages. */
#define STEP_PAGES 1024

/* Page numbers in the pool have 32 bits (memory/commit_table.h). */
#define POOL_BYTES_MAX (((uint64_t)UINT32_MAX - 1) << NOVA_PAGE_BITS)

static struct buddy buddy;
static struct lock lock;
static size_t total;

void *novart_page_spare(size_t bytes)
{
        static size_t used;
        const struct nova_start_page *const start = nova_program.start;

        if (!start)
                return NULL;

        const size_t end = (size_t)start->pages * NOVA_PAGE_SIZE;
        const size_t offset = (start->spare + used + 7) & ~(size_t)7;

        if (offset > end || bytes > end - offset)
                return NULL;
        used = offset + bytes - start->spare;
        return (char *)start + offset;
}

static size_t record_pages(const struct buddy_zone *zone)
{
        return (zone->pages + NOVA_PAGE_SIZE - 1) / NOVA_PAGE_SIZE;
}

/* A zone's record lies in its first pages. */
static void first_pages(struct buddy_zone *zone)
{
        zone->record = (uint8_t *)zone->base;
        novart_buddy_extend(zone, record_pages(zone), false);
}

static void start_child(const struct nova_start_page *start)
{
        total = start->pool_bytes / NOVA_PAGE_SIZE;
        if (!total || !novart_buddy_add_zone(&buddy, start->pool, total))
                return;

        struct buddy_zone *const zone = &buddy.zone[0];
        size_t used = 0;

        zone->record = novart_page_spare(zone->pages);
        if (!zone->record) {
                used = record_pages(zone);
                first_pages(zone);
        }
        novart_buddy_extend(zone, zone->pages - used, true); /* the parent has cleared them */
        total -= used + !!start->stack[0] + !!start->stack[1];
        novart_buddy_give(&buddy, zone, used, total);
}

static void start_root(const struct nova_hip *hip)
{
        uint64_t cursor = RAM_BEGIN, addr, size, room = NOVA_LAYOUT_POOL_END - NOVA_LAYOUT_POOL;

        if (room > POOL_BYTES_MAX)
                room = POOL_BYTES_MAX;
        while (nova_hip_next_free(hip, &cursor, &addr, &size) && addr < room) {
                if (size > room - addr)
                        size = room - addr;
                if (size >= 2 * NOVA_PAGE_SIZE)
                        novart_buddy_add_zone(&buddy, NOVA_LAYOUT_POOL + (nova_word_t)addr,
                                              (size_t)(size >> NOVA_PAGE_BITS));
        }
        for (unsigned i = 0; i < buddy.zones; i++)
                total += buddy.zone[i].pages - record_pages(&buddy.zone[i]);
}

int novart_page_start(void)
{
        const nova_sel_t sm = nova_sel_alloc(0);

        if (sm == NOVA_SEL_NONE || lock_init(&lock, sm, nova_program.pd) != NOVA_SUCCESS)
                return EAGAIN;
        if (nova_program_is_root())
                start_root(nova_program.hip);
        else
                start_child(nova_program.start);
        return 0;
}

/* Requests [ready, end) of a root's zone, and adds the pages that arrive. Returns false if some did
 * not arrive. */
static bool request(struct buddy_zone *zone, size_t end)
{
        const nova_word_t first = zone->base >> NOVA_PAGE_BITS;
        const nova_word_t pool = NOVA_LAYOUT_POOL >> NOVA_PAGE_BITS;
        struct nova_crd_range range = {NOVA_CRD_MEM, NOVA_MEM_R | NOVA_MEM_W,
                                       first - pool + zone->ready, first + zone->ready,
                                       end - zone->ready};
        nova_crd_t crd;
        nova_sel_t to;

        while (nova_crd_next(&range, &crd, &to)) {
                const size_t page = zone->ready, count = nova_crd_count(crd);

                if (novart_mapper_request(crd, to))
                        return false;
                novart_buddy_extend(zone, count, false);
                novart_buddy_give(&buddy, zone, page, count);
        }
        return true;
}

/* Makes the record's memory available. */
static bool request_record(struct buddy_zone *zone)
{
        const nova_word_t first = zone->base >> NOVA_PAGE_BITS;
        struct nova_crd_range range = {NOVA_CRD_MEM, NOVA_MEM_R | NOVA_MEM_W,
                                       first - (NOVA_LAYOUT_POOL >> NOVA_PAGE_BITS), first,
                                       record_pages(zone)};
        nova_crd_t crd;
        nova_sel_t to;

        while (nova_crd_next(&range, &crd, &to))
                if (novart_mapper_request(crd, to))
                        return false;
        first_pages(zone);
        return true;
}

/* Requests RAM of a zone, enough for a block of 2^order pages if the zone has such a block. */
static bool grow(struct buddy_zone *zone, unsigned order)
{
        const size_t first = zone->base >> NOVA_PAGE_BITS, size = (size_t)1 << order;

        if (!zone->record && !request_record(zone))
                return false;
        if (zone->ready >= zone->pages)
                return false;

        const size_t step = zone->ready / 4 > STEP_PAGES ? zone->ready / 4 : STEP_PAGES;
        const size_t block = ((first + zone->ready + size - 1) & ~(size - 1)) + size - first;
        size_t end = (first + zone->ready + step) / STEP_PAGES * STEP_PAGES - first;

        if (end < block)
                end = block;
        return request(zone, end < zone->pages ? end : zone->pages);
}

static uintptr_t take(unsigned order)
{
        uintptr_t addr = novart_buddy_take(&buddy, order);

        if (order >= BUDDY_ORDERS || !nova_program_is_root())
                return addr;
        for (unsigned i = 0; i < buddy.zones && !addr; i++)
                while (!addr && grow(&buddy.zone[i], order))
                        addr = novart_buddy_take(&buddy, order);
        return addr;
}

/* Clears the pages of a block that are not zero yet. */
static void clear_used(const struct buddy_zone *zone, uintptr_t block, unsigned order)
{
        size_t page = (block - zone->base) >> NOVA_PAGE_BITS, count;
        const size_t end = page + ((size_t)1 << order);

        while ((page = novart_buddy_next_used(zone, page, end, &count)) < end) {
                novart_clear_pages((void *)(zone->base + (page << NOVA_PAGE_BITS)), count);
                page += count;
        }
}

static void *take_zeroed(unsigned order, bool split)
{
        const struct buddy_zone *zone = NULL;

        lock_take(&lock);

        const uintptr_t block = take(order);

        if (block)
                zone = novart_buddy_zone_of(&buddy, block);
        if (block && split)
                novart_buddy_split(&buddy, block, order);
        lock_drop(&lock);
        if (block)
                clear_used(zone, block, order);
        return (void *)block;
}

void *novart_page_take(unsigned order)
{
        return take_zeroed(order, false);
}

void *novart_page_take_split(unsigned order)
{
        return take_zeroed(order, true);
}

void novart_page_give(void *page, unsigned order)
{
        lock_take(&lock);

        const bool given = novart_buddy_free(&buddy, (uintptr_t)page, order);

        lock_drop(&lock);
#ifdef NOVA_DEBUG
        if (!given)
                __builtin_trap();
#else
        (void)given;
#endif
}

size_t novart_page_total(void)
{
        return total;
}

int novart_page_physical(const void *page, uint64_t *phys)
{
        const struct nova_start_page *const start = nova_program.start;

        if (start && !(start->flags & NOVA_START_DMA))
                return EPERM;
        *phys = start ? start->pool_phys + ((uintptr_t)page - start->pool)
                      : (uintptr_t)page - NOVA_LAYOUT_POOL;
        return 0;
}

void *nova_page_alloc(unsigned order)
{
        novart_lock_touch_stack();
        return novart_page_take(order);
}

void nova_page_free(void *page, unsigned order)
{
        novart_lock_touch_stack();
        novart_page_give(page, order);
}

size_t nova_page_free_count(void)
{
        size_t count;

        novart_lock_touch_stack();
        lock_take(&lock);
        count = buddy.free;
        for (unsigned i = 0; i < buddy.zones; i++) {
                const struct buddy_zone *const zone = &buddy.zone[i];
                const size_t ready = zone->record ? zone->ready : record_pages(zone);

                count += zone->pages - ready;
        }
        lock_drop(&lock);
        return count;
}
