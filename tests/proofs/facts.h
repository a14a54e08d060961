/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about binary numbers that the contracts use. Frama-C takes them as axioms, because its
 * provers have no rules for them. facts.smt2 proves each of them for all numbers of 64 bits. It
 * also proves `fields`, which joins two contracts of module/crd.c: the OR of a CRD's fields is
 * their sum. */
#ifndef PROOFS_FACTS_H
#define PROOFS_FACTS_H

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
/* clang-format on */

#endif
