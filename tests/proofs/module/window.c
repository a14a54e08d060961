/* SPDX-License-Identifier: BSD-2-Clause */
/* Contracts of windows: the range that a CRD names, and the selector in it that an offset selects.
 * A range of order n has the selectors that differ from its base only in the lowest n bits. */
#include "../facts.h"
#include "nova/abi/types.h"

typedef nova_word_t nova_crd_t;

/* clang-format off */
/*@ assigns \nothing;
    ensures \result == crd / 128 % 32; */
static inline unsigned nova_crd_order(nova_crd_t crd);

/*@ assigns \nothing;
    ensures \result == crd / 4096; */
static inline nova_sel_t nova_crd_base(nova_crd_t crd);

/*@ assigns \nothing;
    ensures \result == last(range); */
static inline nova_word_t range_offset_bits(nova_crd_t range);

/*@ assigns \nothing;
    ensures offset: \result == first(range) + (offset & last(range));
    ensures inside: first(range) <= \result <= first(range) + last(range); */
static inline nova_word_t range_selector_in(nova_crd_t range, nova_word_t offset);
/* clang-format on */

#include "space/mapping.h"

/* clang-format off */
/* The part of the item that is delegated, and the part of the window that it fills, have the
 * smaller of the two orders. */
/*@ requires \valid(d);
    assigns d->from, d->to;
    ensures source_part: d->from ==
      first(crd) + (hotspot & (nova_word_t)(~last(window)) & last(crd));
    ensures target_part: d->to ==
      first(window) + (hotspot & (nova_word_t)(~last(crd)) & last(window));
    ensures source: first(crd) <= d->from <= first(crd) + last(crd);
    ensures target: first(window) <= d->to <= first(window) + last(window);
    ensures source_whole: last(window) <= last(crd) ==>
      d->from + last(window) <= first(crd) + last(crd);
    ensures target_whole: last(crd) <= last(window) ==>
      d->to + last(crd) <= first(window) + last(window); */
static void delegation_disambiguate(nova_crd_t crd, nova_crd_t window, word_t hotspot,
                                    struct delegation *d);
/* clang-format on */

#include "space/delegation.c"
