/* SPDX-License-Identifier: BSD-2-Clause */
/* The program's object selectors: a bitmap and its lock. */
#include "selector/selector.h"

#include <errno.h>

#include "memory/page.h"
#include "nova/crd.h"
#include "selector/lock.h"
#include "selector/sel_map.h"

/* First selector of a root's allocator: above its events, its own objects, and the selectors that
 * tools of 2012 use. */
#define ROOT_FIRST 64

static struct sel_map map;
static struct lock lock;

static void *leaf(void)
{
        return novart_page_take(0);
}

int novart_selector_start(void)
{
        const struct nova_start_page *start = nova_program.start;

        if (start)
                novart_sel_map_init(&map, start->sel_first, start->sel_count, leaf);
        else
                novart_sel_map_init(&map, ROOT_FIRST, SEL_MAP_END - ROOT_FIRST, leaf);

        const nova_sel_t sm = novart_sel_map_take(&map, 0);

        if (sm == NOVA_SEL_NONE || lock_init(&lock, sm, nova_program.pd) != NOVA_SUCCESS)
                return EAGAIN;
        return 0;
}

nova_sel_t nova_sel_alloc(unsigned order)
{
        novart_lock_touch_stack();
        lock_take(&lock);

        const nova_sel_t sel = novart_sel_map_take(&map, order);

        lock_drop(&lock);
        return sel;
}

void nova_sel_free(nova_sel_t base, unsigned order)
{
        novart_lock_touch_stack();
        lock_take(&lock);

        const bool given = novart_sel_map_give(&map, base, order);

        lock_drop(&lock);
#ifdef NOVA_DEBUG
        if (!given)
                __builtin_trap();
#else
        (void)given;
#endif
}

void nova_sel_release(nova_sel_t base, unsigned order)
{
        nova_revoke(nova_crd_obj(base, order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        nova_sel_free(base, order);
}

size_t nova_sel_used(void)
{
        novart_lock_touch_stack();
        lock_take(&lock);

        const size_t used = map.used;

        lock_drop(&lock);
        return used;
}
