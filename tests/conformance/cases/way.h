/* SPDX-License-Identifier: BSD-2-Clause */
/* A way is a chain of servers that leads from a thread up to the root PD. Its last server drops the
 * objects of the thread, which is called doomed. The cases on the lifetime of scheduling contexts
 * use ways. */
#ifndef NOVA_CONFORMANCE_WAY_H
#define NOVA_CONFORMANCE_WAY_H

#include "harness.h"

#define ALL  NOVA_PERM_ALL
#define MOST 3 /* maximum number of protection domains above the thread */

#define SERVER_BYTES 0x40000 /* size of the account for a server's PD, or for a doomed thread */

/* Selectors of the doomed thread: one aligned range of the root PD. The object at SEL_STAYS is not
 * dropped, so the table of the range stays. */
#define SEL_PD      0
#define SEL_EC      1
#define SEL_SC      2
#define SEL_STAYS   127
#define SEL_EVENTS  128
#define CALL_PORTAL 64 /* after the event portals; the thread's own PD uses the same selectors */

/* The way from the thread up to the root PD, and the actions of the last server. */
static struct {
        /* In the reverse order of calls: the last server is server[0]. */
        struct thread *server[MOST];
        unsigned depth;

        nova_sel_t drop[3]; /* selectors to drop, in this order */
        unsigned drops;
        /* Semaphores on which the last server does a down before and after the drops; 0: none. */
        nova_sel_t before, after;
        bool deadline;        /* the down of the second semaphore has a deadline that expires */
        word_t status[2];     /* results of the two downs */
        volatile word_t done; /* requests served */
} way;

struct doomed {
        nova_sel_t base;
        nova_sel_t payer; /* owner of the thread's PD and SC; 0: the root PD */
        struct thread *t;
        bool own_pd;
};

static inline word_t used_by(nova_sel_t pd)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return a.a2;
}

static inline word_t used(void)
{
        return used_by(ROOT_PD);
}

/* Waits for 1 ms, in which the kernel may free memory of ended objects. The create asks for more
 * than the limit of the account, so it fails at once. */
static inline void settle(nova_sel_t sm)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, sm + 1), ROOT_PD, 0,
                         ~(word_t)0, 0};
        EXPECT_EQ(hypercall(&a), NOVA_OUT_OF_MEMORY);
        hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + tsc_per_ms());
}

/* Waits until at most this number of bytes of the root PD's account are in use. On a busy host, the
 * number that was read in the first round may include objects of the previous case. */
static inline bool comes_to(word_t bytes, nova_sel_t sm)
{
        for (unsigned ms = 0; ms < 1000; ms++) {
                settle(sm);
                if (used() <= bytes)
                        return true;
        }
        return false;
}

static inline word_t settled(nova_sel_t sm)
{
        word_t bytes = 0;
        for (unsigned same = 0, ms = 0; same < 30 && ms < 1000; ms++) {
                settle(sm);
                same = used() == bytes ? same + 1 : 0;
                bytes = used();
        }
        return bytes;
}

static inline void drop(nova_sel_t sel)
{
        hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR);
}

/* ---- The way ----------------------------------------------------------------------------------
 */

static inline void serves(struct thread *t)
{
        t->fn = serves;
        if (way.before)
                way.status[0] = hc_sm_ctrl(way.before, NOVA_SM_DN_OP);
        for (unsigned i = 0; i < way.drops; i++)
                drop(way.drop[i]);
        if (way.after)
                way.status[1] =
                        way.deadline ? hc_sm_until(way.after, NOVA_SM_DN_OP, tsc() + tsc_per_ms())
                                     : hc_sm_ctrl(way.after, NOVA_SM_DN_OP);
        way.done++;
        t->utcb->state.mtd = 0;
        t->utcb->items = nova_utcb_items(1, 0);
}

static inline void forwards(struct thread *t)
{
        t->fn = forwards;
        t->utcb->items = 0;
        t->value[1] = hc_call(t->value[0], 0);
        t->utcb->state.mtd = 0;
        t->utcb->items = nova_utcb_items(1, 0);
}

/* Makes a way of `depth` servers. The last server of the way is in the root PD, and each other
 * server is in a PD of its own, which has its own account. */
static inline void make_way(unsigned depth, unsigned cpu)
{
        way.depth = depth;
        way.drops = 0;
        way.before = way.after = 0;
        way.deadline = false;
        way.server[0] = server(cpu);
        way.server[0]->fn = serves;
        for (unsigned i = 1; i < depth; i++) {
                struct child *c = child_with_account(cpu, SERVER_BYTES, way.server[i - 1]);
                struct thread *t = child_server(c);
                t->value[0] = CHILD_WAY_SEL;
                t->fn = forwards;
                way.server[i] = t;
        }
        way.done = 0;
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static struct child nowhere;

/* Calls the way, whose last server drops the SC of this thread, and exits. */
static inline void asks(struct thread *t)
{
        t->utcb->items = 0;
        t->value[1] = 1;
        t->value[2] = hc_call(t->value[0], 0);
        t->value[1] = 2;
        ((void (*)(void))NOVA_USER_END)();
}

static inline void asks_and_stays(struct thread *t)
{
        t->utcb->items = 0;
        t->value[1] = 1;
        t->value[2] = hc_call(t->value[0], 0);
        t->value[1] = 2;
}

/* Makes a thread that calls the way, and lends its time to the servers on it. */
static inline struct thread *start_helper(unsigned cpu)
{
        struct thread *helper = global(cpu, asks_and_stays, NULL);
        helper->value[0] = way.server[way.depth - 1]->pt;
        thread_start(helper, PRIO_HIGH, QUANTUM);
        return helper;
}

static inline void drop_helper(const struct thread *helper)
{
        drop(helper->sc);
        drop(helper->ec);
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, helper->events, 5, ALL), NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
}

/* Raises an exception whose handler is the way. */
static inline void fails(struct thread *t)
{
        t->value[1] = 1;
        __asm__ volatile("ud2");
        t->value[1] = 2;
}

/* Handles the exit of a doomed thread: drops its EC, and its PD if it has one of its own. */
static inline bool exits(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n != NOVA_EXC_PF || u->state.qual[1] != NOVA_USER_END)
                return false;
        t->value[3]++;
        drop(t->value[4] + SEL_EC);
        if (t->child)
                drop(t->value[4] + SEL_PD);
        u->state.mtd = 0;
        u->items = nova_utcb_items(1, 0);
        return true;
}

static inline void make_range(struct doomed *d)
{
        d->base = sel_alloc(8);
        d->payer = 0;
        EXPECT_EQ(hc_create_sm(d->base + SEL_STAYS, ROOT_PD, 0), NOVA_SUCCESS);
}

/* Prepares rounds in which a doomed thread ends through a way. Creates the semaphore sm, on which
 * measurements of memory wait. */
static inline void begin_rounds(struct doomed *d, nova_sel_t sm, unsigned depth, unsigned cpu)
{
        EXPECT_EQ(hc_create_sm(sm, ROOT_PD, 0), NOVA_SUCCESS);
        make_way(depth, cpu);
        make_range(d);
}

static inline nova_sel_t payer_of(const struct doomed *d)
{
        return d->payer ? d->payer : ROOT_PD;
}

static inline struct thread *make_doomed(struct doomed *d, bool own_pd, thread_fn *fn, unsigned cpu)
{
        struct thread *t = thread_blank(cpu);
        const nova_sel_t first = d->base + SEL_EVENTS, way_ec = way.server[way.depth - 1]->ec;

        d->t = t;
        d->own_pd = own_pd;
        t->global = true;
        t->fn = fn;
        t->on_event = exits;
        t->events = first;
        t->own_events = own_pd ? 0 : first;
        t->child = own_pd ? &nowhere : NULL;
        t->value[4] = d->base;
        t->value[0] = t->own_events + CALL_PORTAL;
        event_portal(t, NOVA_EXC_STARTUP, NOVA_MTD_EXCEPTION);
        event_portal(t, NOVA_EXC_PF, NOVA_MTD_EXCEPTION);
        EXPECT_EQ(hc_create_pt(first + NOVA_EXC_UD, ROOT_PD, way_ec, NOVA_MTD_EXCEPTION,
                               (word_t)portal_entry),
                  NOVA_SUCCESS);
        EXPECT_EQ(hc_create_pt(first + CALL_PORTAL, ROOT_PD, way_ec, 0, (word_t)portal_entry),
                  NOVA_SUCCESS);
        if (own_pd)
                EXPECT_EQ(hc_create_pd(d->base + SEL_PD, payer_of(d),
                                       nova_crd(NOVA_CRD_OBJ, first, 7, ALL)),
                          NOVA_SUCCESS);
        t->ec = d->base + SEL_EC;
        t->utcb = (struct nova_utcb *)0x5f000000; /* tables for this page exist in each round */
        EXPECT_EQ(hc_create_ec(t->ec, own_pd ? d->base + SEL_PD : ROOT_PD, (word_t)t->utcb | cpu,
                               t->sp, t->own_events, NOVA_EC_GLOBAL),
                  NOVA_SUCCESS);
        return t;
}

static inline void start_doomed(struct doomed *d, unsigned prio)
{
        d->t->sc = d->base + SEL_SC;
        EXPECT_EQ(hc_create_sc(d->t->sc, payer_of(d), d->t->ec, nova_qpd(QUANTUM, prio)),
                  NOVA_SUCCESS);
}

/* Drops the root PD's capabilities for the portals of a doomed thread. Its PD, EC and SC stay. */
static inline void drop_portals(struct doomed *d)
{
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, d->base + SEL_EVENTS, 7, ALL), NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
        d->t->events = 0;
}

/* Plans the drops of the way. `order` names the objects in the order of the drops: P is the PD, E
 * the EC, S the SC. */
static inline void plan(const struct doomed *d, const char *order)
{
        for (way.drops = 0; order[way.drops]; way.drops++) {
                const char c = order[way.drops];
                way.drop[way.drops] = d->base + (c == 'P' ? SEL_PD : c == 'E' ? SEL_EC : SEL_SC);
        }
}

/* Checks that no more memory is in use than after the first round, which has created the tables. */
static inline void expect_no_more(word_t *before, nova_sel_t sm)
{
        if (!*before)
                *before = settled(sm);
        else
                EXPECT(comes_to(*before, sm));
}

#endif
