/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability range descriptors and the permissions of capabilities. @spec 4.1, 4.3 */
#ifndef NOVA_ABI_CRD_H
#define NOVA_ABI_CRD_H

#include "nova/abi/types.h"

/* bits 1..0 type, 6..2 permission mask, 11..7 order, from bit 12 up the base selector */
#define NOVA_CRD_TYPE_MASK   0x3
#define NOVA_CRD_PERM_SHIFT  2
#define NOVA_CRD_PERM_MASK   0x1f
#define NOVA_CRD_ORDER_SHIFT 7
#define NOVA_CRD_ORDER_MASK  0x1f
#define NOVA_CRD_BASE_SHIFT  12

/* Types of a range. */
#define NOVA_CRD_NULL 0
#define NOVA_CRD_MEM  1 /* base is a page number */
#define NOVA_CRD_IO   2 /* base is a port number */
#define NOVA_CRD_OBJ  3 /* base is an object selector */

/* Permissions, as bits of the five-bit mask. */
#define NOVA_PERM_ALL 0x1f
#define NOVA_MEM_R    0x1
#define NOVA_MEM_W    0x2
#define NOVA_MEM_X    0x4
#define NOVA_MEM_RWX  0x7
#define NOVA_IO_A     0x1
#define NOVA_PD_PD    0x01 /* create_pd permitted */
#define NOVA_PD_EC    0x02
#define NOVA_PD_SC    0x04
#define NOVA_PD_PT    0x08
#define NOVA_PD_SM    0x10
#define NOVA_EC_CT    0x01 /* ec_ctrl permitted */
#define NOVA_EC_SC    0x04 /* create_sc may bind */
#define NOVA_EC_PT    0x08 /* create_pt may bind */
#define NOVA_SC_CT    0x01 /* sc_ctrl permitted */
#define NOVA_SM_UP    0x01
#define NOVA_SM_DN    0x02

/* Kinds of kernel object; create_<kind> needs bit <kind> of a PD capability. */
#define NOVA_KIND_PD 0
#define NOVA_KIND_EC 1
#define NOVA_KIND_SC 2
#define NOVA_KIND_PT 3
#define NOVA_KIND_SM 4

#ifndef __ASSEMBLER__

/** A capability range descriptor: type, permissions, order, base. @spec 4.3 */
typedef nova_word_t nova_crd_t;

/** The descriptor of 2^order selectors from base on; base is a multiple of 2^order. */
static inline nova_crd_t nova_crd(unsigned type, nova_sel_t base, unsigned order, unsigned perms)
{
        return base << NOVA_CRD_BASE_SHIFT | (nova_word_t)order << NOVA_CRD_ORDER_SHIFT |
               (nova_word_t)perms << NOVA_CRD_PERM_SHIFT | type;
}

/** Type of a range: NOVA_CRD_NULL, _MEM, _IO or _OBJ. */
static inline unsigned nova_crd_type(nova_crd_t crd)
{
        return (unsigned)(crd & NOVA_CRD_TYPE_MASK);
}

/** Permission mask of a range, five bits. */
static inline unsigned nova_crd_perms(nova_crd_t crd)
{
        return (unsigned)(crd >> NOVA_CRD_PERM_SHIFT & NOVA_CRD_PERM_MASK);
}

/** Order of a range: it holds 2^order selectors. */
static inline unsigned nova_crd_order(nova_crd_t crd)
{
        return (unsigned)(crd >> NOVA_CRD_ORDER_SHIFT & NOVA_CRD_ORDER_MASK);
}

/** First selector of a range, as written (the kernel aligns it down to the order). */
static inline nova_sel_t nova_crd_base(nova_crd_t crd)
{
        return crd >> NOVA_CRD_BASE_SHIFT;
}

#endif /* __ASSEMBLER__ */
#endif
