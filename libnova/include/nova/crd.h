/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of capability ranges of each type, and the division of any range into aligned ranges.
 * @spec 4.3 */
#ifndef NOVA_CRD_H
#define NOVA_CRD_H

#include <stdbool.h>

#include "nova/abi/crd.h"

/** The largest order of a descriptor. */
#define NOVA_CRD_ORDER_MAX 31

/** Number of bases: a descriptor has NOVA_WORD_BITS - 12 bits for its base. */
#define NOVA_CRD_BASE_END ((nova_word_t)1 << (NOVA_WORD_BITS - NOVA_CRD_BASE_SHIFT))

/** Returns the null descriptor, which names no capabilities. @spec 4.3.1 */
static inline nova_crd_t nova_crd_null(void)
{
        return 0;
}

/**
 * Checks that the base of @p crd is a multiple of its size, in a program compiled with NOVA_DEBUG.
 * The kernel would round the base down, so a wrong base stops the program at an invalid
 * instruction. Without NOVA_DEBUG, the function does nothing.
 */
static inline void nova_crd_check(nova_crd_t crd)
{
#ifdef NOVA_DEBUG
        if (nova_crd_base(crd) & (((nova_word_t)1 << nova_crd_order(crd)) - 1))
                __builtin_trap();
#else
        (void)crd;
#endif
}

/**
 * Returns the descriptor of 2^order pages that begin at page number @p page (address / 4096), with
 * permissions @p perms.
 * @code
 * // Four pages that begin at address 0x40000000, readable and writable.
 * nova_crd_t crd = nova_crd_mem(0x40000000 >> NOVA_PAGE_BITS, 2, NOVA_MEM_R | NOVA_MEM_W);
 *
 * nova_utcb_delegate(utcb, crd, 0x50000000 >> NOVA_PAGE_BITS, 0);
 * @endcode
 * @spec 4.3.2
 */
static inline nova_crd_t nova_crd_mem(nova_sel_t page, unsigned order, unsigned perms)
{
        return nova_crd(NOVA_CRD_MEM, page, order, perms);
}

/** Returns the descriptor of 2^order I/O ports that begin at @p port. @spec 4.3.3 */
static inline nova_crd_t nova_crd_io(nova_sel_t port, unsigned order)
{
        return nova_crd(NOVA_CRD_IO, port, order, NOVA_IO_A);
}

/**
 * Returns the descriptor of 2^order object capabilities that begin at selector @p sel, with
 * permissions @p perms. The selector must be a multiple of 2^order (see nova_root_sel_order()),
 * because the kernel rounds it down. With NOVA_DEBUG, a wrong selector stops the program at an
 * invalid instruction (see nova_crd_check()); nova_crd() makes a descriptor without this check.
 * @spec 4.3.4
 */
static inline nova_crd_t nova_crd_obj(nova_sel_t sel, unsigned order, unsigned perms)
{
        const nova_crd_t crd = nova_crd(NOVA_CRD_OBJ, sel, order, perms);

        nova_crd_check(crd);
        return crd;
}

/** Returns the largest receive window of a type. It covers the whole space, except for memory on
 * x86-64, where it covers the first 2^31 pages (8 TiB). @spec 4.6.1 */
static inline nova_crd_t nova_crd_all(unsigned type)
{
        const unsigned order = type == NOVA_CRD_IO    ? 16
                               : type == NOVA_CRD_OBJ ? NOVA_SEL_ORDER
                                                      : NOVA_CRD_ORDER_MAX;

        return nova_crd(type, 0, order, NOVA_PERM_ALL);
}

/** Returns the number of selectors in a range; 0 for a null descriptor. */
static inline nova_word_t nova_crd_count(nova_crd_t crd)
{
        return nova_crd_type(crd) == NOVA_CRD_NULL ? 0 : (nova_word_t)1 << nova_crd_order(crd);
}

/** Returns the first selector of a range as the kernel reads it: the base aligned down to the
 * order. */
static inline nova_sel_t nova_crd_first(nova_crd_t crd)
{
        return nova_crd_base(crd) & ~(((nova_word_t)1 << nova_crd_order(crd)) - 1);
}

/** Returns the last selector of a range. The descriptor must not be null. */
static inline nova_sel_t nova_crd_last(nova_crd_t crd)
{
        return nova_crd_base(crd) | (((nova_word_t)1 << nova_crd_order(crd)) - 1);
}

/** Returns true if a range is naturally aligned, as each range that a program sends must be. @spec
 * 4.3 */
static inline bool nova_crd_aligned(nova_crd_t crd)
{
        return nova_crd_first(crd) == nova_crd_base(crd);
}

/** Returns true if the ranges @p a and @p b are of the same type and have selectors in common;
 * permissions do not matter. A null descriptor overlaps no other. */
static inline bool nova_crd_overlaps(nova_crd_t a, nova_crd_t b)
{
        return nova_crd_type(a) == nova_crd_type(b) && nova_crd_type(a) != NOVA_CRD_NULL &&
               nova_crd_first(a) <= nova_crd_last(b) && nova_crd_first(b) <= nova_crd_last(a);
}

/** Returns true if @p outer has all selectors of @p inner; permissions do not matter. */
static inline bool nova_crd_contains(nova_crd_t outer, nova_crd_t inner)
{
        return nova_crd_overlaps(outer, inner) && nova_crd_order(outer) >= nova_crd_order(inner);
}

/** Returns the intersection of the ranges @p a and @p b: the smaller range with the permissions
 * that both have, or null if the intersection is empty. Aligned ranges intersect only if one
 * contains the other.
 */
static inline nova_crd_t nova_crd_intersection(nova_crd_t a, nova_crd_t b)
{
        const unsigned perms = nova_crd_perms(a) & nova_crd_perms(b);
        const nova_crd_t smaller = nova_crd_order(a) <= nova_crd_order(b) ? a : b;

        if (!perms || !nova_crd_overlaps(a, b))
                return nova_crd_null();
        return nova_crd(nova_crd_type(a), nova_crd_first(smaller), nova_crd_order(smaller), perms);
}

/** Returns the number of selectors of a space, which is its first invalid selector. */
static inline nova_sel_t nova_crd_space_end(unsigned type)
{
        return type == NOVA_CRD_IO    ? (nova_sel_t)1 << 16
               : type == NOVA_CRD_OBJ ? (nova_sel_t)1 << NOVA_SEL_ORDER
                                      : NOVA_CRD_BASE_END;
}

/** A range of any length and alignment, which nova_crd_next() cuts into descriptors. */
struct nova_crd_range {
        unsigned type;   /**< NOVA_CRD_MEM, _IO or _OBJ */
        unsigned perms;  /**< permission mask of each piece */
        nova_sel_t base; /**< first selector at the sender */
        /** first selector at the receiver; equal to base if the receiver's selectors do not
         * matter */
        nova_sel_t hotspot;
        nova_word_t count; /**< number of selectors left */
};

/**
 * Returns the range of all pages that contain any of the @p size bytes that begin at @p addr. The
 * receiver gets them at the same page numbers.
 *
 * @param addr, size the range in bytes; the part beyond the last address is left out
 * @param perms      an OR of NOVA_MEM_R, NOVA_MEM_W, NOVA_MEM_X
 */
static inline struct nova_crd_range nova_crd_range_mem(uint64_t addr, uint64_t size, unsigned perms)
{
        const uint64_t left = UINT64_MAX - addr, end = (uint64_t)NOVA_CRD_BASE_END;
        const uint64_t first = addr >> NOVA_PAGE_BITS;
        const uint64_t last = (addr + (size - 1 < left ? size - 1 : left)) >> NOVA_PAGE_BITS;
        struct nova_crd_range range = {NOVA_CRD_MEM, perms, (nova_sel_t)first, (nova_sel_t)first,
                                       (nova_word_t)((last < end ? last + 1 : end) - first)};

        if (!size || first >= end)
                range.count = range.base = range.hotspot = 0;
        return range;
}

/** Returns the range of @p count I/O ports that begin at @p port. */
static inline struct nova_crd_range nova_crd_range_io(nova_sel_t port, nova_word_t count)
{
        const struct nova_crd_range range = {NOVA_CRD_IO, NOVA_IO_A, port, port, count};

        return range;
}

/** Returns the range of @p count object selectors that begin at @p sel, with permissions @p perms.
 * At the receiver, the selectors begin at @p hotspot. */
static inline struct nova_crd_range nova_crd_range_obj(nova_sel_t sel, nova_sel_t hotspot,
                                                       nova_word_t count, unsigned perms)
{
        const struct nova_crd_range range = {NOVA_CRD_OBJ, perms, sel, hotspot, count};

        return range;
}

/** Returns the smallest order for which 2^order is at least @p count; at most NOVA_WORD_BITS -
 * 1. */
static inline unsigned nova_crd_order_for(nova_word_t count)
{
        unsigned order = 0;

        while (order < NOVA_WORD_BITS - 1 && (nova_word_t)1 << order < count)
                order++;
        return order;
}

/** Returns the order of the largest aligned range that begins at @p base and has at most @p count
 * selectors; at most NOVA_CRD_ORDER_MAX. @p count must not be 0. */
static inline unsigned nova_crd_order_of(nova_sel_t base, nova_word_t count)
{
        unsigned order = 0;

        while (order < NOVA_CRD_ORDER_MAX && !(base & (nova_word_t)1 << order) &&
               count >> order > 1)
                order++;
        return order;
}

/**
 * Removes the first naturally aligned piece from a range.
 *
 * A piece is aligned both at the sender and at the receiver, so each piece fits into one typed item
 * with the returned hotspot. Selectors past the space's end (ports above 0xffff, …) are left out.
 * @code
 * struct nova_crd_range range = nova_crd_range_mem(0x5000, 0x7000, NOVA_MEM_R);
 * nova_crd_t crd;
 * nova_sel_t hotspot;
 *
 * while (nova_crd_next(&range, &crd, &hotspot))
 *         nova_utcb_delegate(utcb, crd, hotspot, 0);
 * @endcode
 * @param range         the rest of the range; advanced past the piece
 * @param[out] crd      the piece
 * @param[out] hotspot  first selector of the piece at the receiver; may be NULL
 * @return false if the range is empty (count 0); the outputs are then unchanged
 */
static inline bool nova_crd_next(struct nova_crd_range *range, nova_crd_t *crd, nova_sel_t *hotspot)
{
        const nova_sel_t high = range->base > range->hotspot ? range->base : range->hotspot;
        const nova_sel_t end = nova_crd_space_end(range->type);

        if (!range->count || high >= end) {
                range->count = 0;
                return false;
        }
        if (range->count > end - high)
                range->count = end - high;

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
