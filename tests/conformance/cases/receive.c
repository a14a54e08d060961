/* SPDX-License-Identifier: BSD-2-Clause */
/* Extension: limits of the kernel memory that a message may cost its receiver. */
#include "harness.h"

#define ALL    NOVA_PERM_ALL
#define ITEMS  200
#define WINDOW 16 /* order of the window that a flood fills */
#define TABLE  NOVA_PAGE_SIZE
#define LARGE  11 /* order of a range of memory whose tables the kernel makes in several steps */

static const char *needs_receive(void)
{
        const char *lacks = needs_quota();
        return hip->features & NOVA_HIP_RECEIVE ? lacks : "needs the extension of receive limits";
}

static word_t limit(nova_sel_t ec, word_t bytes)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, ec),
                         NOVA_EXT_EC_RECEIVE, bytes, 0, 0};
        return hypercall(&a);
}

/* Waits until all memory of ended objects has been freed, then returns the bytes used in the root
 * PD's account. Child PDs use this account, too. */
static word_t used(void)
{
        rest_until_freed();
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, ROOT_PD),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return a.a2;
}

/* The first words of a message's typed items, which describe ranges, as the receiver got them. */
static nova_crd_t copy[ITEMS];

static void copy_items(struct thread *t)
{
        for (unsigned i = 0; i < nova_utcb_typed(t->rx_items); i++)
                copy[i] = t->utcb->word[nova_utcb_item_index(i)];
}

/* Returns a thread of a child. The code that the cases execute in the child is mapped already,
 * because mapping it later would add to the measured memory. */
static struct thread *receiver(void)
{
        struct thread *t = child_server(child_new(boot_cpu));
        windows(t, 0, 0);
        remote(t, copy_items, NULL);
        remote_look(t, NOVA_CRD_MEM, 0);
        remote_read(t, 0);
        remote_in(t, 0x80);
        return t;
}

static void item(unsigned i, nova_crd_t crd, nova_sel_t hot)
{
        self->utcb->word[nova_utcb_item_index(i)] = crd;
        self->utcb->word[nova_utcb_item_index(i) + 1] = item_upper(NOVA_ITEM_DELEGATE, hot);
}

/* Sends items that are already written. Returns the number that the receiver got. */
static unsigned send_items(struct thread *t, unsigned items)
{
        unsigned got = 0;
        t->fn = copy_items;
        self->utcb->items = nova_utcb_items(0, items);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < items; i++)
                got += copy[i] != 0;
        return got;
}

/* Sends capabilities, each of which needs a table of its own. Returns the cost in bytes. */
static word_t flood_objects(struct thread *t, nova_sel_t window, unsigned *got)
{
        const nova_sel_t sm = semaphore(0);
        windows(t, 0, nova_crd(NOVA_CRD_OBJ, window, WINDOW + 4, ALL));
        for (unsigned i = 0; i < ITEMS; i++)
                item(i, obj(sm, ALL), window + 0x1000 * i);
        const word_t before = used();
        *got = send_items(t, ITEMS);
        const word_t cost = used() - before;
        EXPECT_EQ(hc_revoke(obj(sm, ALL), 0), NOVA_SUCCESS);
        return cost;
}

CASE_ON(receive, a_flood_of_capabilities_costs_no_more_than_the_limit, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        unsigned got;
        EXPECT(flood_objects(t, 0x100000, &got) >= ITEMS * TABLE);
        EXPECT_EQ(got, ITEMS);
        for (word_t bytes = 0x1000; bytes <= 0x40000; bytes *= 4) {
                EXPECT_EQ(limit(t->ec, bytes), NOVA_SUCCESS);
                EXPECT(flood_objects(t, 0x200000, &got) <= bytes);
                EXPECT(got < ITEMS);
                EXPECT(got + 4 >= bytes / (TABLE + 0x100));
        }
        EXPECT_EQ(limit(t->ec, NOVA_EC_RECEIVE_ALL), NOVA_SUCCESS);
        flood_objects(t, 0x100000, &got);
        EXPECT_EQ(got, ITEMS);
}

/* Each window has 2^SPREAD_ORDER selectors. The windows follow each other, and all fit into the
 * 2^20 selectors of x86-32. */
#define MESSAGES     4
#define SPREAD       32    /* items of one of these messages */
#define SPREAD_STEP  0x400 /* selectors from one item to the next; no table holds more selectors */
#define SPREAD_ORDER 17

_Static_assert(MESSAGES *SPREAD *SPREAD_STEP == 1 << SPREAD_ORDER, "a window holds all items");

static void count_items(struct thread *t)
{
        for (unsigned i = 0; i < nova_utcb_typed(t->rx_items); i++)
                t->value[0] += t->utcb->word[nova_utcb_item_index(i)] != 0;
        t->fn = count_items;
}

/* Sends the semaphore value[1] to the portal value[0]. The hotspots begin at value[2], and each
 * needs a table of its own. value[3] counts the messages. */
static void send_spread(struct thread *t)
{
        nova_sel_t at = t->value[2];
        for (unsigned message = 0; message < MESSAGES; message++) {
                for (unsigned i = 0; i < SPREAD; i++, at += SPREAD_STEP) {
                        const unsigned index = nova_utcb_item_index(i);
                        t->utcb->word[index] = obj(t->value[1], ALL);
                        t->utcb->word[index + 1] = item_upper(NOVA_ITEM_DELEGATE, at);
                }
                t->utcb->items = nova_utcb_items(0, SPREAD);
                t->value[3] += hc_call(t->value[0], 0) == NOVA_SUCCESS;
        }
}

/* Each message keeps to its receiver's limit and may use all of it, regardless of the cost of
 * messages on other CPUs. */
CASE_ON(receive, floods_on_all_cpus_cost_no_more_than_their_limits, "X-RECEIVE", needs_receive)
{
        const word_t bytes = 16 * TABLE, least = bytes / (TABLE + 0x100) - 4;
        const unsigned n = cpu_count > 4 ? 4 : cpu_count;
        const nova_sel_t sm = semaphore(0);
        struct thread *to[4], *from[4];
        for (unsigned i = 0; i < n; i++) {
                const nova_sel_t window = (i + 1) << SPREAD_ORDER;
                to[i] = server(cpu_numbers[i]);
                to[i]->fn = count_items;
                windows(to[i], 0, nova_crd(NOVA_CRD_OBJ, window, SPREAD_ORDER, ALL));
                EXPECT_EQ(limit(to[i]->ec, bytes), NOVA_SUCCESS);
                from[i] = global(cpu_numbers[i], send_spread, NULL);
                from[i]->value[0] = to[i]->pt;
                from[i]->value[1] = sm;
                from[i]->value[2] = window;
        }
        const word_t before = used();
        for (unsigned i = 0; i < n; i++)
                thread_start(from[i], PRIO_CASE, QUANTUM);
        for (unsigned i = 0; i < n; i++) {
                EXPECT(wait_for(&from[i]->done, 1));
                EXPECT_EQ(from[i]->value[3], MESSAGES);
                EXPECT(to[i]->value[0] >= MESSAGES * least);
                EXPECT(to[i]->value[0] < MESSAGES * SPREAD);
        }
        EXPECT(used() - before <= n * MESSAGES * bytes);
        EXPECT_EQ(hc_revoke(obj(sm, ALL), 0), NOVA_SUCCESS);
}

CASE_ON(receive, a_flood_of_pages_costs_no_more_than_the_limit, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        const word_t src = page_of(memory(0)), dst = page_alloc(WINDOW);
        for (word_t bytes = NOVA_EC_RECEIVE_ALL; bytes; bytes = bytes > 0x40000 ? 0x40000 : 0) {
                EXPECT_EQ(limit(t->ec, bytes), NOVA_SUCCESS);
                windows(t, 0, mem(dst, WINDOW, ALL));
                for (unsigned i = 0; i < ITEMS; i++)
                        item(i, mem(src, 0, ALL), dst + 256 * i);
                const word_t before = used();
                const unsigned got = send_items(t, ITEMS);
                const word_t cost = used() - before;
                EXPECT(bytes == NOVA_EC_RECEIVE_ALL ? got == ITEMS : got && got < ITEMS);
                EXPECT(bytes == NOVA_EC_RECEIVE_ALL ? cost >= ITEMS / 2 * TABLE : cost <= bytes);
                for (unsigned i = 0; i < ITEMS; i++)
                        EXPECT(!copy[i] == !remote_look(t, NOVA_CRD_MEM, dst + 256 * i));
                EXPECT_EQ(hc_revoke(mem(src, 0, ALL), 0), NOVA_SUCCESS);
        }
}

CASE_ON(receive, a_range_of_capabilities_beyond_the_limit_is_null_and_free, "X-RECEIVE",
        needs_receive)
{
        struct thread *t = receiver();
        const nova_sel_t src = sel_alloc(6), dst = CHILD_FREE_SEL, near = dst + 64;
        for (unsigned i = 0; i < 64; i++)
                EXPECT_EQ(hc_create_sm(src + i, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT(give(t, obj(src, ALL), near) != 0); /* the tables exist */
        const word_t before = used();
        EXPECT_EQ(limit(t->ec, 1024), NOVA_SUCCESS);
        EXPECT_EQ(give(t, nova_crd(NOVA_CRD_OBJ, src, 6, ALL), dst), 0);
        EXPECT_EQ(used(), before);
        for (unsigned i = 0; i < 64; i++)
                EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, dst + i), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, src), obj(src, ALL));
        EXPECT(remote_look(t, NOVA_CRD_OBJ, near) != 0);
        EXPECT_EQ(limit(t->ec, 64 * 128), NOVA_SUCCESS);
        EXPECT(give(t, nova_crd(NOVA_CRD_OBJ, src, 6, ALL), dst) != 0);
        EXPECT(remote_look(t, NOVA_CRD_OBJ, dst + 63) != 0);
        EXPECT(used() - before <= 64 * 128);
}

CASE_ON(receive, pieces_of_memory_beyond_the_limit_are_null_and_free, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        const word_t src = page_of(memory(6)), dst = page_alloc(7), near = dst + 64;
        for (unsigned i = 0; i < 64; i += 2)
                EXPECT_EQ(hc_revoke(mem(src + i, 0, NOVA_MEM_W), NOVA_REVOKE_SR), NOVA_SUCCESS);
        EXPECT(give(t, mem(src, 0, ALL), near) != 0); /* the tables exist */
        const word_t before = used();
        EXPECT_EQ(limit(t->ec, 1024), NOVA_SUCCESS);
        EXPECT_EQ(give(t, mem(src, 6, ALL), dst), 0);
        EXPECT_EQ(used(), before);
        for (unsigned i = 0; i < 64; i++) {
                EXPECT_EQ(remote_look(t, NOVA_CRD_MEM, dst + i), 0);
                EXPECT_EQ(remote_read(t, (dst + i) << NOVA_PAGE_BITS), 1);
        }
        EXPECT_EQ(remote_read(t, near << NOVA_PAGE_BITS), 0);
        EXPECT_EQ(limit(t->ec, 64 * 256), NOVA_SUCCESS);
        EXPECT(give(t, mem(src, 6, ALL), dst) != 0);
        EXPECT_EQ(remote_read(t, (dst + 63) << NOVA_PAGE_BITS), 0);
}

/* Maps memory so that no part of it fits into a large page. Returns its first page. */
static word_t small_pages(void)
{
        const word_t from = page_of(memory(LARGE + 1)), to = page_alloc(LARGE);
        for (unsigned i = 0; i < 1u << (LARGE - 8); i++)
                EXPECT(give_self(mem(from + 256 * (i + 1), 8, ALL), to + 256 * i) != 0);
        return to;
}

/* Sends two ranges of memory whose tables are made and freed in several steps, and expects that at
 * least one of them is refused. Afterwards no memory is in use, except for root tables. roots: the
 * number of these tables. */
static void expect_large_refused(word_t upper, word_t roots)
{
        struct thread *t = receiver();
        const word_t src = small_pages(), dst = page_alloc(LARGE + 2);
        const word_t before = used();
        EXPECT_EQ(limit(t->ec, 3 * TABLE + 512), NOVA_SUCCESS);
        windows(t, 0, mem(dst, LARGE + 2, ALL));
        for (unsigned i = 0; i < 2; i++) {
                item(i, mem(src, LARGE, ALL), dst + (i << LARGE));
                self->utcb->word[nova_utcb_item_index(i) + 1] |= upper;
        }
        const unsigned got = send_items(t, 2);
        EXPECT(used() - before <= 3 * TABLE + 512);
        for (unsigned i = 0; i < 2; i++)
                for (unsigned page = 0; page < 1u << LARGE; page += 255) {
                        const word_t at = dst + (i << LARGE) + page;
                        EXPECT_EQ(!remote_look(t, NOVA_CRD_MEM, at), !copy[i]);
                        EXPECT_EQ(remote_read(t, at << NOVA_PAGE_BITS), !copy[i]);
                }
        EXPECT(got < 2);
        EXPECT_EQ(hc_revoke(mem(src, LARGE, ALL), 0), NOVA_SUCCESS);
        EXPECT(used() - before <= roots * TABLE); /* the PD keeps its root tables */
}

CASE_ON(receive, large_memory_beyond_the_limit_is_null_and_free, "X-RECEIVE", needs_receive)
{
        expect_large_refused(0, 0);
}

CASE_ON(receive, tables_of_devices_and_guests_count_too, "X-RECEIVE", needs_receive)
{
        expect_large_refused(NOVA_ITEM_D, 1);
        expect_large_refused(NOVA_ITEM_G, 1);
        expect_large_refused(NOVA_ITEM_D | NOVA_ITEM_G, 2);
}

CASE_ON(receive, ports_count_too, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        const nova_sel_t port = 0x80;
        EXPECT(request(io(port, 0), port) != 0);
        const word_t before = used();
        EXPECT_EQ(limit(t->ec, TABLE), NOVA_SUCCESS);
        EXPECT_EQ(give(t, io(port, 0), port), 0);
        EXPECT_EQ(remote_in(t, port), 1);
        EXPECT(used() - before <= 5 * TABLE); /* the PD keeps a bitmap once it exists */
        EXPECT_EQ(limit(t->ec, 5 * TABLE), NOVA_SUCCESS);
        EXPECT(give(t, io(port, 0), port) != 0);
        EXPECT_EQ(remote_in(t, port), 0);
}

CASE_ON(receive, an_item_after_one_beyond_the_limit_uses_the_rest_of_the_limit, "X-RECEIVE",
        needs_receive)
{
        struct thread *t = receiver();
        const nova_sel_t src = sel_alloc(6), dst = CHILD_FREE_SEL, near = dst + 64;
        for (unsigned i = 0; i < 64; i++)
                EXPECT_EQ(hc_create_sm(src + i, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT(give(t, obj(src, ALL), near) != 0);
        EXPECT_EQ(limit(t->ec, 1024), NOVA_SUCCESS);
        windows(t, 0, nova_crd(NOVA_CRD_OBJ, dst, 8, ALL));
        item(0, obj(src, ALL), dst + 128);
        item(1, nova_crd(NOVA_CRD_OBJ, src, 6, ALL), dst);
        item(2, obj(src + 1, ALL), dst + 129);
        EXPECT_EQ(send_items(t, 3), 2);
        EXPECT_EQ(copy[1], 0);
        EXPECT(remote_look(t, NOVA_CRD_OBJ, dst + 128) != 0);
        EXPECT(remote_look(t, NOVA_CRD_OBJ, dst + 129) != 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, dst), 0);
}

CASE_ON(receive, others_of_the_window_stay_when_an_item_is_taken_back, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        const nova_sel_t src = sel_alloc(6), other = semaphore(0), dst = CHILD_FREE_SEL;
        for (unsigned i = 0; i < 64; i++)
                EXPECT_EQ(hc_create_sm(src + i, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT(give(t, obj(other, ALL), dst + 1) != 0);
        const word_t page = page_of(memory(2)), mine = page_of(memory(0)), to = page_alloc(2);
        EXPECT(give(t, mem(mine, 0, ALL), to + 1) != 0);
        const word_t before = used();
        EXPECT_EQ(limit(t->ec, 512), NOVA_SUCCESS);
        EXPECT_EQ(give(t, nova_crd(NOVA_CRD_OBJ, src, 6, ALL), dst), 0);
        EXPECT(remote_look(t, NOVA_CRD_OBJ, dst + 1) != 0);
        EXPECT_EQ(limit(t->ec, 150), NOVA_SUCCESS);
        EXPECT_EQ(give(t, mem(page, 2, ALL), to), 0);
        EXPECT(remote_look(t, NOVA_CRD_MEM, to + 1) != 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_MEM, to + 2), 0);
        EXPECT_EQ(used(), before);
}

CASE_ON(receive, one_item_keeps_to_a_small_limit, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        const nova_sel_t sm = semaphore(0);
        const word_t src = page_of(memory(0)), dst = page_alloc(0), before = used();
        EXPECT_EQ(limit(t->ec, 0), NOVA_SUCCESS);
        EXPECT_EQ(give(t, obj(sm, ALL), CHILD_FREE_SEL), 0);
        EXPECT_EQ(give(t, mem(src, 0, ALL), dst), 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL), 0);
        EXPECT_EQ(remote_look(t, NOVA_CRD_MEM, dst), 0);
        EXPECT_EQ(used(), before);
        EXPECT_EQ(limit(t->ec, 16 * TABLE), NOVA_SUCCESS);
        EXPECT(give(t, obj(sm, ALL), CHILD_FREE_SEL) != 0);
        EXPECT(give(t, mem(src, 0, ALL), dst) != 0);
}

CASE_ON(receive, translations_cost_nothing, "X-RECEIVE", needs_receive)
{
        struct thread *t = server(boot_cpu), *child = receiver();
        const nova_sel_t sm = semaphore(0);
        EXPECT(give(child, obj(sm, ALL), CHILD_FREE_SEL) != 0);
        EXPECT(give(child, obj(t->pt, ALL), CHILD_FREE_SEL + 1) != 0);
        EXPECT_EQ(limit(t->ec, 0), NOVA_SUCCESS);
        windows(t, nova_crd(NOVA_CRD_OBJ, 0, NOVA_CRD_ORDER_MASK, ALL), 0);
        EXPECT_EQ(send_from(child, CHILD_FREE_SEL + 1, t, obj(CHILD_FREE_SEL, ALL), 0),
                  obj(sm, ALL));
}

static void reply_with_item(struct thread *t)
{
        t->utcb->word[nova_utcb_item_index(0)] = (nova_crd_t)t->value[0];
        t->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        t->utcb->items = nova_utcb_items(0, 1);
}

CASE_ON(receive, a_reply_keeps_to_its_receivers_limit, "X-RECEIVE", needs_receive)
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t sm = semaphore(0), dst = sel_alloc(0);
        for (word_t bytes = 0; bytes <= 4 * TABLE; bytes += 4 * TABLE) {
                EXPECT_EQ(limit(self->ec, bytes), NOVA_SUCCESS);
                t->value[0] = obj(sm, ALL);
                t->fn = reply_with_item;
                self->utcb->delegate_window = obj(dst, ALL);
                self->utcb->items = 0;
                EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
                const bool came = self->utcb->word[nova_utcb_item_index(0)];
                self->utcb->delegate_window = 0;
                EXPECT_EQ(limit(self->ec, NOVA_EC_RECEIVE_ALL), NOVA_SUCCESS);
                EXPECT_EQ(came, bytes != 0);
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst) != 0, bytes != 0);
        }
}

CASE_ON(receive, the_answer_to_an_event_has_no_limit, "X-RECEIVE", needs_receive)
{
        struct thread *t = child_server(child_new(boot_cpu));
        EXPECT_EQ(limit(t->ec, 0), NOVA_SUCCESS);
        windows(t, 0, 0); /* replies to page faults deliver its code */
        EXPECT(t->event_count > 0);
        EXPECT_EQ(t->calls, 1);
}

/* Revokes a permission of every second page of a range from the PDs that received it. */
static void revoke_every_second_page(word_t first, unsigned order)
{
        for (word_t i = 1; i < (word_t)1 << order; i += 2)
                EXPECT_EQ(hc_revoke(mem(first + i, 0, NOVA_MEM_W), 0), NOVA_SUCCESS);
}

/* The message of one round is transferred at once, the message of the other round in steps. */
CASE_ON(receive, parts_of_memory_that_its_sender_revokes_cost_nothing, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        const word_t src = page_of(memory(6)), dst = page_alloc(7);
        for (word_t bytes = 8 * TABLE; bytes <= 16 * TABLE; bytes *= 2) {
                EXPECT_EQ(limit(t->ec, bytes), NOVA_SUCCESS);
                EXPECT(give(t, mem(src, 6, ALL), dst) != 0);
                const word_t before = used();
                revoke_every_second_page(src, 6);
                EXPECT(used() <= before);
                for (unsigned i = 0; i < 64; i++)
                        EXPECT_EQ(remote_look(t, NOVA_CRD_MEM, dst + i), 0);
                EXPECT_EQ(remote_read(t, dst << NOVA_PAGE_BITS), 1);
                EXPECT_EQ(look(NOVA_CRD_MEM, src), mem(src, 6, NOVA_MEM_RWX));
        }
        EXPECT_EQ(limit(t->ec, NOVA_EC_RECEIVE_ALL), NOVA_SUCCESS);
        EXPECT(give(t, mem(src, 6, ALL), dst) != 0);
        const word_t before = used();
        revoke_every_second_page(src, 6);
        EXPECT(used() > before);
        EXPECT_EQ(remote_look(t, NOVA_CRD_MEM, dst), mem(dst, 0, NOVA_MEM_RWX));
}

CASE_ON(receive, setting_it_needs_an_ec_and_all_permissions, "X-RECEIVE", needs_receive)
{
        struct thread *t = receiver();
        const nova_sel_t weak = sel_alloc(0);
        for (unsigned lacking = 0; lacking < 5; lacking++) {
                EXPECT(give_self(obj(t->ec, ALL & ~(1u << lacking)), weak) != 0);
                EXPECT_EQ(limit(weak, 0), NOVA_BAD_CAP);
                EXPECT_EQ(hc_revoke(obj(weak, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        }
        EXPECT_EQ(limit(weak, 0), NOVA_BAD_CAP);
        EXPECT_EQ(limit(semaphore(0), 0), NOVA_BAD_CAP);
        EXPECT_EQ(limit(ROOT_PD, 0), NOVA_BAD_CAP);
        EXPECT(give(t, obj(semaphore(0), ALL), CHILD_FREE_SEL) != 0);
}
