/* SPDX-License-Identifier: BSD-2-Clause */
/* The lifetime of scheduling contexts: servers that drop the SC of the thread that calls them, also
 * through nested calls, and handlers that drop the SC on which they run. */
#include "guest.h"
#include "way.h"

/* ---- A thread that ends ------------------------------------------------------------------------
 */

enum waits { WAITS_NOT, WAITS_BEFORE, WAITS_AFTER, WAITS_UNTIL };

/* Starts the doomed thread, releases the last server from its wait, and waits until that server has
 * dropped everything in plan(). done: the number of requests that the server has served before. */
static void run_to_last_server(struct doomed *d, word_t done, enum waits waits, nova_sel_t taken)
{
        way.before = waits == WAITS_BEFORE ? taken : 0;
        way.after = waits >= WAITS_AFTER ? taken : 0;
        way.deadline = waits == WAITS_UNTIL;
        way.status[0] = way.status[1] = NOVA_SUCCESS;
        start_doomed(d, PRIO_HIGH);
        if (waits == WAITS_BEFORE || waits == WAITS_AFTER) {
                EXPECT_EQ(way.done, done);
                EXPECT_EQ(hc_sm_ctrl(taken, NOVA_SM_UP_OP), NOVA_SUCCESS);
        }
        EXPECT(wait_for(&way.done, done + 1));
}

static void thread_ends(unsigned depth, bool own_pd, const char *order, enum waits waits)
{
        struct doomed d;
        word_t before = 0;
        const nova_sel_t sm = sel_alloc(1), taken = semaphore(0);

        begin_rounds(&d, sm, depth, boot_cpu);
        for (unsigned round = 0; round < 3; round++) {
                struct thread *t = make_doomed(&d, own_pd, asks, boot_cpu);
                plan(&d, order);
                run_to_last_server(&d, round, waits, taken);
                EXPECT_EQ(way.status[0], NOVA_SUCCESS);
                EXPECT_EQ(way.status[1], waits == WAITS_UNTIL ? NOVA_COM_TIM : NOVA_SUCCESS);
                if (order[1]) { /* the EC was dropped, too: the thread ends with the reply */
                        EXPECT_EQ(t->value[1], 1);
                        drop(d.base + SEL_PD);
                } else {
                        EXPECT(wait_for(&t->value[3], 1));
                        EXPECT_EQ(t->value[2], NOVA_SUCCESS);
                        EXPECT_EQ(t->value[1], 2);
                }
                drop_portals(&d);
                expect_no_more(&before, sm);
        }
}

CASE_ON(lifetime, a_thread_has_its_sc_dropped_by_its_server_and_runs_to_its_exit,
        "3.6-11 2.3-03 3.2-20 5.2.2-02 D-40.2", needs_quota)
{
        thread_ends(1, false, "S", WAITS_NOT);
        thread_ends(1, true, "S", WAITS_NOT);
}

CASE_ON(lifetime, a_thread_has_its_sc_dropped_two_pds_up_and_runs_to_its_exit,
        "3.6-11 2.3-03 3.2-20 5.2.2-02 D-40.2", needs_quota)
{
        thread_ends(2, true, "S", WAITS_NOT);
}

CASE_ON(lifetime, a_thread_has_its_sc_dropped_three_pds_up_and_runs_to_its_exit,
        "3.6-11 2.3-03 3.2-20 5.2.2-02 D-40.2", needs_quota)
{
        thread_ends(3, true, "S", WAITS_NOT);
}

CASE_ON(lifetime, a_server_that_drops_the_sc_it_runs_on_can_wait_for_a_semaphore,
        "3.6-11 2.3-03 3.2-20 D-40.2", needs_quota)
{
        thread_ends(1, true, "S", WAITS_BEFORE);
        thread_ends(2, true, "S", WAITS_AFTER);
        thread_ends(3, true, "S", WAITS_AFTER);
}

CASE_ON(lifetime, a_server_that_drops_the_sc_it_runs_on_can_wait_with_a_deadline,
        "3.6-11 2.3-03 X-TIME D-40.2", needs_quota)
{
        thread_ends(2, true, "S", WAITS_UNTIL);
        thread_ends(3, true, "S", WAITS_UNTIL);
}

CASE_ON(lifetime, a_thread_whose_sc_and_ec_are_dropped_by_its_server_ends_with_the_reply,
        "3.6-11 D-04.2 D-04.3 D-40.4", needs_quota)
{
        thread_ends(1, true, "SE", WAITS_NOT);
        thread_ends(2, true, "ES", WAITS_AFTER);
        thread_ends(3, true, "SEP", WAITS_AFTER);
        thread_ends(3, true, "PES", WAITS_UNTIL);
}

/* ---- A child that is ended by its exception handler -------------------------------------------
 */

static void handler_kills(unsigned depth, const char *order, enum waits waits)
{
        struct doomed d;
        word_t before = 0;
        const nova_sel_t sm = sel_alloc(1), taken = semaphore(0);

        begin_rounds(&d, sm, depth, boot_cpu);
        for (unsigned round = 0; round < 3; round++) {
                struct thread *t = make_doomed(&d, true, fails, boot_cpu);
                plan(&d, order);
                run_to_last_server(&d, round, waits, taken);
                EXPECT_EQ(t->value[1], 1);
                drop_portals(&d);
                expect_no_more(&before, sm);
        }
}

CASE_ON(lifetime, a_handler_drops_a_child_on_whose_sc_it_runs_in_any_order,
        "3.6-11 2.3-03 D-04 D-40.4", needs_quota)
{
        handler_kills(1, "PES", WAITS_NOT);
        handler_kills(1, "ESP", WAITS_NOT);
        handler_kills(1, "SEP", WAITS_NOT);
        handler_kills(1, "SPE", WAITS_NOT);
}

CASE_ON(lifetime, a_handler_two_pds_up_drops_a_child_on_whose_sc_it_runs,
        "3.6-11 2.3-03 D-04 D-40.4", needs_quota)
{
        handler_kills(2, "PES", WAITS_BEFORE);
        handler_kills(2, "SEP", WAITS_AFTER);
        handler_kills(2, "ESP", WAITS_UNTIL);
}

CASE_ON(lifetime, a_handler_three_pds_up_drops_a_child_on_whose_sc_it_runs,
        "3.6-11 2.3-03 D-04 D-40.4", needs_quota)
{
        handler_kills(3, "PES", WAITS_AFTER);
        handler_kills(3, "SEP", WAITS_BEFORE);
        handler_kills(3, "ESP", WAITS_UNTIL);
}

/* Checks the account until the handler replies, or ends. Until then the kernel keeps one SC of the
 * child, its EC and the EC's PD. It has already freed a second SC of the EC. */
static void account_until(bool reply)
{
        struct doomed d;
        word_t before = 0;
        const nova_sel_t sm = sel_alloc(1), first = semaphore(0), second = semaphore(0);

        begin_rounds(&d, sm, 1, boot_cpu);
        for (unsigned round = 0; round < (reply ? 3 : 1); round++) {
                struct thread *t = make_doomed(&d, true, fails, boot_cpu);
                const nova_sel_t other = d.base + SEL_SC + 1;
                plan(&d, "PES");
                way.before = first;
                way.after = second;
                start_doomed(&d, PRIO_HIGH);
                const word_t one = settled(sm);
                EXPECT_EQ(hc_create_sc(other, ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                          NOVA_SUCCESS);
                EXPECT(settled(sm) > one);
                drop(other);
                EXPECT(comes_to(one, sm));
                EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS); /* all three are gone */
                EXPECT_EQ(look(NOVA_CRD_OBJ, d.base + SEL_EC), 0);
                EXPECT_EQ(settled(sm), one);
                if (reply) {
                        EXPECT_EQ(hc_sm_ctrl(second, NOVA_SM_UP_OP), NOVA_SUCCESS);
                        EXPECT_EQ(way.done, round + 1);
                        drop_portals(&d);
                        expect_no_more(&before, sm);
                } else {
                        drop_portals(&d);
                        const word_t left = settled(sm);
                        drop(way.server[0]->pt);
                        drop(way.server[0]->ec);
                        EXPECT(settled(sm) < left);
                        EXPECT_EQ(way.done, 0);
                }
                EXPECT_EQ(t->value[1], 1);
        }
}

CASE_ON(lifetime, one_sc_is_left_of_a_dropped_child_until_its_handler_replies,
        "3.6-11 D-04 D-04.2 D-04.3 D-40 D-40.3 D-40.4", needs_quota)
{
        account_until(true);
}

CASE_ON(lifetime, one_sc_is_left_of_a_dropped_child_until_its_handler_ends,
        "3.6-11 D-04 D-04.2 D-04.3 D-40 D-40.3 D-40.4", needs_quota)
{
        account_until(false);
}

/* ---- Dropped by another EC ------------------------------------------------------------------
 */

/* Lets other ECs drop the thread while the server waits. The server reaches its reply; the thread
 * does not run again. */
static void drop_from_outside(unsigned cpu, thread_fn *fn, const char *order)
{
        struct doomed d;
        word_t before = 0;
        const nova_sel_t sm = sel_alloc(1), taken = semaphore(0);

        begin_rounds(&d, sm, 2, cpu);
        for (unsigned round = 0; round < 3; round++) {
                struct thread *t = make_doomed(&d, true, fn, cpu);
                way.before = taken;
                start_doomed(&d, PRIO_HIGH);
                EXPECT(wait_for(&t->value[1], 1));
                EXPECT_EQ(hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + 2 * tsc_per_ms()), NOVA_COM_TIM);
                plan(&d, order);
                for (unsigned i = 0; i < way.drops; i++)
                        drop(way.drop[i]);
                way.drops = 0;
                EXPECT_EQ(way.done, round);
                EXPECT_EQ(hc_sm_ctrl(taken, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT(wait_for(&way.done, round + 1));
                EXPECT_EQ(hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + 2 * tsc_per_ms()), NOVA_COM_TIM);
                EXPECT_EQ(t->value[1], 1);
                plan(&d, "PES");
                for (unsigned i = 0; i < way.drops; i++)
                        drop(way.drop[i]);
                way.drops = 0;
                drop_portals(&d);
                expect_no_more(&before, sm);
        }
}

CASE_ON(lifetime, a_server_continues_when_the_sc_it_runs_on_is_dropped_by_another_thread,
        "3.6-11 2.3-03 D-04.3 D-40 D-40.4", needs_quota)
{
        drop_from_outside(boot_cpu, asks, "S");
        drop_from_outside(boot_cpu, asks, "SE");
        drop_from_outside(boot_cpu, asks, "ES");
        drop_from_outside(boot_cpu, fails, "S");
        drop_from_outside(boot_cpu, fails, "EPS");
}

CASE_ON(lifetime, a_server_continues_when_the_sc_it_runs_on_is_dropped_by_another_cpu,
        "3.6-11 2.3-03 D-04.3 D-40 D-40.4", needs_2_cpus)
{
        drop_from_outside(cpu_numbers[1], asks, "S");
        drop_from_outside(cpu_numbers[1], asks, "SE");
        drop_from_outside(cpu_numbers[1], asks, "ES");
        drop_from_outside(cpu_numbers[1], fails, "S");
        drop_from_outside(cpu_numbers[1], fails, "PES");
}

static nova_sel_t lock;

/* Waits for the semaphore in value[2], if there is one, while it holds the lock. */
static void serves_with_the_lock(struct thread *t)
{
        t->fn = serves_with_the_lock;
        t->value[1] = hc_sm_ctrl(lock, NOVA_SM_DN_OP);
        if (t->value[2])
                hc_sm_ctrl(t->value[2], NOVA_SM_DN_OP);
        t->value[3] = hc_sm_ctrl(lock, NOVA_SM_UP_OP);
        way.done++;
        t->utcb->state.mtd = 0;
        t->utcb->items = nova_utcb_items(1, 0);
}

/* Drops a client while its server holds a lock: the server finishes its work, and the next waiter
 * gets the lock. */
static void drop_under_the_lock(unsigned cpu)
{
        static const char *const orders[] = {"S", "SE", "ES", "EPS", "PSE"};
        struct doomed d;
        const nova_sel_t sm = sel_alloc(1), go = semaphore(0);

        EXPECT_EQ(hc_create_sm(sm, ROOT_PD, 0), NOVA_SUCCESS);
        lock = semaphore(1);
        make_way(1, cpu);
        way.server[0]->fn = serves_with_the_lock;
        way.server[0]->value[2] = go;
        struct thread *second = server(boot_cpu);
        second->fn = serves_with_the_lock;
        make_range(&d);
        for (unsigned round = 0; round < sizeof(orders) / sizeof(*orders); round++) {
                struct thread *t = make_doomed(&d, true, asks, cpu);
                start_doomed(&d, PRIO_HIGH);
                EXPECT(wait_for(&t->value[1], 1));
                EXPECT_EQ(hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + 2 * tsc_per_ms()), NOVA_COM_TIM);
                plan(&d, orders[round]);
                for (unsigned i = 0; i < way.drops; i++)
                        drop(way.drop[i]);
                struct thread *next = global(boot_cpu, asks_and_stays, NULL);
                next->value[0] = second->pt;
                thread_start(next, PRIO_HIGH, QUANTUM);
                EXPECT_EQ(next->value[1], 1);
                EXPECT_EQ(way.done, 2 * round);
                EXPECT_EQ(hc_sm_ctrl(go, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT(wait_for(&next->value[1], 2));
                EXPECT_EQ(next->value[2], NOVA_SUCCESS);
                EXPECT_EQ(way.done, 2 * round + 2);
                EXPECT_EQ(way.server[0]->value[1] | way.server[0]->value[3], NOVA_SUCCESS);
                EXPECT_EQ(second->value[1] | second->value[3], NOVA_SUCCESS);
                drop(next->sc);
                drop(next->ec);
                plan(&d, "PES");
                for (unsigned i = 0; i < way.drops; i++)
                        drop(way.drop[i]);
                way.drops = 0;
                drop_portals(&d);
        }
}

CASE_ON(lifetime, a_server_with_a_lock_releases_it_when_its_client_was_dropped,
        "3.6-11 2.3-03 D-04.3 D-40 D-40.4", needs_timeout)
{
        drop_under_the_lock(boot_cpu);
}

CASE_ON(lifetime, a_server_with_a_lock_releases_it_when_its_client_was_dropped_by_another_cpu,
        "3.6-11 2.3-03 D-04.3 D-40 D-40.4", needs_2_cpus)
{
        drop_under_the_lock(cpu_numbers[1]);
}

/* pd_destroy ends the whole child at once, even the SC on which its handler runs. The handler
 * continues when another EC helps it. */
CASE_ON(lifetime, a_child_is_destroyed_by_another_cpu_while_its_handler_runs_on_its_sc,
        "3.6-11 D-04", needs_2_cpus)
{
        struct doomed d;
        word_t before = 0;
        const nova_sel_t sm = sel_alloc(1), first = semaphore(0), second = semaphore(0);

        begin_rounds(&d, sm, 1, cpu_numbers[1]);
        for (unsigned round = 0; round < 6; round++) {
                struct thread *t = make_doomed(&d, true, fails, cpu_numbers[1]);
                way.before = first;
                way.after = second;
                plan(&d, round & 1 ? "ES" : "SE");
                start_doomed(&d, PRIO_HIGH);
                EXPECT(wait_for(&t->value[1], 1));
                if (round & 2) {
                        EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
                        spin_us(100 * round);
                }
                EXPECT_EQ(hc_pd_destroy(d.base + SEL_PD), NOVA_SUCCESS);
                if (!(round & 2))
                        EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT_EQ(hc_sm_ctrl(second, NOVA_SM_UP_OP), NOVA_SUCCESS);

                struct thread *helper = start_helper(cpu_numbers[1]);
                EXPECT_EQ(hc_sm_ctrl(first, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT_EQ(hc_sm_ctrl(second, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT(wait_for(&way.done, 2 * round + 2));
                EXPECT(wait_for(&helper->value[1], 2));
                EXPECT_EQ(t->value[1], 1);
                drop_helper(helper);
                drop(d.base + SEL_PD);
                drop(d.base + SEL_EC);
                drop(d.base + SEL_SC);
                drop_portals(&d);
                if (round == 1)
                        before = settled(sm);
        }
        EXPECT(comes_to(before, sm));
}

/* ---- Virtual CPUs ------------------------------------------------------------------------------
 */

GUEST(two_halts_32, 32, "hlt; hlt; in $0x80, %al");

/* Handles a HLT: drops the planned objects at the first HLT, and always resumes after the
 * instruction. */
static void drops_at_the_first_exit(struct thread *t)
{
        t->fn = drops_at_the_first_exit;
        for (unsigned i = 0; !way.done && i < way.drops; i++)
                drop(way.drop[i]);
        way.done++;
        t->utcb->state.ip += 1;
        t->utcb->state.mtd = NOVA_MTD_EIP;
        t->utcb->items = nova_utcb_items(1, 0);
}

static struct guest *dropping_guest(void)
{
        struct thread *s = server(boot_cpu);
        const struct guest_portal own = {EXIT_HLT, NOVA_MTD_EIP, s, portal_entry};

        s->fn = drops_at_the_first_exit;
        way.done = 0;
        way.drops = 0;
        return guest_new_portals(boot_cpu, two_halts_32, two_halts_32_end, &own, 1);
}

/* The monitor drops the virtual CPU's SC while the monitor itself runs on this SC. The virtual CPU
 * keeps this SC, as a thread does. */
CASE_ON(lifetime, a_virtual_cpu_whose_handler_drops_its_sc_runs_on, "3.6-11 2.3-03 D-40.2",
        needs_virtualization)
{
        for (unsigned round = 0; round < 3; round++) {
                struct guest *g = dropping_guest();
                const nova_mtd_t mtd = guest_flat(g);

                way.drop[0] = g->sc;
                way.drops = 1;
                guest_until(g, mtd, EXIT_PORT);
                EXPECT_EQ(look(NOVA_CRD_OBJ, g->sc), 0);
                EXPECT_EQ(way.done, 2);
                drop(g->ec); /* nothing else refers to the virtual CPU: it ends with the reply */
                guest_answer(g, 0);
                EXPECT(!guest_wait(g, 5));
        }
}

CASE_ON(lifetime, a_virtual_cpu_whose_handler_drops_it_with_its_sc_ends_with_the_reply,
        "3.6-11 2.3-03 D-04.2 D-04.3 D-40.4", needs_virtualization)
{
        for (unsigned round = 0; round < 4; round++) {
                struct guest *g = dropping_guest();
                const nova_mtd_t mtd = guest_flat(g);

                way.drop[0] = round & 1 ? g->ec : g->sc;
                way.drop[1] = round & 1 ? g->sc : g->ec;
                way.drop[2] = g->pd;
                way.drops = round & 2 ? 3 : 2;
                guest_answer(g, mtd);
                for (unsigned i = 0; i < 400 && !way.done; i++)
                        EXPECT(!guest_wait(g, 5));
                EXPECT(!guest_wait(g, 5));
                EXPECT_EQ(way.done, 1);
        }
}

/* The case drops the SC. The SC ends when it returns to its owner, and the virtual CPU continues
 * with another SC. */
CASE_ON(lifetime, the_sc_of_a_virtual_cpu_that_another_thread_drops_ends_when_it_comes_back,
        "3.6-11 2.3-03 D-40 D-40.3", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, two_halts_32, two_halts_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_until(g, mtd, EXIT_HLT);
        for (unsigned round = 0; round < 2; round++) {
                drop(g->sc);
                g->state->ip += 1;
                guest_answer(g, NOVA_MTD_EIP);
                EXPECT(!guest_wait(g, 10));
                EXPECT_EQ(hc_create_sc(g->sc, ROOT_PD, g->ec, nova_qpd(QUANTUM, 1)), NOVA_SUCCESS);
                EXPECT_EQ(hc_sm_ctrl(g->arrived, NOVA_SM_DN_OP), NOVA_SUCCESS);
                EXPECT_EQ(g->event, guest_event(round ? EXIT_PORT : EXIT_HLT));
        }
}
