/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of nova/root.h: requests through a local thread whose only purpose is to have a receive
 * window. */
#ifndef NOVA_INLINE_ROOT_H
#define NOVA_INLINE_ROOT_H

#include "nova/root.h"

#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "nova/portal.h"
#include "nova/utcb.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @cond INTERNAL */

/* Allocated addresses are aligned so that large pages can map large ranges. */
#define NOVA_ROOT_MAP_ALIGN_ORDER 10

/* First address of RAM to use: firmware tables and video memory lie below it. */
#define NOVA_ROOT_RAM_BEGIN 0x100000

/* End of the physical memory that a descriptor can name. */
#define NOVA_ROOT_RAM_END (sizeof(nova_word_t) == 4 ? (uint64_t)1 << 32 : UINT64_MAX)

static inline void nova_root_serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        (void)argument;
        nova_utcb_clear(utcb);
}

/** @endcond */

NOVA_LIBRARY enum nova_status nova_root_init(struct nova_root *root, const struct nova_hip *hip,
                                             nova_word_t cpu)
{
        root->hip = hip;
        root->utcb = (struct nova_utcb *)((nova_word_t)hip - NOVA_PAGE_SIZE);
        root->cpu = cpu;
        root->next_sel = NOVA_ROOT_FIRST_SEL;
        root->next_utcb = (nova_word_t)root->utcb;
        root->next_page = NOVA_ROOT_FIRST_ADDR >> NOVA_PAGE_BITS;
        root->next_ram = NOVA_ROOT_RAM_BEGIN;

        const nova_sel_t ec = nova_root_sel(root, 2);

        root->portal = ec + 1;
        root->inbox = (struct nova_utcb *)nova_root_utcb(root);

        const nova_word_t sp = nova_portal_stack(root->stack, sizeof(root->stack), nova_root_serve,
                                                 root->inbox, root);
        const enum nova_status status =
                nova_create_ec(ec, NOVA_SEL_ROOT_PD, (nova_word_t)root->inbox, cpu, sp, 0, 0);

        if (status != NOVA_SUCCESS)
                return status;
        return nova_create_pt(root->portal, NOVA_SEL_ROOT_PD, ec, 0,
                              NOVA_ADDRESS(nova_portal_entry));
}

NOVA_LIBRARY nova_sel_t nova_root_sel(struct nova_root *root, nova_word_t count)
{
        const nova_sel_t first = root->next_sel;

        root->next_sel += count;
        return first;
}

NOVA_LIBRARY nova_sel_t nova_root_sel_order(struct nova_root *root, unsigned order)
{
        const nova_word_t count = (nova_word_t)1 << order;

        root->next_sel = (root->next_sel + count - 1) & ~(count - 1);
        return nova_root_sel(root, count);
}

NOVA_LIBRARY nova_word_t nova_root_utcb(struct nova_root *root)
{
        root->next_utcb -= NOVA_PAGE_SIZE;
        return root->next_utcb;
}

/** @cond INTERNAL */
/* Returns true if the caller's PD holds a selector with at least these permissions. */
static inline bool nova_root_holds(unsigned type, nova_sel_t sel, unsigned perms)
{
        nova_crd_t crd = nova_crd(type, sel, 0, 0);

        nova_lookup(&crd);
        return nova_crd_type(crd) == type && (nova_crd_perms(crd) & perms) == perms;
}
/** @endcond */

NOVA_LIBRARY bool nova_root_delegate(struct nova_root *root, nova_crd_t crd, nova_sel_t to,
                                     nova_word_t flags)
{
        const unsigned type = nova_crd_type(crd), order = nova_crd_order(crd);
        const unsigned perms = nova_crd_perms(crd);

        nova_utcb_set_windows(root->inbox, 0, nova_crd(type, to, order, perms));
        nova_utcb_clear(root->utcb);
        nova_utcb_delegate(root->utcb, crd, to, flags);

        const enum nova_status status = nova_call(root->portal, 0);

        nova_utcb_set_windows(root->inbox, 0, 0);
        return status == NOVA_SUCCESS && nova_root_holds(type, to, perms) &&
               nova_root_holds(type, to + nova_crd_count(crd) - 1, perms);
}

NOVA_LIBRARY bool nova_root_ports(struct nova_root *root, nova_sel_t port, unsigned order)
{
        return nova_root_delegate(root, nova_crd_io(port, order), port, NOVA_ITEM_H);
}

NOVA_LIBRARY void *nova_root_map(struct nova_root *root, uint64_t addr, nova_word_t size,
                                 unsigned perms)
{
        const nova_word_t mask = ((nova_word_t)1 << NOVA_ROOT_MAP_ALIGN_ORDER) - 1;
        const uint64_t last = addr + size - 1;

        if (!size || last < addr || last >= NOVA_ROOT_RAM_END)
                return NULL;

        const nova_sel_t from = (nova_sel_t)(addr >> NOVA_PAGE_BITS);
        const nova_sel_t to = ((root->next_page + mask) & ~mask) + (from & mask);
        struct nova_crd_range range = {NOVA_CRD_MEM, perms, from, to,
                                       (nova_sel_t)(last >> NOVA_PAGE_BITS) - from + 1};
        nova_crd_t crd;
        nova_sel_t hotspot;

        if (range.count > (NOVA_USER_END >> NOVA_PAGE_BITS) - to)
                return NULL;
        root->next_page = to + range.count;
        while (nova_crd_next(&range, &crd, &hotspot))
                if (!nova_root_delegate(root, crd, hotspot, NOVA_ITEM_H))
                        return NULL;
        return (void *)(to << NOVA_PAGE_BITS | (nova_word_t)(addr % NOVA_PAGE_SIZE));
}

/** @cond INTERNAL */
/* Reserves 2^order aligned pages of unused RAM. */
static inline bool nova_root_take_ram(struct nova_root *root, unsigned order, uint64_t *page)
{
        const uint64_t bytes = (uint64_t)NOVA_PAGE_SIZE << order;
        uint64_t cursor = root->next_ram, addr, size;

        while (nova_hip_next_free(root->hip, &cursor, &addr, &size)) {
                const uint64_t first = (addr + bytes - 1) & ~(bytes - 1);

                if (first < addr || first - addr > size || size - (first - addr) < bytes)
                        continue;
                if (first + bytes > NOVA_ROOT_RAM_END)
                        return false;
                root->next_ram = first + bytes;
                *page = first >> NOVA_PAGE_BITS;
                return true;
        }
        return false;
}
/** @endcond */

NOVA_LIBRARY void *nova_root_alloc(struct nova_root *root, unsigned order)
{
        uint64_t page;

        if (order >= NOVA_ROOT_MAP_ALIGN_ORDER + 10 || !nova_root_take_ram(root, order, &page))
                return NULL;

        const nova_word_t mask = ((nova_word_t)1 << order) - 1;
        const nova_sel_t to = (root->next_page + mask) & ~mask;
        const nova_crd_t crd = nova_crd_mem((nova_sel_t)page, order, NOVA_MEM_R | NOVA_MEM_W);

        root->next_page = to + mask + 1;
        if (!nova_root_delegate(root, crd, to, NOVA_ITEM_H))
                return NULL;

        nova_word_t *word = (nova_word_t *)(to << NOVA_PAGE_BITS);

        for (nova_word_t i = 0; i < (nova_word_t)NOVA_PAGE_SIZE << order; i += sizeof(*word))
                word[i / sizeof(*word)] = 0;
        return (void *)(to << NOVA_PAGE_BITS);
}

#ifdef __cplusplus
}
#endif

#endif
