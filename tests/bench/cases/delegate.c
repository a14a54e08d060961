/* SPDX-License-Identifier: BSD-2-Clause */
/* Delegation of a range in a call to another PD, and its revocation. */
#include "bench.h"

#define LARGE_ORDER 9                              /* 512 pages: a large page */
#define LARGE_PAGE  ((nova_sel_t)1 << LARGE_ORDER) /* pages of a page table */
#define FREE_PORT   0x2f8

static struct thread *receiver;
static struct timed ops[2];

/* Delegates something of crd's type to the place after dst, so that dst's tables remain when dst is
 * revoked. */
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

/* Calls before, sends crd to the child in a call, and revokes crd; measures both operations. */
static void send_and_revoke(const char *delegate_key, const char *revoke_key, nova_crd_t crd,
                            before_fn *before, bool searches)
{
        const nova_sel_t pt = portal_at(receiver, 0, portal_empty);

        self->utcb->word[nova_utcb_item_index(0)] = crd;
        self->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        ops[0] = (struct timed){.key = delegate_key,
                                .fn = timed_trap_1,
                                .args = {.a1 = nova_hypercall_id(NOVA_CALL, 0, pt)},
                                .items = nova_utcb_items(0, 1),
                                .before = before,
                                .mean = searches};
        ops[1] = (struct timed){.key = revoke_key,
                                .fn = timed_trap_2,
                                .args = {.a1 = nova_hypercall_id(NOVA_REVOKE, 0, 0), .a2 = crd},
                                .mean = searches};
        measure(ops, 2);
}

/* Sends crd to dst of the child, whose tables exist, and revokes it. */
static void delegate(const char *delegate_key, const char *revoke_key, nova_crd_t crd,
                     nova_sel_t dst)
{
        receiver = child_server(child_new(boot_cpu));
        keep_tables(crd, dst);
        EXPECT(give(receiver, crd, dst) != 0);
        hc_revoke(crd, 0);
        send_and_revoke(delegate_key, revoke_key, crd, move_on, nova_crd_type(crd) != NOVA_CRD_OBJ);
}

/* Each round sends to another place of the child, whose table does not exist yet. */
static nova_sel_t first_dst, table_span;

static void next_table(struct timed *op, unsigned round)
{
        (void)op;
        self->utcb->word[nova_utcb_item_index(0) + 1] =
                item_upper(NOVA_ITEM_DELEGATE, first_dst + round * table_span);
}

/* Sends crd to places of the child at dst and above. Each place is the first of a table with span
 * places. */
static void delegate_first(const char *delegate_key, const char *revoke_key, nova_crd_t crd,
                           nova_sel_t dst, nova_sel_t span)
{
        const nova_crd_t everywhere = nova_crd(nova_crd_type(crd), 0, 31, nova_crd_perms(crd));

        receiver = child_server(child_new(boot_cpu));
        windows(receiver, 0, everywhere);
        EXPECT(send(receiver, crd, item_upper(NOVA_ITEM_DELEGATE, dst)) != 0);
        hc_revoke(crd, 0);
        first_dst = dst;
        table_span = span;
        send_and_revoke(delegate_key, revoke_key, crd, next_table, true);
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

/* A table of capabilities has 2^8 selectors on x86-64 and 2^9 on x86-32. */
#define OBJECT_TABLE ((nova_sel_t)(sizeof(nova_word_t) == 8 ? 1 << 8 : 1 << 9))

CASE(delegate, first_object, "")
{
        const nova_crd_t crd = obj(semaphore(0), NOVA_PERM_ALL);

        delegate_first("delegate_first_object", "revoke_first_object", crd, 2 * CHILD_FREE_SEL,
                       OBJECT_TABLE);
}

/* The places are at 1 GiB and above, so that all rounds share the tables of the higher levels. */
CASE(delegate, first_page, "")
{
        const nova_crd_t crd = mem(page_of(memory(0)), 0, NOVA_MEM_RWX);

        delegate_first("delegate_first_page", "revoke_first_page", crd, 0x40000, LARGE_PAGE);
}

CASE(delegate, large_page, "")
{
        const nova_crd_t crd = mem(page_of(memory(LARGE_ORDER)), LARGE_ORDER, NOVA_MEM_RWX);

        delegate("delegate_large_page", "revoke_large_page", crd, page_alloc(LARGE_ORDER));
}

/* Delegates a part of the image. Its frames lie where the boot loader put them. Usually they are
 * not aligned to a large page, as the difference from the large page's figure shows. */
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
