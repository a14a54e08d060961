/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability range descriptors by type, and cutting a range into aligned ones. @spec 4.3 */
#ifndef NOVA_CRD_H
#define NOVA_CRD_H

#include <stdbool.h>

#include "nova/abi/crd.h"

/** The largest order of a descriptor. */
#define NOVA_CRD_ORDER_MAX 31

/** Bases end here: a descriptor has NOVA_WORD_BITS - 12 bits for them. */
#define NOVA_CRD_BASE_END ((nova_word_t)1 << (NOVA_WORD_BITS - NOVA_CRD_BASE_SHIFT))

/** The null descriptor: no capabilities. @spec 4.3.1 */
static inline nova_crd_t nova_crd_null(void)
{
        return 0;
}

/** 2^order pages from page number @p page (address / 4096) on. @spec 4.3.2 */
static inline nova_crd_t nova_crd_mem(nova_sel_t page, unsigned order, unsigned perms)
{
        return nova_crd(NOVA_CRD_MEM, page, order, perms);
}

/** 2^order I/O ports from @p port on. @spec 4.3.3 */
static inline nova_crd_t nova_crd_io(nova_sel_t port, unsigned order)
{
        return nova_crd(NOVA_CRD_IO, port, order, NOVA_IO_A);
}

/** 2^order object capabilities from selector @p sel on. @spec 4.3.4 */
static inline nova_crd_t nova_crd_obj(nova_sel_t sel, unsigned order, unsigned perms)
{
        return nova_crd(NOVA_CRD_OBJ, sel, order, perms);
}

/** The window that takes everything of a type: the whole of that space. @spec 4.6.1 */
static inline nova_crd_t nova_crd_all(unsigned type)
{
        const unsigned order = type == NOVA_CRD_IO    ? 16
                               : type == NOVA_CRD_OBJ ? NOVA_SEL_ORDER
                                                      : NOVA_CRD_ORDER_MAX;

        return nova_crd(type, 0, order, NOVA_PERM_ALL);
}

/** Number of selectors in a range; 0 for a null descriptor. */
static inline nova_word_t nova_crd_count(nova_crd_t crd)
{
        return nova_crd_type(crd) == NOVA_CRD_NULL ? 0 : (nova_word_t)1 << nova_crd_order(crd);
}

/** A range of any length and alignment that nova_crd_next() cuts into descriptors. */
struct nova_crd_range {
        unsigned type;   /**< NOVA_CRD_MEM, _IO or _OBJ */
        unsigned perms;  /**< permission mask of each piece */
        nova_sel_t base; /**< first selector at the sender */
        nova_sel_t
                hotspot; /**< first selector at the receiver; equal to base if it does not matter */
        nova_word_t count; /**< selectors that are left */
};

/** Largest order so that @p base is aligned to it and 2^order is not above @p count, at most
 *  NOVA_CRD_ORDER_MAX. @p count must not be 0. */
static inline unsigned nova_crd_order_of(nova_sel_t base, nova_word_t count)
{
        unsigned order = 0;

        while (order < NOVA_CRD_ORDER_MAX && !(base & (nova_word_t)1 << order) &&
               count >> order > 1)
                order++;
        return order;
}

/**
 * Take the first naturally aligned piece off a range.
 *
 * A piece is aligned both at the sender and at the receiver, so that each is one typed item with
 * the hotspot that is put out. Bases that no descriptor can hold are left out.
 * @param range         what is left to do; advanced by the piece
 * @param[out] crd      the piece
 * @param[out] hotspot  where it goes at the receiver; may be NULL
 * @return false when nothing is left; the outputs are then unchanged
 */
static inline bool nova_crd_next(struct nova_crd_range *range, nova_crd_t *crd, nova_sel_t *hotspot)
{
        const nova_sel_t high = range->base > range->hotspot ? range->base : range->hotspot;

        if (!range->count || high >= NOVA_CRD_BASE_END)
                return false;
        if (range->count > NOVA_CRD_BASE_END - high)
                range->count = NOVA_CRD_BASE_END - high;

        const unsigned order = nova_crd_order_of(range->base | range->hotspot, range->count);

        *crd = nova_crd(range->type, range->base, order, range->perms);
        if (hotspot)
                *hotspot = range->hotspot;
        range->base += (nova_word_t)1 << order;
        range->hotspot += (nova_word_t)1 << order;
        range->count -= (nova_word_t)1 << order;
        return true;
}

#endif
