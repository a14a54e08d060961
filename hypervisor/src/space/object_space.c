/* SPDX-License-Identifier: BSD-2-Clause */
/* Object spaces (see object_space.h). Tables count their entries in their frames' notes; an empty
 * one is unlinked and freed after a grace period, for others may be reading it. */
#include "space/object_space.h"

#include "lib/string.h"
#include "memory/frame.h"
#include "memory/slab.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "object/sm.h"
#include "space/mapping.h"

/* What absent parts of all object spaces point at. */
static word_t *null_page;
static word_t **null_middle;
static word_t ***null_top;

/* Top tables, which are small and stay as long as their space. */
static struct slab_cache top_cache;

bool object_space_boot(void)
{
        null_page = frame_alloc_zeroed();
        null_middle = frame_alloc();
        slab_init(&top_cache, RADIX_TOP_SLOTS * sizeof(*null_top));
        null_top = slab_alloc(&top_cache);
        if (!null_page || !null_middle || !null_top)
                return false;
        for (unsigned i = 0; i < RADIX_SLOTS; i++)
                null_middle[i] = null_page;
        for (unsigned i = 0; i < RADIX_TOP_SLOTS; i++)
                null_top[i] = null_middle;
        return true;
}

void object_space_init(struct object_space *space, struct pd *pd)
{
        space_init(&space->space, NOVA_CRD_OBJ, pd);
        space->top = null_top;
        space->first = null_middle;
}

void object_space_fini(struct object_space *space)
{
        if (space->top == null_top)
                return;
        account_return(space->space.pd->account, top_cache.size);
        slab_free(&top_cache, space->top);
}

static word_t ***top_create(struct pd *pd)
{
        if (!account_charge(pd->account, top_cache.size))
                return NULL;

        word_t ***const top = slab_alloc(&top_cache);
        if (!top) {
                account_return(pd->account, top_cache.size);
                return NULL;
        }
        memcpy(top, null_top, RADIX_TOP_SLOTS * sizeof(*null_top));
        return top;
}

/* A new table, filled with entries that are a copy of the empty one. */
static void *table_create(struct pd *pd, const void *empty, size_t bytes)
{
        if (!account_charge(pd->account, PAGE_SIZE))
                return NULL;

        void *table = frame_alloc();
        if (!table) {
                account_return(pd->account, PAGE_SIZE);
                return NULL;
        }
        memcpy(table, empty, bytes);
        frame_info(table)->used = 0;
        return table;
}

static void table_free(struct pd *pd, void *table)
{
        account_return(pd->account, PAGE_SIZE);
        reclaim_frame(table);
}

static void count(const void *table, int change)
{
        struct frame_info *info = frame_info(table);

        info->used = (uint16_t)(info->used + change);
}

/* Writes a capability where all tables exist; frees those that become empty, but for the top. */
static void slot_write(struct pd *pd, word_t sel, word_t capability)
{
        struct object_space *space = &pd->object_space;
        const word_t top_slot = sel >> 2 * RADIX_BITS & (RADIX_TOP_SLOTS - 1);
        const word_t middle_slot = sel >> RADIX_BITS & (RADIX_SLOTS - 1);
        word_t **middle = space->top[top_slot];
        word_t *page = middle[middle_slot];
        word_t *slot = &page[sel & (RADIX_SLOTS - 1)];

        if (page == null_page)
                return;
        count(page, !!capability - !!*slot);
        store_once(*slot, capability);
        if (frame_info(page)->used)
                return;
        store_once(middle[middle_slot], null_page);
        table_free(pd, page);
        count(middle, -1);
        if (frame_info(middle)->used)
                return;
        store_once(space->top[top_slot], null_middle);
        if (!top_slot)
                store_once(space->first, null_middle);
        table_free(pd, middle);
}

/* Makes the tables for a selector. false: no memory; those that were made stay, empty. */
static bool tables_create(struct pd *pd, word_t sel)
{
        struct object_space *space = &pd->object_space;
        const word_t slot = sel >> 2 * RADIX_BITS & (RADIX_TOP_SLOTS - 1);
        const word_t middle_slot = sel >> RADIX_BITS & (RADIX_SLOTS - 1);

        if (space->top == null_top) {
                word_t ***top = top_create(pd);
                if (!top)
                        return false;
                store_once(space->top, top);
        }
        word_t **middle = space->top[slot];
        const bool fresh = middle == null_middle;
        if (fresh) {
                middle = table_create(pd, null_middle, RADIX_SLOTS * sizeof(*null_middle));
                if (!middle)
                        return false;
        }
        if (middle[middle_slot] == null_page) {
                word_t *page = table_create(pd, null_page, RADIX_SLOTS * sizeof(*null_page));
                if (!page) {
                        if (fresh)
                                table_free(pd, middle);
                        return false;
                }
                store_once(middle[middle_slot], page);
                count(middle, 1);
        }
        store_once(space->top[slot], middle);
        if (!slot)
                store_once(space->first, middle);
        return true;
}

bool object_space_apply(const struct mapping *mapping)
{
        const word_t sel = mapping->in_space.start;
        struct pd *pd = mapping->space->pd;

        if (!mapping->perms)
                slot_write(pd, sel, 0);
        else if (!tables_create(pd, sel))
                return false;
        else
                slot_write(pd, sel, (word_t)mapping->object | mapping->perms);
        return true;
}

enum nova_status object_space_insert(struct pd *pd, word_t sel, struct kobject *object,
                                     unsigned perms)
{
        const word_t at = sel & (((word_t)1 << NOVA_SEL_ORDER) - 1);
        const enum nova_status status =
                mapping_insert(&pd->object_space.space, at, 1, 0, object, perms, 0);

        return status == NOVA_BAD_PAR ? NOVA_BAD_CAP : status;
}
