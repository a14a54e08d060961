/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about binary numbers that the contracts use. Frama-C takes them as axioms, because its
 * provers have no rules for them. facts.smt2 proves each of them for all numbers of 64 bits. It
 * also proves `fields`, which joins two contracts of module/crd.c: the OR of a CRD's fields is
 * their sum. */
#ifndef PROOFS_FACTS_H
#define PROOFS_FACTS_H

#include "nova/abi/types.h"

/* clang-format off */
/*@ axiomatic binary {
      axiom left_2: \forall integer x; 0 <= x < 0x20 ==> (x << 2) == x * 4;
      axiom left_7: \forall integer x; 0 <= x < 0x20 ==> (x << 7) == x * 128;
      axiom left_12: \forall integer x; 0 <= x < 0x10000000000000 ==> (x << 12) == x * 4096;
      axiom right_2: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x >> 2) == x / 4;
      axiom right_7: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x >> 7) == x / 128;
      axiom right_12: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x >> 12) == x / 4096;
      axiom mask_2: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x & 3) == x % 4;
      axiom mask_5: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x & 31) == x % 32;
    }
*/

/* The range of a CRD: the distance from its first to its last selector, and the first selector. */
/*@ axiomatic range {
      axiom ones: \forall integer o; 0 <= o < 32 ==>
        (nova_word_t)(~((nova_word_t)-1 << o)) == (1 << o) - 1;
      logic integer last(integer crd) = (1 << (crd / 128 % 32)) - 1;
      logic integer first(integer crd) = (crd / 4096) & (nova_word_t)(~last(crd));
      axiom part: \forall integer crd, x; 0 <= crd && 0 <= x <= (nova_word_t)-1 ==>
        0 <= (x & last(crd)) <= last(crd);
      axiom disjoint: \forall integer crd, x;
        0 <= crd <= (nova_word_t)-1 && 0 <= x <= (nova_word_t)-1 ==>
        ((crd / 4096 & (nova_word_t)(~last(crd))) | (x & last(crd))) ==
        first(crd) + (x & last(crd));
      axiom whole: \forall integer a, b, x;
        0 <= a && 0 <= b && 0 <= x <= (nova_word_t)-1 && last(a) <= last(b) ==>
        ((x & (nova_word_t)(~last(a))) & last(b)) + last(a) <= last(b);
    }
*/
/* clang-format on */

#endif
