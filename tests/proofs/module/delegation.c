/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes items and windows of the orders in orders[], with any base, hotspot and flags: the ranges
 * of source and target lie in their spaces and are aligned to their size. */
#include "space/delegation.c"

#include "../driver.h"

#define ORDERS 7

struct pd kernel_pd;
static const unsigned orders[ORDERS] = {0, 1, 5, 16, 26, 27, NOVA_CRD_ORDER_MASK};

/* Limits of the spaces, as in space/space.c. */
word_t space_limit(unsigned type)
{
        return (word_t)1 << (type == NOVA_CRD_MEM  ? NOVA_WORD_BITS - PAGE_BITS
                             : type == NOVA_CRD_IO ? 16
                                                   : NOVA_SEL_ORDER);
}

struct space *pd_space(struct pd *pd, unsigned type)
{
        static struct space space;

        (void)pd;
        (void)type;
        return &space;
}

/* Returns a CRD with this type and order, with all permissions and any base. The CRD is computed as
 * a sum, because Eva keeps the low bits of a sum. */
static nova_crd_t any_crd(unsigned type, unsigned order)
{
        const word_t base = any_word() >> NOVA_CRD_BASE_SHIFT;

        return base * NOVA_PAGE_SIZE + nova_crd(type, 0, order, NOVA_PERM_ALL);
}

static void decode(unsigned type, unsigned send, unsigned receive)
{
        static struct pd from, to;
        struct delegation d;
        const word_t limit = space_limit(type);

        from.is_root = any_bool();
        if (!delegation_decode(&from, &to, any_crd(type, send), any_word(), any_crd(type, receive),
                               any_bool() ? MAPPING_WHOLE : 0, &d))
                return;
        /*@ assert count: d.count <= limit; */
        if (!d.count)
                return;
        /*@ assert from_aligned: d.from % d.count == 0; */
        /*@ assert to_aligned: d.to % d.count == 0; */
        if (type == NOVA_CRD_IO) {
                /*@ assert from_port: d.from <= 0xffff; */
                /*@ assert to_port: d.to <= 0xffff; */
        } else {
                /*@ assert from_inside: d.from < limit; */
                /*@ assert to_inside: d.to < limit; */
        }
}

int main(void)
{
        /*@ loop unroll ORDERS; */
        for (unsigned send = 0; send < ORDERS; send++) {
                /*@ loop unroll ORDERS; */
                for (unsigned receive = 0; receive < ORDERS; receive++) {
                        decode(NOVA_CRD_MEM, orders[send], orders[receive]);
                        decode(NOVA_CRD_IO, orders[send], orders[receive]);
                        decode(NOVA_CRD_OBJ, orders[send], orders[receive]);
                }
        }
        return 0;
}
