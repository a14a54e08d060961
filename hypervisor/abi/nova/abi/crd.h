/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability range descriptors and the permissions of capabilities. @spec 4.1, 4.3 */
#ifndef NOVA_ABI_CRD_H
#define NOVA_ABI_CRD_H

#include "nova/abi/types.h"

/* bits 1..0 type, 6..2 permission mask, 11..7 order, from bit 12 up the base selector */
#define NOVA_CRD_TYPE_MASK   0x3  /**< bits 1..0: the type */
#define NOVA_CRD_PERM_SHIFT  2    /**< bits 6..2: the permission mask */
#define NOVA_CRD_PERM_MASK   0x1f /**< the permission mask, shifted down */
#define NOVA_CRD_ORDER_SHIFT 7    /**< bits 11..7: the order */
#define NOVA_CRD_ORDER_MASK  0x1f /**< the order, shifted down */
#define NOVA_CRD_BASE_SHIFT  12   /**< from bit 12 up: the base selector */

/* Types of a range. */
#define NOVA_CRD_NULL 0 /**< no capabilities */
#define NOVA_CRD_MEM  1 /**< memory: base is a page number */
#define NOVA_CRD_IO   2 /**< ports: base is a port number */
#define NOVA_CRD_OBJ  3 /**< objects: base is an object selector */

/* Permissions, as bits of the five-bit mask. */
#define NOVA_PERM_ALL 0x1f /**< all five permissions */
#define NOVA_MEM_R    0x1  /**< page: readable */
#define NOVA_MEM_W    0x2  /**< page: writable */
#define NOVA_MEM_X    0x4  /**< page: executable */
#define NOVA_MEM_RWX  0x7  /**< page: all three */
#define NOVA_IO_A     0x1  /**< port: accessible */
#define NOVA_PD_PD    0x01 /**< PD: create_pd permitted */
#define NOVA_PD_EC    0x02 /**< PD: create_ec permitted */
#define NOVA_PD_SC    0x04 /**< PD: create_sc permitted */
#define NOVA_PD_PT    0x08 /**< PD: create_pt permitted */
#define NOVA_PD_SM    0x10 /**< PD: create_sm permitted */
#define NOVA_EC_CT    0x01 /**< EC: ec_ctrl permitted */
#define NOVA_EC_SC    0x04 /**< EC: create_sc may bind */
#define NOVA_EC_PT    0x08 /**< EC: create_pt may bind */
#define NOVA_SC_CT    0x01 /**< SC: sc_ctrl permitted */
#define NOVA_SM_UP    0x01 /**< semaphore: up permitted */
#define NOVA_SM_DN    0x02 /**< semaphore: down permitted */

/* Kinds of kernel object; create_<kind> needs bit <kind> of a PD capability. */
#define NOVA_KIND_PD 0 /**< protection domain */
#define NOVA_KIND_EC 1 /**< execution context */
#define NOVA_KIND_SC 2 /**< scheduling context */
#define NOVA_KIND_PT 3 /**< portal */
#define NOVA_KIND_SM 4 /**< semaphore */

#ifndef __ASSEMBLER__

/** A capability range descriptor: type, permissions, order, base. @spec 4.3 */
typedef nova_word_t nova_crd_t;

/**
 * Returns the descriptor of the 2^order selectors that begin at base.
 *
 * @param type  NOVA_CRD_MEM, NOVA_CRD_IO or NOVA_CRD_OBJ
 * @param base  the first selector, a multiple of 2^order
 * @param order 0 to 31
 * @param perms the permission mask
 */
static inline nova_crd_t nova_crd(unsigned type, nova_sel_t base, unsigned order, unsigned perms)
{
        return base << NOVA_CRD_BASE_SHIFT | (nova_word_t)order << NOVA_CRD_ORDER_SHIFT |
               (nova_word_t)perms << NOVA_CRD_PERM_SHIFT | type;
}

/** Returns the type of a range: NOVA_CRD_NULL, _MEM, _IO or _OBJ. */
static inline unsigned nova_crd_type(nova_crd_t crd)
{
        return (unsigned)(crd & NOVA_CRD_TYPE_MASK);
}

/** Returns the permission mask of a range, five bits. */
static inline unsigned nova_crd_perms(nova_crd_t crd)
{
        return (unsigned)(crd >> NOVA_CRD_PERM_SHIFT & NOVA_CRD_PERM_MASK);
}

/** Returns the order of a range, which holds 2^order selectors. */
static inline unsigned nova_crd_order(nova_crd_t crd)
{
        return (unsigned)(crd >> NOVA_CRD_ORDER_SHIFT & NOVA_CRD_ORDER_MASK);
}

/** Returns the base of a range as written. The kernel aligns the base down to 2^order. */
static inline nova_sel_t nova_crd_base(nova_crd_t crd)
{
        return crd >> NOVA_CRD_BASE_SHIFT;
}

#endif /* __ASSEMBLER__ */
#endif
