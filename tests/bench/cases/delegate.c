/* SPDX-License-Identifier: BSD-2-Clause */
/* Delegation of a range in a call to another PD, and its revocation. */
#include "bench.h"

#define LARGE_ORDER 9 /* 512 pages: a large page */
#define FREE_PORT   0x2f8

static struct thread *receiver;
static struct timed ops[2];

/* What is delegated to the place behind dst, so that dst's tables stay when dst is revoked. */
static void keep_tables(nova_crd_t crd, nova_sel_t dst)
{
        const nova_sel_t behind = dst + ((nova_sel_t)1 << nova_crd_order(crd));

        if (nova_crd_type(crd) == NOVA_CRD_OBJ)
                give(receiver, obj(semaphore(0), NOVA_PERM_ALL), behind);
        if (nova_crd_type(crd) == NOVA_CRD_MEM)
                give(receiver, mem(page_of(memory(0)), 0, NOVA_MEM_R), behind);
        if (nova_crd_type(crd) == NOVA_CRD_IO)
                give(receiver, io(behind, 0), behind);
}

/* Sends crd to dst of the child and revokes it again, each measured. */
static void delegate(const char *delegate_key, const char *revoke_key, nova_crd_t crd,
                     nova_sel_t dst)
{
        receiver = child_server(child_new(boot_cpu));
        const nova_sel_t pt = portal_at(receiver, 0, portal_empty);
        const bool searches = nova_crd_type(crd) != NOVA_CRD_OBJ;

        keep_tables(crd, dst);
        EXPECT(give(receiver, crd, dst) != 0);
        hc_revoke(crd, 0);
        self->utcb->word[nova_utcb_item_index(0)] = crd;
        self->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        ops[0] = (struct timed){.key = delegate_key,
                                .fn = timed_trap_1,
                                .args = {.a1 = nova_hypercall_id(NOVA_CALL, 0, pt)},
                                .items = nova_utcb_items(0, 1),
                                .before = move_on,
                                .mean = searches};
        ops[1] = (struct timed){.key = revoke_key,
                                .fn = timed_trap_2,
                                .args = {.a1 = nova_hypercall_id(NOVA_REVOKE, 0, 0), .a2 = crd},
                                .mean = searches};
        measure(ops, 2);
}

CASE(delegate, object, "")
{
        const nova_crd_t crd = obj(semaphore(0), NOVA_PERM_ALL);

        delegate("delegate_object", "revoke_object", crd, CHILD_FREE_SEL);
}

CASE(delegate, page, "")
{
        const nova_crd_t crd = mem(page_of(memory(0)), 0, NOVA_MEM_RWX);

        delegate("delegate_page", "revoke_page", crd, page_alloc(0));
}

CASE(delegate, large_page, "")
{
        const nova_crd_t crd = mem(page_of(memory(LARGE_ORDER)), LARGE_ORDER, NOVA_MEM_RWX);

        delegate("delegate_large_page", "revoke_large_page", crd, page_alloc(LARGE_ORDER));
}

/* Part of the image: its frames lie as the boot loader left them, in general aligned to no large
 * page, as the figure for the large page shows by its difference. */
CASE(delegate, pages, "")
{
        static char array[NOVA_PAGE_SIZE << LARGE_ORDER]
                __attribute__((aligned(NOVA_PAGE_SIZE << LARGE_ORDER)));
        const nova_crd_t crd = mem(page_of(array), LARGE_ORDER, NOVA_MEM_R | NOVA_MEM_W);

        EXPECT(nova_crd_order(look(NOVA_CRD_MEM, page_of(array))) >= LARGE_ORDER);
        delegate("delegate_512_pages", "revoke_512_pages", crd, page_alloc(LARGE_ORDER));
}

CASE(delegate, port, "")
{
        request(io(FREE_PORT, 0), FREE_PORT);
        request(io(FREE_PORT + 1, 0), FREE_PORT + 1);
        delegate("delegate_port", "revoke_port", io(FREE_PORT, 0), FREE_PORT);
}
