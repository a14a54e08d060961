/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations that up to four CPUs execute at the same time. */
#include "harness.h"

#define ALL    NOVA_PERM_ALL
#define CROWD  4
#define ROUNDS 200

static volatile word_t stop, base;
static struct thread *crowd[CROWD], *servers[CROWD];
static unsigned count;

/* Makes a thread and a server on each CPU, on four at most; the threads run after let_go(). */
static void gather(thread_fn *fn)
{
        count = cpu_count < CROWD ? cpu_count : CROWD;
        stop = 0;
        case_seconds(60);
        for (unsigned i = 0; i < count; i++) {
                servers[i] = server(cpu_numbers[i]);
                crowd[i] = global(cpu_numbers[i], fn, NULL);
                crowd[i]->value[0] = i;
        }
}

/* Starts the threads with this number and above: 0 includes the thread on the case's own CPU. */
static void let_go(unsigned first)
{
        for (unsigned i = count; i-- > first;)
                thread_start(crowd[i], PRIO_CASE, QUANTUM);
        for (unsigned i = first; i < count; i++)
                EXPECT(wait_for(&crowd[i]->started, 1));
}

static void others_done(void)
{
        stop = 1;
        for (unsigned i = 1; i < count; i++)
                EXPECT(wait_for(&crowd[i]->done, 1));
}

static void all_done(void)
{
        for (unsigned i = 0; i < count; i++)
                EXPECT(wait_for(&crowd[i]->done, 1));
}

static unsigned next_random(struct thread *t)
{
        t->value[7] = t->value[7] * 1103515245 + 12345 + t->value[0];
        return (unsigned)(t->value[7] >> 8 & 0xffff);
}

/* Sends one typed item to the CPU's own server, which records the item it received. */
static word_t delegate_here(struct thread *t, nova_crd_t crd, word_t hot)
{
        t->utcb->word[nova_utcb_item_index(0)] = crd;
        t->utcb->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, hot);
        t->utcb->items = nova_utcb_items(0, 1);
        return hc_call(servers[t->value[0]]->pt, 0);
}

/* ---- Capabilities ---------------------------------------------------------------------------- */

#define PLACES 64

static void fills_the_window(struct thread *t)
{
        for (unsigned i = 0; i < PLACES; i++)
                t->value[1] += delegate_here(t, obj(base + t->value[0], ALL), i) != NOVA_SUCCESS;
}

static nova_sel_t sources(unsigned order)
{
        const nova_sel_t sel = sel_alloc(order);
        for (nova_sel_t i = 0; i < (nova_sel_t)1 << order; i++)
                EXPECT_EQ(hc_create_sm(sel + i, ROOT_PD, i), NOVA_SUCCESS);
        return sel;
}

CASE_ON(crowd, one_place_takes_one_of_all_that_are_delegated_to_it, "D-21 3.5-05", needs_2_cpus)
{
        const nova_sel_t dst = sel_alloc(6);
        base = sources(2);
        gather(fills_the_window);
        for (unsigned i = 0; i < count; i++)
                windows(servers[i], 0, nova_crd(NOVA_CRD_OBJ, dst, 6, ALL));
        let_go(0);
        all_done();
        for (unsigned i = 0; i < count; i++)
                EXPECT_EQ(crowd[i]->value[1], 0);
        for (unsigned i = 0; i < PLACES; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst + i), obj(dst + i, ALL));
        /* Each destination is derived from exactly one of the sources. */
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(hc_revoke(obj(base + i, ALL), 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < PLACES; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst + i), 0);
}

static void revokes_and_delegates(struct thread *t)
{
        const nova_sel_t mine = t->value[2];
        for (unsigned i = 0; i < ROUNDS; i++) {
                servers[t->value[0]]->utcb->delegate_window = obj(mine + i % 8, ALL);
                servers[t->value[0]]->win_d = obj(mine + i % 8, ALL);
                delegate_here(t, obj(base, ALL), 0);
                if (i % 3 == t->value[0] % 3)
                        hc_revoke(obj(base, ALL), 0);
        }
}

CASE_ON(crowd, a_tree_that_all_cpus_cut_and_extend_goes_completely_at_last, "3.6-08 5.3.6-02",
        needs_2_cpus)
{
        base = semaphore(0);
        const nova_sel_t dst = sel_alloc(5);
        gather(revokes_and_delegates);
        for (unsigned i = 0; i < count; i++)
                crowd[i]->value[2] = dst + 8 * i;
        let_go(0);
        all_done();
        EXPECT_EQ(hc_revoke(obj(base, ALL), 0), NOVA_SUCCESS);
        for (nova_sel_t i = 0; i < 32; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, dst + i), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, base), obj(base, ALL));
}

static void looks_all_the_time(struct thread *t)
{
        while (!stop) {
                const nova_crd_t crd = look(NOVA_CRD_OBJ, base);
                t->value[1] += crd && crd != obj(base, ALL);
                t->value[2]++;
        }
}

CASE_ON(crowd, lookup_finds_a_capability_whole_or_not_at_all, "5.3.7-03 5.3.7-04", needs_2_cpus)
{
        base = sel_alloc(0);
        gather(looks_all_the_time);
        let_go(1);
        for (unsigned i = 0; i < ROUNDS; i++) {
                EXPECT_EQ(hc_create_sm(base, ROOT_PD, 0), NOVA_SUCCESS);
                EXPECT_EQ(look(NOVA_CRD_OBJ, base), obj(base, ALL));
                EXPECT_EQ(hc_revoke(obj(base, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
                EXPECT_EQ(look(NOVA_CRD_OBJ, base), 0);
        }
        others_done();
        for (unsigned i = 1; i < count; i++)
                EXPECT_EQ(crowd[i]->value[1], 0);
}

/* ---- Objects --------------------------------------------------------------------------------- */

static void makes_all_kinds(struct thread *t)
{
        const nova_sel_t mine = t->value[2];
        const word_t utcb = t->value[3];
        const unsigned rounds = case_rounds(ROUNDS / 2);
        for (unsigned i = 0; i < rounds; i++) {
                t->value[1] += hc_create_pd(mine, ROOT_PD, 0) != NOVA_SUCCESS;
                t->value[1] += hc_create_ec(mine + 1, mine, utcb | t->cpu, 0, 0, 0) != NOVA_SUCCESS;
                t->value[1] += hc_create_pt(mine + 2, ROOT_PD, mine + 1, 0, 0) != NOVA_SUCCESS;
                t->value[1] += hc_create_sm(mine + 3, mine, i) != NOVA_SUCCESS;
                hc_revoke(nova_crd(NOVA_CRD_OBJ, mine, 2, ALL), NOVA_REVOKE_SR);
                t->value[1] += look(NOVA_CRD_OBJ, mine + 2) != 0;
        }
}

CASE_ON(crowd, all_cpus_make_and_drop_all_kinds_of_objects, "3.6-11 5.3.1-01 5.3.2-01 5.3.4-01",
        needs_2_cpus)
{
        gather(makes_all_kinds);
        for (unsigned i = 0; i < count; i++) {
                crowd[i]->value[2] = sel_alloc(2);
                crowd[i]->value[3] = utcb_alloc();
        }
        let_go(0);
        all_done();
        for (unsigned i = 0; i < count; i++)
                EXPECT_EQ(crowd[i]->value[1], 0);
}

CASE_ON(crowd, threads_can_be_started_on_all_other_cpus_again_and_again, "5.3.3-03 3.1-16 3.1-17",
        needs_2_cpus)
{
        case_seconds(60);
        for (unsigned i = 0; i < 24; i++) {
                const unsigned cpu = cpu_numbers[1 + i % (cpu_count - 1)];
                const nova_sel_t first = sel_alloc(6);
                struct thread *t = run_thread(cpu, 1 + 10 * i, thread_exit_fn, NULL);
                EXPECT(wait_for(&t->done, 1));
                hc_revoke(nova_crd(NOVA_CRD_OBJ, first, 6, ALL), NOVA_REVOKE_SR);
        }
}

/* ---- Events and recall ------------------------------------------------------------------------
 */

static void raises_events(struct thread *t)
{
        for (unsigned i = 0; i < ROUNDS; i++)
                t->value[1] += (word_t)raise_ud() + (word_t)probe_read((void *)0x1000);
}

CASE_ON(crowd, events_are_handled_on_all_cpus_at_once, "3.3-01 3.3-05 3.2-01", needs_2_cpus)
{
        gather(raises_events);
        let_go(0);
        all_done();
        for (unsigned i = 0; i < count; i++) {
                EXPECT_EQ(crowd[i]->value[1], 2 * ROUNDS);
                EXPECT_EQ(crowd[i]->event_count, 2 * ROUNDS + 1);
        }
}

static void makes_hypercalls(struct thread *t)
{
        const nova_sel_t sm = t->value[2];
        while (!stop) {
                t->value[1] += hc_sm_ctrl(sm, NOVA_SM_UP_OP) | hc_sm_ctrl(sm, NOVA_SM_DN_OP);
                t->utcb->items = 0;
                t->value[1] += hc_call(servers[t->value[0]]->pt, 0);
                t->value[3]++;
        }
}

/* Recalls all other threads until a counter exceeds a value. */
static bool wait_for_more(const volatile word_t *p, word_t value)
{
        for (unsigned ms = 0; ms < 5000 && *p <= value; ms++) {
                for (unsigned i = 1; i < count; i++)
                        hc_ec_ctrl(crowd[i]->ec);
                spin_us(1000);
        }
        return *p > value;
}

CASE_ON(crowd, a_storm_of_recalls_does_no_harm, "5.4.1-01 5.4.1-05", needs_2_cpus)
{
        gather(makes_hypercalls);
        for (unsigned i = 1; i < count; i++)
                crowd[i]->value[2] = semaphore(0);
        let_go(1);
        for (unsigned round = 0; round < ROUNDS; round++) {
                for (unsigned i = 1; i < count; i++) {
                        EXPECT_EQ(hc_ec_ctrl(crowd[i]->ec), NOVA_SUCCESS);
                        EXPECT_EQ(hc_ec_ctrl(servers[i]->ec), NOVA_SUCCESS);
                }
                spin_us(round % 50);
        }
        for (unsigned i = 1; i < count; i++)
                EXPECT(wait_for_more(&crowd[i]->event_count, 2));
        others_done();
        for (unsigned i = 1; i < count; i++) {
                EXPECT_EQ(crowd[i]->value[1], 0);
                EXPECT(crowd[i]->value[3] > 0);
        }
}

/* ---- Memory and time --------------------------------------------------------------------------
 */

static void writes_where_it_may(struct thread *t)
{
        volatile word_t *p = (volatile word_t *)base;
        while (!stop) {
                if (probe_write((void *)(word_t)&p[t->value[0]], ++t->value[1]))
                        t->value[2]++;
                if (next_random(t) % 64 == 0)
                        spin_us(20);
        }
}

CASE_ON(crowd, a_page_comes_and_goes_under_writers_on_all_cpus, "3.6-15 3.6-14 3.5-09",
        needs_2_cpus)
{
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        volatile word_t *seen = (volatile word_t *)(src << NOVA_PAGE_BITS);
        base = dst << NOVA_PAGE_BITS;
        gather(writes_where_it_may);
        let_go(1);
        const unsigned n = count;
        for (unsigned round = 0; round < 50; round++) {
                give_self(mem(src, 0, NOVA_MEM_RWX), dst);
                spin_us(300);
                EXPECT_EQ(hc_revoke(mem(src, 0, ALL), 0), NOVA_SUCCESS);
                word_t before[CROWD] = {0};
                for (unsigned i = 0; i < n; i++)
                        before[i] = seen[i];
                spin_us(200);
                for (unsigned i = 0; i < n; i++)
                        EXPECT_EQ(seen[i], before[i]);
        }
        others_done();
        for (unsigned i = 1; i < count; i++)
                EXPECT(crowd[i]->value[2] > 0);
}

static void spins(struct thread *t)
{
        while (!stop)
                t->value[1]++;
}

CASE_ON(crowd, the_time_of_a_thread_on_another_cpu_grows_steadily, "5.4.2-01 5.4.2-02",
        needs_2_cpus)
{
        gather(spins);
        let_go(1);
        for (unsigned i = 1; i < count; i++) {
                uint64_t first, last, now;
                EXPECT_EQ(hc_sc_ctrl(crowd[i]->sc, &first), NOVA_SUCCESS);
                const uint64_t begin = tsc();
                last = first;
                for (unsigned round = 0; round < 2000; round++) {
                        EXPECT_EQ(hc_sc_ctrl(crowd[i]->sc, &now), NOVA_SUCCESS);
                        EXPECT(now >= last);
                        last = now;
                }
                const uint64_t us = (tsc() - begin) / (tsc_per_ms() / 1000);
                EXPECT(last - first <= us + 1000);
                EXPECT(last > first);
        }
        others_done();
}

CASE_ON(crowd, pd_destroy_stops_threads_on_other_cpus, "3.6-11 5.1-19", needs_pd_destroy_and_2_cpus)
{
        struct child *c[CROWD];
        struct thread *t[CROWD];
        const unsigned n = cpu_count < CROWD ? cpu_count : CROWD;
        stop = 0;
        for (unsigned i = 1; i < n; i++) {
                c[i] = child_new(cpu_numbers[i]);
                t[i] = child_global(c[i], spins, NULL);
                thread_start(t[i], PRIO_CASE, 1000000);
        }
        for (unsigned i = 1; i < n; i++)
                EXPECT(wait_for(&t[i]->started, 1));
        for (unsigned i = 1; i < n; i++) {
                EXPECT_EQ(hc_pd_destroy(c[i]->pd), NOVA_SUCCESS);
                const word_t before = t[i]->value[1];
                spin_us(1000);
                EXPECT_EQ(t[i]->value[1], before);
        }
}
