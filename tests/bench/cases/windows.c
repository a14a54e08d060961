/* SPDX-License-Identifier: BSD-2-Clause */
/* Long operations in their worst cases. A plugin of the emulator measures each operation's longest
 * stretch with interrupts off. Markers tell the plugin which operation runs. */
#include "bench.h"

#define ALL         NOVA_PERM_ALL
#define ITEMS       NOVA_UTCB_TYPED_MAX
#define WIDE_ORDER  11
#define WIDE        (1u << WIDE_ORDER) /* delegations of one capability */
#define DEEP        990                /* delegations, each derived from the one before */
#define HALVES      500                /* mappings that a revocation cuts */
#define CAPS_ORDER  12
#define PAGES_ORDER 9
#define THREADS     100
#define WAITERS     24
#define LARGEST     NOVA_CRD_ORDER_MASK
#define FIRST_PAGE  0x70000 /* addresses with no other use */

/* Runs the operation between two markers, and announces its name on the console. */
#define MARKED(n, key, operation)                        \
        do {                                             \
                console_string("mark " #n " " key "\n"); \
                MARKER(n);                               \
                operation;                               \
                MARKER(0);                               \
        } while (0)

static nova_sel_t target(void)
{
        static nova_sel_t base;

        if (!base)
                base = sel_far(CAPS_ORDER + 1);
        return base;
}

/* Makes a thread of this PD that accepts everything sent to it, into a wide window. */
static struct thread *taker(unsigned type)
{
        struct thread *t = server(boot_cpu);

        windows(t, nova_crd(type, 0, LARGEST, ALL), nova_crd(type, 0, LARGEST, ALL));
        return t;
}

static void copy_to(struct thread *t, nova_crd_t crd, word_t to)
{
        EXPECT(send(t, crd, item_upper(NOVA_ITEM_DELEGATE, to)) != 0);
}

CASE(windows, revoke_wide, "")
{
        struct thread *t = taker(NOVA_CRD_OBJ);
        const nova_crd_t crd = obj(semaphore(0), ALL);

        for (word_t i = 0; i < WIDE; i++)
                copy_to(t, crd, target() + i);
        MARKED(1, "off_revoke_wide", EXPECT_EQ(hc_revoke(crd, 0), NOVA_SUCCESS));
}

CASE(windows, revoke_deep, "")
{
        struct thread *t = taker(NOVA_CRD_MEM);
        word_t page = page_of(memory(0));
        const nova_crd_t crd = mem(page, 0, ALL);

        for (word_t i = 0; i < DEEP; i++) {
                /* Consecutive pages are in different page tables. */
                copy_to(t, mem(page, 0, ALL), FIRST_PAGE + (i << 9) % 0x20000 + i);
                page = FIRST_PAGE + (i << 9) % 0x20000 + i;
        }
        MARKED(2, "off_revoke_deep", EXPECT_EQ(hc_revoke(crd, 0), NOVA_SUCCESS));
}

CASE(windows, revoke_cut, "")
{
        struct thread *t = taker(NOVA_CRD_MEM);
        const word_t page = page_of(memory(1));

        for (word_t i = 0; i < HALVES; i++)
                copy_to(t, mem(page, 1, ALL), FIRST_PAGE + 2 * i);
        MARKED(3, "off_revoke_cut", EXPECT_EQ(hc_revoke(mem(page, 0, ALL), 0), NOVA_SUCCESS));
        hc_revoke(mem(page, 1, ALL), 0);
}

/* Each mapping of a long chain crosses the end of the revoked range. */
CASE(windows, revoke_cut_deep, "")
{
        struct thread *t = taker(NOVA_CRD_MEM);
        const word_t first = page_of(memory(1));
        word_t page = first;

        for (word_t i = 0; i < DEEP; i++) {
                copy_to(t, mem(page, 1, ALL), FIRST_PAGE + 2 * i);
                page = FIRST_PAGE + 2 * i;
        }
        MARKED(15, "off_revoke_cut_deep",
               EXPECT_EQ(hc_revoke(mem(first, 0, ALL), 0), NOVA_SUCCESS));
        hc_revoke(mem(first, 1, ALL), 0);
}

/* As many items as fit into a message. Each names the whole space. */
CASE(windows, delegate_items, "")
{
        struct thread *t = child_server(child_new(boot_cpu));

        for (unsigned i = 0; i < ITEMS; i++) {
                self->utcb->word[nova_utcb_item_index(i)] = nova_crd(NOVA_CRD_MEM, 0, LARGEST, ALL);
                self->utcb->word[nova_utcb_item_index(i) + 1] = NOVA_ITEM_DELEGATE;
        }
        windows(t, 0, nova_crd(NOVA_CRD_MEM, 0, LARGEST, ALL));
        self->utcb->items = nova_utcb_items(0, ITEMS);
        MARKED(4, "off_delegate_items", EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS));
}

/* The array is a part of the image, whose frames are not large pages. */
CASE(windows, delegate_pages, "")
{
        static char array[NOVA_PAGE_SIZE << PAGES_ORDER]
                __attribute__((aligned(NOVA_PAGE_SIZE << PAGES_ORDER)));
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_crd_t crd = mem(page_of(array), PAGES_ORDER, ALL);

        MARKED(5, "off_delegate_pages", EXPECT(give(t, crd, FIRST_PAGE) != 0));
        MARKED(6, "off_revoke_pages", EXPECT_EQ(hc_revoke(crd, 0), NOVA_SUCCESS));
}

CASE(windows, translate_items, "")
{
        struct thread *t = taker(NOVA_CRD_OBJ);
        nova_sel_t sel = semaphore(0);

        for (word_t i = 0; i < DEEP - 1; i++) {
                copy_to(t, obj(sel, ALL), target() + i);
                sel = target() + i;
        }
        for (unsigned i = 0; i < ITEMS; i++) {
                self->utcb->word[nova_utcb_item_index(i)] = obj(sel, ALL);
                self->utcb->word[nova_utcb_item_index(i) + 1] = 0;
        }
        /* No ancestor is in this range, so the search visits all of them. */
        windows(t, obj(self->ec, ALL), 0);
        self->utcb->items = nova_utcb_items(0, ITEMS);
        MARKED(7, "off_translate_items", EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS));
}

CASE(windows, create_pd_with_all, "")
{
        const nova_sel_t pd = sel_alloc(0);

        for (word_t i = 0; i < 1u << CAPS_ORDER; i++)
                EXPECT_EQ(hc_create_sm(target() + i, ROOT_PD, 0), NOVA_SUCCESS);
        MARKED(8, "off_create_pd",
               EXPECT_EQ(hc_create_pd(pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, 0, LARGEST, ALL)),
                         NOVA_SUCCESS));
        MARKED(9, "off_revoke_objects",
               hc_revoke(nova_crd(NOVA_CRD_OBJ, target(), CAPS_ORDER, ALL), NOVA_REVOKE_SR));
        hc_revoke(obj(pd, ALL), NOVA_REVOKE_SR);
}

CASE_ON(windows, destroy_pd, "", needs_pd_destroy)
{
        const nova_sel_t pd = sel_alloc(0);

        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, 0, LARGEST, ALL)), NOVA_SUCCESS);
        for (word_t i = 0; i < THREADS; i++)
                EXPECT_EQ(hc_create_ec(target() + i, pd,
                                       (FIRST_PAGE + (i << 9)) << NOVA_PAGE_BITS | boot_cpu, 0, 0,
                                       NOVA_EC_GLOBAL),
                          NOVA_SUCCESS);
        MARKED(10, "off_destroy_pd", EXPECT_EQ(hc_pd_destroy(pd), NOVA_SUCCESS));
        hc_revoke(nova_crd(NOVA_CRD_OBJ, target(), CAPS_ORDER, ALL), NOVA_REVOKE_SR);
}

/* Many small objects end: their memory is freed after a grace period. */
CASE(windows, objects_come_and_go, "")
{
        MARKED(
                11, "off_create_destroy", for (word_t i = 0; i < WIDE; i++) {
                        hc_create_pd(target(), ROOT_PD, 0);
                        hc_create_ec(target() + 1, target(),
                                     FIRST_PAGE << NOVA_PAGE_BITS | boot_cpu, 0, 0, 0);
                        hc_revoke(nova_crd(NOVA_CRD_OBJ, target(), 1, ALL), NOVA_REVOKE_SR);
                });
}

/* Threads without a handler for their first event: the scheduler chooses each of them, and it
 * ends. */
CASE(windows, threads_end, "")
{
        const nova_sel_t sm = semaphore(0);

        for (word_t i = 0; i < THREADS; i++)
                EXPECT_EQ(hc_create_ec(target() + i, ROOT_PD,
                                       (FIRST_PAGE + i) << NOVA_PAGE_BITS | boot_cpu, 0, 0x100000,
                                       NOVA_EC_GLOBAL),
                          NOVA_SUCCESS);
        for (word_t i = 0; i < THREADS; i++)
                EXPECT_EQ(hc_create_sc(target() + THREADS + i, ROOT_PD, target() + i,
                                       nova_qpd(QUANTUM, PRIO_CASE)),
                          NOVA_SUCCESS);
        /* All of them are chosen before this thread is chosen again. */
        struct thread *waker = global(boot_cpu, thread_exit_fn, NULL);
        thread_start(waker, PRIO_LOW, QUANTUM);
        MARKED(12, "off_threads_end", spin_us(3 * QUANTUM));
        hc_sm_ctrl(sm, NOVA_SM_UP_OP);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, target(), CAPS_ORDER, ALL), NOVA_REVOKE_SR);
}

static void wait_on(struct thread *t)
{
        hc_sm_ctrl((nova_sel_t)(word_t)t->arg, NOVA_SM_DN_OP);
}

CASE(windows, semaphore_ends, "")
{
        const nova_sel_t sm = semaphore(0);

        for (unsigned i = 0; i < WAITERS; i++)
                run_thread(boot_cpu, PRIO_HIGH, wait_on, (void *)(word_t)sm);
        MARKED(13, "off_semaphore_end", hc_revoke(obj(sm, ALL), NOVA_REVOKE_SR));
}

/* Keeps the thread busy, so that its callers help it. The case measures the end of such a
 * thread. */
static void sleep_in_portal(struct thread *t)
{
        hc_sm_ctrl((nova_sel_t)(word_t)t->arg, NOVA_SM_DN_OP);
}

static void call_it(struct thread *t)
{
        hc_call((nova_sel_t)(word_t)t->arg, 0);
}

CASE(windows, busy_thread_ends, "")
{
        struct thread *t = server(boot_cpu);

        t->fn = sleep_in_portal;
        t->arg = (void *)(word_t)semaphore(0);
        for (unsigned i = 0; i < WAITERS; i++)
                run_thread(boot_cpu, PRIO_HIGH, call_it, (void *)(word_t)t->pt);
        hc_revoke(obj(t->pt, ALL), NOVA_REVOKE_SR);
        MARKED(14, "off_busy_thread_end", hc_revoke(obj(t->ec, ALL), NOVA_REVOKE_SR));
}
