/* SPDX-License-Identifier: BSD-2-Clause */
/* 10,000 objects connected to one thread or one CPU: SCs that sleep with a thread, links of a chain
 * of calls, threads that help one thread, mails; and long chains of delegations with many siblings.
 * The kernel's work for them with interrupts off must not grow with their number; the tests of the
 * label stretch check that. These cases check that all of them continue, and that a thread of
 * higher priority does not wait for them. */
#include "nova/abi/event.h"
#include "stress.h"

#define MANY       10000u
#define MANY_ORDER 14
/* Number with several CPUs, because the end of each object then flushes TLBs. */
#define FEWER     1000u
#define PRIO_MANY 120 /* above the priority of the thread that runs the case */

static nova_sel_t ecs, scs, pts, events;
static word_t utcbs;
static word_t stack_of[MANY][2]; /* the whole stack of a thread holds its hypercall */
static struct thread *starter;
static unsigned many; /* number of objects in this case */

/* Replies to the first event of a thread, which then makes the hypercall at the top of its
 * stack. */
static void starts(struct thread *t)
{
        t->fn = starts;
        t->utcb->state.mtd = NOVA_MTD_EIP;
        t->utcb->state.ip = (word_t)portal_forward;
        t->utcb->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
}

static void set_up(unsigned cpu)
{
        case_seconds(100);
        many = cpu_count == 1 ? MANY : FEWER;
        if (!ecs) {
                ecs = sel_far(MANY_ORDER);
                scs = sel_far(MANY_ORDER);
                pts = sel_far(MANY_ORDER);
                utcbs = page_alloc(MANY_ORDER) << NOVA_PAGE_BITS;
        }
        events = sel_alloc(5);
        starter = server(cpu);
        starter->fn = starts;
        EXPECT_EQ(hc_create_pt(events + NOVA_EXC_STARTUP, ROOT_PD, starter->ec, 0,
                               (word_t)portal_entry),
                  NOVA_SUCCESS);
}

static void make_ec(unsigned n, unsigned cpu, word_t flags, word_t asks)
{
        stack_of[n][0] = asks;
        EXPECT_EQ(hc_create_ec(ecs + n, ROOT_PD, (utcbs + n * NOVA_PAGE_SIZE) | cpu,
                               (word_t)stack_of[n], events, flags),
                  NOVA_SUCCESS);
}

static void make_sc(unsigned n, nova_sel_t ec, unsigned prio)
{
        EXPECT_EQ(hc_create_sc(scs + n, ROOT_PD, ec, nova_qpd(QUANTUM, prio)), NOVA_SUCCESS);
}

static void drop_range(nova_sel_t base)
{
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, base, MANY_ORDER, ALL), NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
}

static void drop(nova_sel_t sel)
{
        EXPECT_EQ(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

static void clean_up(void)
{
        drop_range(scs);
        drop_range(pts);
        drop_range(ecs);
}

static void waits(struct thread *t)
{
        t->value[1] = hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP);
        t->value[2] = 1;
}

static struct thread *waiter(unsigned cpu, unsigned prio, nova_sel_t sm)
{
        struct thread *t = global(cpu, waits, NULL);
        t->value[0] = sm;
        thread_start(t, prio, QUANTUM);
        return t;
}

static void calls(struct thread *t)
{
        t->utcb->items = 0;
        t->value[1] = hc_call(t->value[0], 0);
        t->value[2] = 1;
}

static struct thread *caller(unsigned prio, nova_sel_t pt)
{
        struct thread *t = global(boot_cpu, calls, NULL);
        t->value[0] = pt;
        thread_start(t, prio, QUANTUM);
        return t;
}

/* ---- SCs that sleep with one thread -----------------------------------------------------------
 */

CASE(many, scs_of_one_thread_sleep_and_wake, "3.1-08 3.1-14")
{
        set_up(boot_cpu);
        const nova_sel_t sm = semaphore(0);
        struct thread *t = waiter(boot_cpu, PRIO_HIGH, sm);
        for (unsigned n = 0; n < many; n++)
                /* The SC runs, finds t waiting, and sleeps. */
                make_sc(n, t->ec, PRIO_MANY + n % 10);
        EXPECT_EQ(t->value[2], 0);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->value[2], 1);
        EXPECT_EQ(t->value[1], NOVA_SUCCESS);
        clean_up();
}

/* The woken SCs have a lower priority than the thread that wakes them. Other threads preempt this
 * thread meanwhile. */
CASE(many, scs_that_wake_delay_no_thread_of_higher_priority, "3.1-08 3.1-14")
{
        set_up(boot_cpu);
        const nova_sel_t sm = semaphore(0), other = semaphore(0);
        struct thread *t = waiter(boot_cpu, PRIO_HIGH, sm),
                      *high = waiter(boot_cpu, PRIO_HIGH, other);
        for (unsigned n = 0; n < many; n++)
                make_sc(n, t->ec, PRIO_MANY);
        drop(t->sc);
        for (unsigned n = 0; n < many; n += 2)
                drop(scs + n);
        make_sc(0, t->ec, PRIO_LOW);
        EXPECT_EQ(hc_sm_ctrl(other, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(high->value[2], 1);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->value[2], 1);
        clean_up();
}

/* ---- A chain of calls -------------------------------------------------------------------------
 */

/* Portals of which each calls the next; the last one waits for the semaphore. */
static void make_chain(nova_sel_t sm)
{
        for (unsigned n = many; n-- > 0;) {
                make_ec(n, boot_cpu, 0,
                        n + 1 == many ? nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sm)
                                      : nova_hypercall_id(NOVA_CALL, 0, pts + n + 1));
                EXPECT_EQ(hc_create_pt(pts + n, ROOT_PD, ecs + n, 0, (word_t)portal_forward),
                          NOVA_SUCCESS);
        }
}

static void end_ec(unsigned n)
{
        drop(pts + n);
        drop(ecs + n);
}

/* The first part of the chain ends: its caller and its helper continue at once. */
CASE(many, links_of_a_chain_lose_their_callers, "5.2.1-11 3.6-11")
{
        set_up(boot_cpu);
        const nova_sel_t sm = semaphore(0);
        make_chain(sm);
        struct thread *first = caller(PRIO_HIGH, pts), *second = caller(PRIO_MANY, pts);
        EXPECT_EQ(first->value[2], 0);
        EXPECT_EQ(second->value[2], 0);
        end_ec(0);
        EXPECT_EQ(first->value[2], 1);
        EXPECT_EQ(first->value[1], NOVA_COM_ABT);
        EXPECT_EQ(second->value[2], 1);
        EXPECT(second->value[1] != NOVA_SUCCESS);
        /* The rest of the chain continues when another caller helps it. This caller's own call
         * begins only after that. */
        struct thread *third = caller(PRIO_HIGH, pts + 1);
        hc_sm_ctrl(sm, NOVA_SM_UP_OP);
        EXPECT_EQ(third->value[2], 0);
        hc_sm_ctrl(sm, NOVA_SM_UP_OP);
        EXPECT_EQ(third->value[2], 1);
        EXPECT_EQ(third->value[1], NOVA_SUCCESS);
        clean_up();
}

/* The whole chain ends, from the callers down. */
CASE(many, links_of_a_chain_end_from_the_first_on, "5.2.1-11 3.6-11")
{
        set_up(boot_cpu);
        make_chain(semaphore(0));
        struct thread *first = caller(PRIO_HIGH, pts);
        EXPECT_EQ(first->value[2], 0);
        for (unsigned n = 0; n < 100; n++)
                end_ec(n);
        EXPECT_EQ(first->value[2], 1);
        EXPECT_EQ(first->value[1], NOVA_COM_ABT);
        /* The rest ends upwards from the last link, which takes less work. */
        for (unsigned n = many; n-- > 100;)
                drop(pts + n), drop(ecs + n);
        clean_up();
}

/* ---- Helpers ----------------------------------------------------------------------------------
 */

static void sleeps_in_portal(struct thread *t)
{
        hc_sm_ctrl((nova_sel_t)(word_t)t->arg, NOVA_SM_DN_OP);
}

CASE(many, helpers_of_a_thread_that_ends, "3.6-11 5.2.1-11")
{
        set_up(boot_cpu);
        struct thread *t = server(boot_cpu);
        t->fn = sleeps_in_portal;
        t->arg = (void *)(word_t)semaphore(0);
        struct thread *first = caller(PRIO_HIGH, t->pt);
        for (unsigned n = 0; n < many; n++) {
                make_ec(n, boot_cpu, NOVA_EC_GLOBAL, nova_hypercall_id(NOVA_CALL, 0, t->pt));
                make_sc(n, ecs + n, PRIO_MANY + n % 10);
        }
        EXPECT_EQ(first->value[2], 0);
        drop(t->pt);
        drop(t->ec);
        EXPECT_EQ(first->value[2], 1);
        EXPECT_EQ(first->value[1], NOVA_COM_ABT);
        clean_up();
}

/* The helpers of a thread end before the thread does. */
CASE(many, helpers_end_themselves, "3.6-11")
{
        set_up(boot_cpu);
        struct thread *t = server(boot_cpu);
        t->fn = sleeps_in_portal;
        t->arg = (void *)(word_t)semaphore(0);
        caller(PRIO_HIGH, t->pt);
        for (unsigned n = 0; n < many; n++) {
                make_ec(n, boot_cpu, NOVA_EC_GLOBAL, nova_hypercall_id(NOVA_CALL, 0, t->pt));
                make_sc(n, ecs + n, PRIO_MANY);
        }
        clean_up();
        drop(t->pt);
        drop(t->ec);
}

/* ---- Mail -------------------------------------------------------------------------------------
 */

/* All threads that wait for a semaphore on another CPU wake at once. */
CASE_ON(many, mails_to_a_cpu, "3.1-08 3.6-11", needs_2_cpus)
{
        const unsigned cpu = cpu_numbers[1];
        set_up(cpu);
        const nova_sel_t sm = semaphore(0), done = semaphore(0);
        for (unsigned n = 0; n < many; n++) {
                make_ec(n, cpu, NOVA_EC_GLOBAL, nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sm));
                make_sc(n, ecs + n, PRIO_MANY);
        }
        rest(1000); /* all of them have done their down */
        struct thread *t = waiter(cpu, PRIO_HIGH, sm);
        wait_for(&t->started, 1);
        drop(sm);
        EXPECT(wait_for(&t->value[2], 1));
        EXPECT_EQ(t->value[1], NOVA_BAD_CAP);
        /* A thread of lower priority runs after all others are done. */
        struct thread *low = waiter(cpu, PRIO_LOW, done);
        hc_sm_ctrl(done, NOVA_SM_UP_OP);
        EXPECT(wait_for(&low->value[2], 1));
        clean_up();
}

/* ---- Translation ------------------------------------------------------------------------------
 */

#define LEVELS         980
#define SIBLINGS       100
#define SIBLINGS_ORDER 17 /* 2^SIBLINGS_ORDER pages are enough for all levels */

/* Delegates a page within the root PD to many others, all in one message. */
static void spread(const struct thread *t, word_t page, word_t first)
{
        struct nova_utcb *utcb = self->utcb;
        utcb->items = nova_utcb_items(0, SIBLINGS);
        for (unsigned i = 0; i < SIBLINGS; i++) {
                word_t *item = &utcb->word[nova_utcb_item_index(i)];
                item[0] = mem(page, 0, NOVA_MEM_R);
                item[1] = item_upper(NOVA_ITEM_DELEGATE, first + i);
        }
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
}

/* Each ancestor of a page has many children, so that the way up to it is long. */
CASE_ON(many, ancestors_of_a_page_with_many_siblings_each, "4.6.2.2-13", needs_large_pool)
{
        case_seconds(100);
        const word_t src = page_of(memory(0)), copies = page_alloc(SIBLINGS_ORDER);
        struct thread *t = server(boot_cpu);
        word_t page = src;
        for (unsigned level = 0; level < LEVELS; level++) {
                const word_t first = copies + level * SIBLINGS;
                windows(t, 0, mem(0, NOVA_CRD_ORDER_MASK, ALL));
                spread(t, page, first);
                page = first + SIBLINGS / 2;
        }
        windows(t, mem(src, 0, ALL), 0);
        EXPECT_EQ(send(t, mem(page, 0, ALL), 0), mem(src, 0, NOVA_MEM_R));
        EXPECT_EQ(hc_revoke(mem(src, 0, ALL), 0), NOVA_SUCCESS);
        EXPECT_EQ(look(NOVA_CRD_MEM, page), 0);
}
