/* SPDX-License-Identifier: BSD-2-Clause */
/* Contracts of the arithmetic of capability range descriptors: the fields of a CRD are the four
 * numbers from which it was made, and no field has bits of another one. */
#include "../facts.h"
#include "nova/abi/types.h"

typedef nova_word_t nova_crd_t;

/* clang-format off */
/*@ requires type < 4 && order < 32 && perms < 32 && base <= (nova_word_t)-1 >> 12;
    assigns \nothing;
    ensures \result == (type | (base << 12) | (order << 7) | (perms << 2)); */
static inline nova_crd_t nova_crd(unsigned type, nova_sel_t base, unsigned order, unsigned perms);

/*@ assigns \nothing;
    ensures \result == crd % 4; */
static inline unsigned nova_crd_type(nova_crd_t crd);

/*@ assigns \nothing;
    ensures \result == crd / 4 % 32; */
static inline unsigned nova_crd_perms(nova_crd_t crd);

/*@ assigns \nothing;
    ensures \result == crd / 128 % 32; */
static inline unsigned nova_crd_order(nova_crd_t crd);

/*@ assigns \nothing;
    ensures \result == crd / 4096; */
static inline nova_sel_t nova_crd_base(nova_crd_t crd);
/* clang-format on */

#include "nova/abi/crd.h"

/* Shows that the fields of a CRD are the numbers from which it was made. */
/*@ requires type < 4 && order < 32 && perms < 32 && base <= (nova_word_t)-1 >> 12;
    requires crd == type + base * 4096 + order * 128 + perms * 4;
    assigns \nothing; */
void crd_round_trip(nova_crd_t crd, unsigned type, nova_sel_t base, unsigned order, unsigned perms)
{
        const unsigned type_read = nova_crd_type(crd), perms_read = nova_crd_perms(crd);
        const unsigned order_read = nova_crd_order(crd);
        const nova_sel_t base_read = nova_crd_base(crd);

        /*@ assert high: crd / 128 == base * 32 + order; */
        /*@ assert type: type_read == type; */
        /*@ assert perms: perms_read == perms; */
        /*@ assert order: order_read == order; */
        /*@ assert base: base_read == base; */
}
