/* SPDX-License-Identifier: BSD-2-Clause */
/* Object spaces (see object_space.h). The frame_info of a table counts its entries. An empty table
 * is unlinked and freed after a grace period, because other CPUs may be reading it. */
#include "space/object_space.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "object/pd.h"
#include "object/reclaim.h"
#include "space/object_mapping.h"

_Static_assert(sizeof(struct capability_page) == PAGE_SIZE, "a table is a frame");

/* Tables to which absent parts of all object spaces point. */
static struct {
        struct capability_page *page;
        struct capability_page **middle;
        struct capability_page ***top;
} null_tables;

bool object_space_boot(void)
{
        object_mapping_init();
        null_tables.page = frame_alloc_zeroed();
        null_tables.middle = frame_alloc();
        null_tables.top = frame_alloc_zeroed();
        if (!null_tables.page || !null_tables.middle || !null_tables.top)
                return false;
        frame_info(null_tables.page)->used = 0;
        for (unsigned i = 0; i < RADIX_SLOTS; i++)
                null_tables.middle[i] = null_tables.page;
        for (unsigned i = 0; i < RADIX_TOP_SLOTS; i++)
                null_tables.top[i] = null_tables.middle;
        return true;
}

void object_space_init(struct object_space *space, struct pd *pd)
{
        space_init(&space->space, NOVA_CRD_OBJ, pd);
        space->top = null_tables.top;
        space->first = null_tables.middle;
}

bool object_space_is_empty(const struct object_space *space)
{
        return space->first == null_tables.middle && space->top == null_tables.top;
}

/* Makes a frame a copy of an empty table. */
static void *object_space_table_init(void *table, const void *empty)
{
        memcpy(table, empty, PAGE_SIZE);
        frame_info(table)->used = 0;
        return table;
}

static void object_space_table_free(struct pd *pd, void *table)
{
        assert(!frame_info(table)->used);
        account_return(pd->account, PAGE_SIZE);
        reclaim_frame(table);
}

/* Returns the pointer to the table of pages that serves a selector. */
static struct capability_page ***object_space_middle_of(struct object_space *space, word_t sel)
{
        return sel < RADIX_FIRST ? &space->first
                                 : &space->top[sel >> (RADIX_BITS + CAPABILITY_BITS)];
}

/* Frees the empty tables on the path to a selector. */
static __attribute__((noinline)) void object_space_prune(struct object_space *space, word_t sel)
{
        struct pd *pd = space->space.pd;
        struct capability_page ***middle = object_space_middle_of(space, sel), **pages = *middle;
        struct capability_page **page = &pages[sel >> CAPABILITY_BITS & (RADIX_SLOTS - 1)];
        struct capability_page *const old_page = *page, ***const old_top = space->top;

        if (old_page != null_tables.page) {
                if (frame_info(old_page)->used)
                        return;
                store_once(*page, null_tables.page);
                object_space_table_free(pd, old_page);
                frame_info(pages)->used--;
        }
        if (pages != null_tables.middle) {
                if (frame_info(pages)->used)
                        return;
                store_once(*middle, null_tables.middle);
                object_space_table_free(pd, pages);
                if (sel >= RADIX_FIRST)
                        frame_info(old_top)->used--;
        }
        if (old_top == null_tables.top || frame_info(old_top)->used)
                return;
        store_once(space->top, null_tables.top);
        object_space_table_free(pd, old_top);
}

/* Allocates frames for new tables and charges them to the PD. Takes all or none: frames of tables
 * that no selector needs would wait for a grace period, and no account would pay for them. */
static bool object_space_take_frames(struct pd *pd, void **frames, unsigned count)
{
        if (!account_charge(pd->account, (word_t)count << PAGE_BITS))
                return false;
        for (unsigned i = 0; i < count; i++) {
                frames[i] = frame_alloc();
                if (frames[i])
                        continue;
                while (i)
                        frame_free(frames[--i]);
                account_return(pd->account, (word_t)count << PAGE_BITS);
                return false;
        }
        pd->object_space.space.charged += (word_t)count << PAGE_BITS;
        return true;
}

/* Creates the tables for a selector. NULL: no memory. */
static struct capability_page *object_space_page_create(struct object_space *space, word_t sel)
{
        struct capability_page ***middle = object_space_middle_of(space, sel), **pages = *middle;
        const bool no_top = sel >= RADIX_FIRST && space->top == null_tables.top;
        const bool no_middle = pages == null_tables.middle;
        void *frames[3], **frame = frames;

        if (!object_space_take_frames(space->space.pd, frames, 1u + no_middle + no_top))
                return NULL;
        if (no_top) {
                store_once(space->top, object_space_table_init(*frame++, null_tables.top));
                middle = object_space_middle_of(space, sel);
        }
        if (no_middle) {
                pages = object_space_table_init(*frame++, null_tables.middle);
                store_once(*middle, pages);
                if (sel >= RADIX_FIRST)
                        frame_info(space->top)->used++;
        }
        struct capability_page *page = object_space_table_init(*frame, null_tables.page);

        store_once(pages[sel >> CAPABILITY_BITS & (RADIX_SLOTS - 1)], page);
        frame_info(pages)->used++;
        return page;
}

static word_t object_space_capability_of(const struct object_mapping *mapping)
{
        return mapping->perms ? (word_t)mapping->object | mapping->perms : 0;
}

struct capability_page *object_space_page_for(struct object_space *space, word_t sel)
{
        struct capability_page *page = object_space_page(space, sel);

        return page == null_tables.page ? object_space_page_create(space, sel) : page;
}

void object_space_update(const struct object_mapping *mapping)
{
        struct capability_page *page = object_space_page(mapping->space, mapping->sel);

        assert_held(&space_lock[NOVA_CRD_OBJ]);
        assert(page->mapping[mapping->sel & (CAPABILITY_SLOTS - 1)] == mapping);
        store_once(page->capability[mapping->sel & (CAPABILITY_SLOTS - 1)],
                   object_space_capability_of(mapping));
}

void object_space_leave(const struct object_mapping *mapping)
{
        const word_t sel = mapping->sel, slot = sel & (CAPABILITY_SLOTS - 1);
        struct capability_page *page = object_space_page(mapping->space, sel);

        assert_held(&space_lock[NOVA_CRD_OBJ]);
        assert(page->mapping[slot] == mapping && frame_info(page)->used);
        store_once(page->capability[slot], 0);
        page->mapping[slot] = NULL;
        if (unlikely(!--frame_info(page)->used))
                object_space_prune(mapping->space, sel);
}

/* Returns the first selector after the range of the absent table to which a selector belongs. */
static word_t object_space_behind_absent(const struct object_space *space, word_t sel)
{
        if (sel >= RADIX_FIRST && space->top == null_tables.top)
                return (word_t)1 << NOVA_SEL_ORDER;

        struct capability_page **pages =
                sel < RADIX_FIRST ? space->first
                                  : space->top[sel >> (RADIX_BITS + CAPABILITY_BITS)];
        return (sel | (pages == null_tables.middle ? RADIX_FIRST - 1 : CAPABILITY_SLOTS - 1)) + 1;
}

struct object_mapping *object_space_search(const struct object_space *space, word_t *sel,
                                           word_t end, unsigned *budget)
{
        word_t at = *sel;
        struct object_mapping *mapping = NULL;

        for (; at < end && *budget; --*budget) {
                const struct capability_page *page = object_space_page(space, at);
                mapping = page->mapping[at & (CAPABILITY_SLOTS - 1)];
                if (mapping)
                        break;
                at = page == null_tables.page ? object_space_behind_absent(space, at) : at + 1;
        }
        *sel = at;
        return mapping;
}
