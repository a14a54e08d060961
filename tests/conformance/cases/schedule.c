/* SPDX-License-Identifier: BSD-2-Clause */
/* Priorities, quanta and helping, as far as a program can see them. */
#include "harness.h"

static volatile word_t turn, turn_of[8];

static void notes_turn(struct thread *t)
{
        turn_of[t->value[0]] = ++turn;
}

static void counts_until_stopped(struct thread *t)
{
        while (!t->value[0]) {
                t->value[1]++;
                t->value[2] = 1;
        }
}

static struct thread *prepare(thread_fn *fn, word_t value)
{
        struct thread *t = global(boot_cpu, fn, NULL);
        t->value[0] = value;
        return t;
}

static void ups(struct thread *t)
{
        hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
}

/* Blocks the case's thread until all threads down to this priority have run. */
static void let_lower_run(unsigned prio)
{
        struct thread *t = prepare(ups, semaphore(0));
        thread_start(t, prio, QUANTUM);
        EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(schedule, a_new_sc_of_higher_priority_preempts_its_creator_at_once,
     "3.1-08 5.3.3-03 2.3-06 7.5-27 8.5-29")
{
        struct thread *t = prepare(notes_turn, 0);
        turn = 0;
        thread_start(t, PRIO_CASE + 1, QUANTUM);
        EXPECT_EQ(turn, 1);
}

CASE(schedule, a_new_sc_of_lower_priority_waits, "3.1-09 5.3.3-03")
{
        struct thread *t = prepare(notes_turn, 0);
        turn = 0;
        thread_start(t, PRIO_CASE - 1, QUANTUM);
        spin_us(30000);
        EXPECT_EQ(turn, 0);
        let_lower_run(PRIO_LOW);
        EXPECT_EQ(turn, 1);
}

/* Starts another thread of its own priority. The quantum is long, because time in which the host
 * delays the thread counts, too. */
static void starts_equal(struct thread *t)
{
        thread_start(t->arg, PRIO_HIGH, QUANTUM);
        t->value[0] = turn;
}

CASE(schedule, a_new_sc_of_equal_priority_does_not_preempt, "3.1-08")
{
        struct thread *t = prepare(notes_turn, 0), *first = prepare(starts_equal, 0);
        first->arg = t;
        first->value[0] = 1;
        turn = 0;
        thread_start(first, PRIO_HIGH, 100 * QUANTUM);
        EXPECT_EQ(first->value[0], 0);
        EXPECT(wait_for(&t->done, 1));
}

CASE(schedule, ready_threads_run_in_the_order_of_their_priorities, "3.1-02 3.1-05 4.5-01 2.3-06")
{
        static const unsigned prios[] = {60, 90, 70, 80};
        turn = 0;
        for (unsigned i = 0; i < 4; i++)
                thread_start(prepare(notes_turn, i), prios[i], QUANTUM);
        EXPECT_EQ(turn, 0);
        let_lower_run(PRIO_LOW);
        EXPECT_EQ(turn_of[1], 1);
        EXPECT_EQ(turn_of[3], 2);
        EXPECT_EQ(turn_of[2], 3);
        EXPECT_EQ(turn_of[0], 4);
}

CASE(schedule, priorities_above_127_rank_above_lower_ones, "D-18.2 D-18")
{
        turn = 0;
        struct thread *a = prepare(counts_until_stopped, 0);
        thread_start(a, 99, QUANTUM);
        thread_start(prepare(notes_turn, 1), 128, QUANTUM);
        EXPECT_EQ(turn, 1);
        thread_start(prepare(notes_turn, 2), 255, QUANTUM);
        EXPECT_EQ(turn, 2);
        a->value[0] = 1;
}

CASE(schedule, bits_11_to_8_of_the_descriptor_are_ignored, "4.5-02")
{
        struct thread *t = prepare(notes_turn, 0);
        turn = 0;
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, t->ec,
                               nova_qpd(QUANTUM, PRIO_CASE - 1) | 0xf00),
                  NOVA_SUCCESS);
        EXPECT_EQ(turn, 0);
        let_lower_run(PRIO_LOW);
        EXPECT_EQ(turn, 1);
}

CASE(schedule, a_quantum_of_the_largest_value_is_accepted, "4.5-03 4.5-04")
{
        struct thread *t = prepare(notes_turn, 0);
        const word_t most = ~(word_t)0 >> NOVA_QPD_QUANTUM_SHIFT;
        turn = 0;
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, t->ec, nova_qpd(most, PRIO_HIGH)),
                  NOVA_SUCCESS);
        EXPECT_EQ(turn, 1);
}

static void waits_then_notes(struct thread *t)
{
        hc_sm_ctrl(t->value[1], NOVA_SM_DN_OP);
        notes_turn(t);
}

CASE(schedule, a_woken_sc_of_higher_priority_preempts_at_once, "3.1-07 3.1-03")
{
        struct thread *t = prepare(waits_then_notes, 0);
        t->value[1] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        turn = 0;
        EXPECT_EQ(hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(turn, 1);
}

CASE(schedule, a_woken_sc_of_lower_priority_waits, "3.1-07 3.1-09")
{
        struct thread *t = prepare(waits_then_notes, 0);
        t->value[1] = semaphore(0);
        thread_start(t, PRIO_LOW + 1, QUANTUM);
        let_lower_run(PRIO_LOW);
        turn = 0;
        EXPECT_EQ(t->started, 1);
        EXPECT_EQ(hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP), NOVA_SUCCESS);
        spin_us(20000);
        EXPECT_EQ(turn, 0);
        let_lower_run(PRIO_LOW);
        EXPECT_EQ(turn, 1);
}

CASE(schedule, a_lower_thread_never_runs_beside_a_higher_one, "3.1-09 3.1-14")
{
        struct thread *t = prepare(counts_until_stopped, 0);
        thread_start(t, PRIO_LOW, QUANTUM);
        spin_us(100000);
        EXPECT_EQ(t->value[1], 0);
        t->value[0] = 1;
}

/* Spins until a thread that counts has run again. Returns false when the case's time is nearly
 * over. */
static bool goes_on(struct thread *t)
{
        t->value[2] = 0;
        return wait_for(&t->value[2], 1);
}

CASE(schedule, threads_of_equal_priority_take_turns, "3.1-01 3.1-12 3.1-13")
{
        struct thread *t[3];
        for (unsigned i = 0; i < 3; i++) {
                t[i] = prepare(counts_until_stopped, 0);
                thread_start(t[i], PRIO_CASE, 1000);
        }
        for (unsigned round = 0; round < 5; round++) {
                for (unsigned i = 0; i < 3; i++)
                        EXPECT(goes_on(t[i]));
        }
        for (unsigned i = 0; i < 3; i++)
                t[i]->value[0] = 1;
        for (unsigned i = 0; i < 3; i++)
                EXPECT(wait_for(&t[i]->done, 1));
}

/* Measures the CPU times of two spinning threads of the same priority, which share a CPU with the
 * case's thread. */
static void race(unsigned quantum_a, unsigned quantum_b, uint64_t *a, uint64_t *b)
{
        struct thread *t[2] = {prepare(counts_until_stopped, 0), prepare(counts_until_stopped, 0)};
        thread_start(t[0], PRIO_CASE, quantum_a);
        thread_start(t[1], PRIO_CASE, quantum_b);
        spin_us(600000);
        EXPECT_EQ(hc_sc_ctrl(t[0]->sc, a), NOVA_SUCCESS);
        EXPECT_EQ(hc_sc_ctrl(t[1]->sc, b), NOVA_SUCCESS);
        t[0]->value[0] = t[1]->value[0] = 1;
        EXPECT(wait_for(&t[0]->done, 1) && wait_for(&t[1]->done, 1));
}

/* Time in which the whole machine stands still is charged to the SC that runs, so the measurement
 * may be repeated. */
#define TRIES 20

CASE(schedule, equal_quanta_give_equal_shares, "3.1-01 3.1-10 2.3-05")
{
        uint64_t a = 0, b = 1;
        for (unsigned i = 0; i < TRIES && !(a < 2 * b && b < 2 * a); i++)
                race(10000, 10000, &a, &b);
        EXPECT(a > 0 && b > 0);
        EXPECT(a < 2 * b && b < 2 * a);
}

CASE(schedule, a_larger_quantum_gives_a_larger_share, "2.3-05 3.1-11 4.5-03 4.5-04")
{
        uint64_t a = 1, b = 0;
        for (unsigned i = 0; i < TRIES && b <= 2 * a; i++)
                race(5000, 25000, &a, &b);
        EXPECT(a > 0);
        EXPECT(b > 2 * a);
}

#define TURNS_MS 50

static volatile word_t turn_is_of, turns, short_turns;
static uint64_t turns_end, turn_begin;

/* Counts the turns of both threads, and separately the turns of at most 3 ms. A busy host makes
 * turns longer, so the case waits for enough short turns. */
static void counts_turns(struct thread *t)
{
        while (tsc() < turns_end) {
                if (turn_is_of == t->value[0])
                        continue;
                const uint64_t now = tsc();

                turn_is_of = t->value[0];
                turns++;
                short_turns += now - turn_begin <= 3 * tsc_per_ms();
                turn_begin = now;
        }
}

CASE(schedule, a_quantum_is_as_long_as_its_descriptor_says, "3.1-10 3.1-11 3.1-13 4.5-03 4.5-04")
{
        for (unsigned i = 0; i < TRIES && short_turns < TURNS_MS / 3; i++) {
                turns = 0;
                turn_begin = 0;
                turns_end = tsc() + tsc_per_ms() * TURNS_MS;
                for (word_t n = 1; n <= 2; n++)
                        thread_start(prepare(counts_turns, n), PRIO_LOW, 1000);
                let_lower_run(PRIO_LOW - 1);
                EXPECT(turns <= TURNS_MS + 2);
        }
        EXPECT(short_turns >= TURNS_MS / 3);
}

/* ---- Donation and helping -------------------------------------------------------------------- */

static void calls(struct thread *t)
{
        t->utcb->items = 0;
        t->value[2] = hc_call(t->value[0], t->value[1]);
}

static void starts_middle(struct thread *t)
{
        struct thread *middle = t->arg;
        hc_create_sc(t->value[4], ROOT_PD, middle->ec, nova_qpd(QUANTUM, t->value[5]));
        t->value[3] = turn;
}

CASE(schedule, a_callee_has_the_priority_of_its_caller, "3.2-17 3.2-16 3.1-06")
{
        struct thread *s = server(boot_cpu), *middle = prepare(notes_turn, 0);
        turn = 0;
        s->fn = starts_middle;
        s->arg = middle;
        s->value[4] = sel_alloc(0);
        s->value[5] = PRIO_CASE - 1;
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(s->value[3], 0);

        struct thread *above = prepare(notes_turn, 1);
        s->fn = starts_middle;
        s->arg = above;
        s->value[4] = sel_alloc(0);
        s->value[5] = PRIO_CASE + 1;
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(s->value[3], 1);
}

static void signals_and_spins(struct thread *t)
{
        t->value[0]++;
        hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP);
        t->value[2]++;
}

CASE(schedule, a_high_caller_lends_its_time_to_a_busy_callee, "3.2-08 3.2-10")
{
        struct thread *s = server(boot_cpu), *low = prepare(calls, s->pt);
        struct thread *middle = prepare(counts_until_stopped, 0);
        s->fn = signals_and_spins;
        s->value[1] = semaphore(0);
        thread_start(low, PRIO_LOW, QUANTUM);
        EXPECT_EQ(hc_sm_ctrl(s->value[1], NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(s->value[0], 1);
        EXPECT_EQ(s->value[2], 0);
        thread_start(middle, PRIO_LOW + 10, QUANTUM);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(s->value[2], 1);
        EXPECT_EQ(s->calls, 2);
        EXPECT_EQ(middle->value[1], 0);
        middle->value[0] = 1;
        let_lower_run(PRIO_LOW - 1);
        EXPECT_EQ(low->done, 1);
        EXPECT_EQ(low->value[2], NOVA_SUCCESS);
}

CASE(schedule, helping_reaches_the_end_of_a_chain, "3.2-09")
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu), *c = server(boot_cpu);
        struct thread *low = prepare(calls, a->pt), *middle = prepare(counts_until_stopped, 0);
        a->fn = calls;
        a->value[0] = b->pt;
        b->fn = calls;
        b->value[0] = c->pt;
        c->fn = signals_and_spins;
        c->value[1] = semaphore(0);
        thread_start(low, PRIO_LOW, QUANTUM);
        EXPECT_EQ(hc_sm_ctrl(c->value[1], NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(c->value[2], 0);
        thread_start(middle, PRIO_LOW + 10, QUANTUM);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(b->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(c->value[2], 1);
        EXPECT_EQ(middle->value[1], 0);
        middle->value[0] = 1;
}

CASE(schedule, all_scs_of_a_blocked_thread_leave_the_queue, "D-17.2")
{
        struct thread *t = prepare(waits_then_notes, 0);
        struct thread *low = prepare(notes_turn, 1);
        turn = 0;
        t->value[1] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_HIGH + 1)),
                  NOVA_SUCCESS);
        thread_start(low, PRIO_LOW, QUANTUM);
        let_lower_run(PRIO_LOW);
        EXPECT_EQ(turn_of[1], 1);
        EXPECT_EQ(hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(turn_of[0], 2);
}

static void ups_for_ever(struct thread *t)
{
        for (;;) {
                /* The thread of higher priority runs at once. */
                hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP);
                spin_us(500);
        }
}

static void downs_for_ever(struct thread *t)
{
        for (;;) {
                hc_sm_ctrl(t->value[1], NOVA_SM_DN_OP);
                t->value[2]++;
        }
}

/* Lets a thread wake a thread of higher priority again and again, while a thread of its own
 * priority is queued after it. Returns the number of wakes until the queued thread has run. */
static word_t preemptions_of_a_quantum(void)
{
        struct thread *high = prepare(downs_for_ever, 0), *spinner = prepare(ups_for_ever, 0);
        struct thread *equal = prepare(ups, semaphore(0));
        high->value[1] = spinner->value[1] = semaphore(0);
        thread_start(high, PRIO_HIGH, QUANTUM);
        thread_start(spinner, PRIO_LOW, QUANTUM);
        thread_start(equal, PRIO_LOW, QUANTUM);
        const uint64_t begin = tsc();
        EXPECT_EQ(hc_sm_ctrl(equal->value[0], NOVA_SM_DN_OP), NOVA_SUCCESS);
        for (unsigned i = 0; i < 2; i++)
                hc_revoke(obj(i ? high->sc : spinner->sc, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        /* The spinner ran first, and had only its quantum. */
        EXPECT(tsc() - begin >= tsc_per_ms() * QUANTUM / 1000 / 2);
        return high->value[2];
}

CASE(schedule, preemption_by_a_higher_thread_does_not_refill_the_quantum, "3.1-15 3.1-11 3.1-13")
{
        word_t preemptions = 0;
        for (unsigned i = 0; i < TRIES && preemptions < 2; i++)
                preemptions = preemptions_of_a_quantum();
        EXPECT(preemptions >= 2);
}
