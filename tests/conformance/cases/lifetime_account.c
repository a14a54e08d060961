/* SPDX-License-Identifier: BSD-2-Clause */
/* The resources of a thread that is dropped while a chain of servers works on its SC, on this or on
 * another CPU. The PDs of the servers lie one below the other. Each PD has an account, and the
 * accounts show the resources to the byte. */
#include "way.h"

/* A thread that calls a chain of servers, and the capabilities for this thread that are dropped:
 * first some by the last server, then others by the case. */
struct shape {
        unsigned depth; /* number of servers in the chain */
        /* Calls the first server, or raises an exception that this server handles. */
        thread_fn *fn;
        const char *inside;  /* capabilities that the last server drops */
        const char *outside; /* capabilities that the case drops afterwards */
        unsigned more;       /* RUNS_ON, DEADLINE */
};

#define RUNS_ON  1 /* the thread reaches its exit */
#define DEADLINE 2 /* the last server waits before and after its drops, with a deadline */

/* How the thread's call ends: by the reply, by the end of the last server, or by the end of the PD
 * that called the last server. */
enum end { BY_REPLY, BY_LAST_SERVER, BY_MIDDLE_PD };

/* ---- The last server --------------------------------------------------------------------------
 */

static struct {
        nova_sel_t first, second, never; /* semaphores of its waits before and after the drops */
        volatile word_t arrived, dropped;
        bool deadline;
        word_t status[2]; /* statuses of the waits with a deadline */
} last;

static void pause_until(unsigned i)
{
        if (last.deadline)
                last.status[i] = hc_sm_until(last.never, NOVA_SM_DN_OP, tsc() + tsc_per_ms());
}

static void waits_and_drops(struct thread *t)
{
        t->fn = waits_and_drops;
        last.arrived++;
        hc_sm_ctrl(last.first, NOVA_SM_DN_OP);
        pause_until(0);
        for (unsigned i = 0; i < way.drops; i++)
                drop(way.drop[i]);
        pause_until(1);
        last.dropped++;
        hc_sm_ctrl(last.second, NOVA_SM_DN_OP);
        way.done++;
        t->utcb->state.mtd = 0;
        t->utcb->items = nova_utcb_items(1, 0);
}

static void up(nova_sel_t sm)
{
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
}

/* ---- Accounts ---------------------------------------------------------------------------------
 */

struct books {
        nova_sel_t sm;            /* for waits */
        word_t payer;             /* bytes used before the thread is made */
        word_t servers[MOST - 1]; /* bytes of each PD on the way, after the first round */
        word_t root;              /* bytes of the root PD */
};

/* Waits until the account has exactly this number of bytes. */
static bool is_at(nova_sel_t pd, word_t bytes, nova_sel_t sm)
{
        for (unsigned ms = 0; ms < 1000 && used_by(pd) != bytes; ms++)
                hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + tsc_per_ms());
        return used_by(pd) == bytes;
}

/* Waits until the account has this number of bytes, and checks that it keeps it. */
static bool stays_at(nova_sel_t pd, word_t bytes, nova_sel_t sm)
{
        if (!is_at(pd, bytes, sm))
                return false;
        hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + 12 * tsc_per_ms()); /* memory is back within 10 ms */
        return used_by(pd) == bytes;
}

static nova_sel_t pd_of(unsigned server)
{
        return way.server[server]->child->pd;
}

static void begin(struct doomed *d, struct books *books, unsigned depth, unsigned cpu)
{
        const nova_sel_t payer = sel_alloc(0);
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, payer), ROOT_PD, 0,
                         SERVER_BYTES, 0};

        *books = (struct books){.sm = sel_alloc(1)};
        begin_rounds(d, books->sm, depth, cpu);
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        d->payer = payer;
        books->payer = used_by(payer);
        last.first = semaphore(0);
        last.second = semaphore(0);
        last.never = semaphore(0);
        last.arrived = last.dropped = 0;
        last.deadline = false;
        way.server[0]->fn = waits_and_drops;
}

/* Returns the cost of the thread's PD, EC and SC while the thread waits for the last server. A
 * further SC of the thread ends as soon as it is dropped. */
static word_t cost_of_one(struct doomed *d, const struct books *books)
{
        const nova_sel_t other = d->base + SEL_SC + 1;
        const word_t one = used_by(d->payer);

        EXPECT_EQ(hc_create_sc(other, d->payer, d->t->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                  NOVA_SUCCESS);
        EXPECT(used_by(d->payer) > one);
        drop(other);
        EXPECT(is_at(d->payer, one, books->sm));
        return one;
}

/* Checks that the servers' PDs use as much as at the end of the first round. */
static void expect_servers_unchanged(struct books *books)
{
        for (unsigned i = 1; i < way.depth; i++) {
                if (!books->servers[i - 1])
                        books->servers[i - 1] = used_by(pd_of(i));
                EXPECT(is_at(pd_of(i), books->servers[i - 1], books->sm));
        }
}

static void drop_planned(const struct doomed *d, const char *order)
{
        plan(d, order);
        for (unsigned i = 0; i < way.drops; i++)
                drop(way.drop[i]);
        way.drops = 0;
}

static void expect_gone(const struct doomed *d, const char *order)
{
        for (; *order; order++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, d->base + (*order == 'P'   ? SEL_PD
                                                        : *order == 'E' ? SEL_EC
                                                                        : SEL_SC)),
                          0);
}

/* Drops the other objects: the payer and the root PD get back all memory that they had before. */
static void expect_all_back(struct doomed *d, struct books *books)
{
        drop_planned(d, "PES");
        drop_portals(d);
        EXPECT(stays_at(d->payer, books->payer, books->sm));
        if (!books->root)
                books->root = used();
        else
                EXPECT(comes_to(books->root, books->sm));
}

/* ---- Threads that are dropped -----------------------------------------------------------------
 */

/* Makes the thread and lets it run until the last server waits for the second time, after its
 * drops. */
static void start(struct doomed *d, const struct shape *shape, struct books *books, unsigned cpu)
{
        const word_t arrived = last.arrived + 1, dropped = last.dropped + 1;

        make_doomed(d, true, shape->fn, cpu);
        plan(d, shape->inside);
        last.deadline = shape->more & DEADLINE;
        last.status[0] = last.status[1] = NOVA_SUCCESS;
        start_doomed(d, PRIO_HIGH);
        EXPECT(wait_for(&last.arrived, arrived));
        const word_t one = cost_of_one(d, books);

        up(last.first);
        EXPECT(wait_for(&last.dropped, dropped));
        EXPECT_EQ(last.status[0], last.deadline ? NOVA_COM_TIM : NOVA_SUCCESS);
        EXPECT_EQ(last.status[1], last.deadline ? NOVA_COM_TIM : NOVA_SUCCESS);
        drop_planned(d, shape->outside);
        expect_gone(d, shape->inside);
        expect_gone(d, shape->outside);
        /* One SC, its EC and the EC's PD are left until the thread's call ends. */
        EXPECT(stays_at(d->payer, one, books->sm));
        expect_servers_unchanged(books);
        EXPECT_EQ(d->t->value[1], 1);
}

/* Checks the thread after the end of its call: it either runs to its exit or never runs again. */
static void expect_outcome(struct doomed *d, const struct shape *shape, const struct books *books,
                           word_t status)
{
        struct thread *t = d->t;

        if (shape->more & RUNS_ON) {
                EXPECT(wait_for(&t->value[3], 1));
                EXPECT_EQ(t->value[1], 2);
                EXPECT_EQ(t->value[2], status);
                /* The handler of the thread's exit has dropped the rest. */
                EXPECT(is_at(d->payer, books->payer, books->sm));
                return;
        }
        if (shape->inside[0] && shape->inside[1] && shape->inside[2])
                EXPECT(is_at(d->payer, books->payer, books->sm));
        EXPECT_EQ(hc_sm_until(books->sm, NOVA_SM_DN_OP, tsc() + 2 * tsc_per_ms()), NOVA_COM_TIM);
        EXPECT_EQ(t->value[1], 1);
}

static void until_the_reply(const struct shape *shape, unsigned cpu)
{
        struct doomed d;
        struct books books;

        begin(&d, &books, shape->depth, cpu);
        for (unsigned round = 0; round < 2; round++) {
                start(&d, shape, &books, cpu);
                EXPECT_EQ(way.done, round);
                up(last.second);
                EXPECT(wait_for(&way.done, round + 1));
                expect_outcome(&d, shape, &books, NOVA_SUCCESS);
                expect_all_back(&d, &books);
                expect_servers_unchanged(&books);
        }
}

static void until_an_end(const struct shape *shape, enum end end, unsigned cpu)
{
        /* If the PD that ends is that of the server which the thread has called, the thread gets
         * COM_ABT; otherwise another server of the chain gets it. */
        const bool is_callee = end == BY_MIDDLE_PD && shape->depth == 2;
        struct doomed d;
        struct books books;

        begin(&d, &books, shape->depth, cpu);
        start(&d, shape, &books, cpu);
        if (end == BY_MIDDLE_PD) {
                EXPECT_EQ(hc_pd_destroy(pd_of(1)), NOVA_SUCCESS);
        } else {
                drop(way.server[0]->pt);
                drop(way.server[0]->ec);
                for (unsigned i = 1; i < shape->depth; i++) /* other portals to the last server */
                        drop(way.server[i]->child->portals + CHILD_WAY_SEL);
        }
        expect_outcome(&d, shape, &books, is_callee ? NOVA_COM_ABT : NOVA_SUCCESS);
        EXPECT_EQ(way.done, 0);
        expect_all_back(&d, &books);
}

static const struct shape by_servers[] = {
        {2, asks, "S", "", RUNS_ON},   {3, asks, "S", "", RUNS_ON | DEADLINE},
        {2, asks, "SE", "", DEADLINE}, {3, asks, "ES", "", 0},
        {2, asks, "PES", "", 0},       {3, asks, "SEP", "", DEADLINE},
};

static const struct shape by_handlers[] = {
        {2, fails, "SEP", "", DEADLINE},
        {3, fails, "ESP", "", 0},
        {3, fails, "PES", "", DEADLINE},
};

static const struct shape by_others[] = {
        {2, asks, "", "S", 0},   {3, asks, "", "SE", DEADLINE},  {3, asks, "", "ES", 0},
        {2, asks, "", "PSE", 0}, {2, fails, "", "ES", DEADLINE}, {3, fails, "", "SE", 0},
        {3, fails, "", "S", 0},  {3, fails, "", "EPS", 0},
};

/* The server drops one capability, then the case drops the rest. */
static const struct shape by_both[] = {
        {2, asks, "S", "E", 0},  {3, asks, "S", "PE", DEADLINE}, {3, asks, "E", "S", 0},
        {2, fails, "S", "E", 0}, {3, fails, "E", "SP", 0},
};

#define EACH(shapes, action)                                                  \
        for (unsigned i = 0; i < sizeof(shapes) / sizeof((shapes)[0]); i++) { \
                const struct shape *shape = &(shapes)[i];                     \
                case_start_over();                                            \
                action;                                                       \
        }

#define IDS "3.6-11 2.3-03 D-04 D-04.2 D-04.3 D-40 D-40.3 D-40.4"

CASE_ON(lifetime_account, one_sc_is_left_of_a_thread_that_its_server_drops, IDS " D-40.2",
        needs_quota)
{
        EACH(by_servers, until_the_reply(shape, boot_cpu));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_thread_that_its_server_drops_on_another_cpu,
        IDS " D-40.2", needs_2_cpus)
{
        EACH(by_servers, until_the_reply(shape, cpu_numbers[1]));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_child_that_its_handler_drops, IDS, needs_quota)
{
        EACH(by_handlers, until_the_reply(shape, boot_cpu));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_child_that_its_handler_drops_on_another_cpu, IDS,
        needs_2_cpus)
{
        EACH(by_handlers, until_the_reply(shape, cpu_numbers[1]));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_thread_that_another_thread_drops, IDS, needs_quota)
{
        EACH(by_others, until_the_reply(shape, boot_cpu));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_thread_that_another_cpu_drops, IDS, needs_2_cpus)
{
        EACH(by_others, until_the_reply(shape, cpu_numbers[1]));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_thread_that_its_server_and_another_thread_drop, IDS,
        needs_quota)
{
        EACH(by_both, until_the_reply(shape, boot_cpu));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_thread_that_its_server_and_another_cpu_drop, IDS,
        needs_2_cpus)
{
        EACH(by_both, until_the_reply(shape, cpu_numbers[1]));
}

/* ---- Servers that end -------------------------------------------------------------------------
 */

static void all_until(enum end end, unsigned cpu)
{
        EACH(by_servers, until_an_end(shape, end, cpu));
        EACH(by_handlers, until_an_end(shape, end, cpu));
        EACH(by_others, until_an_end(shape, end, cpu));
        EACH(by_both, until_an_end(shape, end, cpu));
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_dropped_thread_until_the_last_server_ends, IDS,
        needs_quota)
{
        all_until(BY_LAST_SERVER, boot_cpu);
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_dropped_thread_until_its_server_ends_on_another_cpu,
        IDS, needs_2_cpus)
{
        all_until(BY_LAST_SERVER, cpu_numbers[1]);
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_dropped_thread_until_a_middle_pd_ends, IDS,
        needs_quota)
{
        all_until(BY_MIDDLE_PD, boot_cpu);
}

CASE_ON(lifetime_account, one_sc_is_left_of_a_dropped_thread_until_a_pd_ends_on_another_cpu, IDS,
        needs_2_cpus)
{
        all_until(BY_MIDDLE_PD, cpu_numbers[1]);
}

/* ---- Children that are destroyed --------------------------------------------------------------
 */

/* Destroys the child. pd_destroy takes the SC from the servers, on any CPU. Only the memory of
 * objects that still have capabilities remains in the account. The servers finish when another
 * thread helps them. */
static void destroy_below(unsigned depth, unsigned cpu)
{
        const struct shape shape = {depth, fails, "", "", depth == 3 ? DEADLINE : 0};
        struct doomed d;
        struct books books;

        begin(&d, &books, depth, cpu);
        for (unsigned round = 0; round < 2; round++) {
                const word_t dropped = last.dropped;

                start(&d, &shape, &books, cpu);
                const word_t one = used_by(d.payer);
                EXPECT_EQ(hc_pd_destroy(d.base + SEL_PD), NOVA_SUCCESS);
                EXPECT(used_by(d.payer) < one);
                up(last.second);
                EXPECT_EQ(hc_sm_until(books.sm, NOVA_SM_DN_OP, tsc() + 2 * tsc_per_ms()),
                          NOVA_COM_TIM);
                EXPECT_EQ(way.done, 2 * round);

                struct thread *helper = start_helper(cpu);
                up(last.first);
                EXPECT(wait_for(&last.dropped, dropped + 2));
                up(last.second);
                EXPECT(wait_for(&helper->value[1], 2));
                EXPECT_EQ(helper->value[2], NOVA_SUCCESS);
                EXPECT_EQ(way.done, 2 * round + 2);
                EXPECT_EQ(d.t->value[1], 1);
                drop_helper(helper);
                expect_all_back(&d, &books);
                expect_servers_unchanged(&books);
        }
}

CASE_ON(lifetime_account, a_child_is_destroyed_below_servers_in_two_and_three_pds, "3.6-11 D-04",
        needs_quota)
{
        destroy_below(2, boot_cpu);
        destroy_below(3, boot_cpu);
}

CASE_ON(lifetime_account, a_child_is_destroyed_by_another_cpu_below_servers_in_two_and_three_pds,
        "3.6-11 D-04", needs_2_cpus)
{
        destroy_below(2, cpu_numbers[1]);
        destroy_below(3, cpu_numbers[1]);
}
