/* SPDX-License-Identifier: BSD-2-Clause */
/* Extension: semaphore down with a deadline. */
#include "harness.h"

#define UP    NOVA_SM_UP_OP
#define DOWN  NOVA_SM_DN_OP
#define NEVER (~(uint64_t)0)

static uint64_t in_us(unsigned us)
{
        return tsc() + tsc_per_ms() * us / 1000;
}

static volatile word_t order;
/* Threads with value[5] set count the time of their wait from this TSC; other threads count it from
 * their own start. */
static uint64_t base;

#define NEVER_US (~(word_t)0)

/* Waits on the semaphore value[0] for value[1] us (NEVER_US: for ever). Results: value[2]: status;
 * value[3]: turn; value[4]: 1 if the deadline had passed. */
static void sleeper(struct thread *t)
{
        const uint64_t from = t->value[5] ? base : tsc();
        const uint64_t deadline =
                t->value[1] == NEVER_US ? NEVER : from + tsc_per_ms() * t->value[1] / 1000;
        t->value[2] = hc_sm_until(t->value[0], 0, deadline);
        t->value[4] = tsc() >= deadline;
        t->value[3] = ++order;
}

static struct thread *sleep_on(unsigned cpu, nova_sel_t sm, word_t us, unsigned prio)
{
        struct thread *t = global(cpu, sleeper, NULL);
        t->value[0] = sm;
        t->value[1] = us;
        t->value[2] = 99;
        thread_start(t, prio, QUANTUM);
        return t;
}

/* Lowers the counter to 0. Returns its previous value. */
static word_t drain(nova_sel_t sm)
{
        word_t n = 0;
        while (hc_sm_until(sm, 0, 0) == NOVA_SUCCESS)
                n++;
        return n;
}

CASE_ON(timeout, a_deadline_that_has_passed_does_not_wait, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(hc_sm_until(sm, 0, 0), NOVA_COM_TIM);
        EXPECT_EQ(hc_sm_until(sm, 0, 1), NOVA_COM_TIM);
        EXPECT_EQ(hc_sm_until(sm, 0, tsc() - 1), NOVA_COM_TIM);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 1);
}

CASE_ON(timeout, a_count_is_taken_whatever_the_deadline, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(3);
        EXPECT_EQ(hc_sm_until(sm, 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_until(sm, 0, NEVER), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 1);
}

CASE_ON(timeout, down_to_zero_can_have_a_deadline, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(7);
        EXPECT_EQ(hc_sm_until(sm, NOVA_SM_ZC, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_until(sm, NOVA_SM_ZC, 0), NOVA_COM_TIM);
        EXPECT_EQ(hc_sm_until(sm, NOVA_SM_ZC, in_us(500)), NOVA_COM_TIM);
        EXPECT_EQ(drain(sm), 0);
}

CASE_ON(timeout, waiting_ends_at_the_deadline_and_not_before, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        static const unsigned times[] = {1, 10, 100, 1000, 20000};
        for (unsigned i = 0; i < 5; i++) {
                const uint64_t deadline = in_us(times[i]);
                EXPECT_EQ(hc_sm_until(sm, 0, deadline), NOVA_COM_TIM);
                EXPECT(tsc() >= deadline);
                EXPECT(tsc() < deadline + tsc_per_ms() * 500);
        }
}

CASE_ON(timeout, an_expired_waiter_leaves_the_queue, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t = sleep_on(boot_cpu, sm, 1000, PRIO_HIGH);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(t->value[2], NOVA_COM_TIM);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 1);
}

CASE_ON(timeout, an_expired_waiter_does_not_reorder_the_others, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        struct thread *a = sleep_on(boot_cpu, sm, NEVER_US, PRIO_HIGH);
        struct thread *b = sleep_on(boot_cpu, sm, 1000, PRIO_HIGH);
        struct thread *c = sleep_on(boot_cpu, sm, NEVER_US, PRIO_HIGH);
        EXPECT(wait_for(&b->done, 1));
        EXPECT_EQ(a->done + c->done, 0);
        hc_sm_ctrl(sm, UP);
        EXPECT_EQ(a->done, 1);
        EXPECT_EQ(c->done, 0);
        hc_sm_ctrl(sm, UP);
        EXPECT_EQ(c->done, 1);
        EXPECT_EQ(c->value[2], NOVA_SUCCESS);
}

CASE_ON(timeout, an_up_in_time_succeeds_and_the_deadline_is_forgotten, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0), other = semaphore(0);
        struct thread *t = sleep_on(boot_cpu, sm, 150000, PRIO_HIGH);
        hc_sm_ctrl(sm, UP);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(t->value[2], NOVA_SUCCESS);
        struct thread *u = sleep_on(boot_cpu, other, NEVER_US, PRIO_HIGH);
        spin_us(200000);
        EXPECT_EQ(u->done, 0);
        hc_sm_ctrl(other, UP);
        EXPECT_EQ(u->value[2], NOVA_SUCCESS);
}

/* Waits with a deadline, is released, waits again without one. */
static void twice(struct thread *t)
{
        t->value[2] = hc_sm_until(t->value[0], 0, in_us(150000));
        t->value[3] = hc_sm_ctrl(t->value[0], DOWN);
        t->value[4] = 1;
}

CASE_ON(timeout, an_old_deadline_does_not_end_the_next_wait, "X-TIME", needs_timeout)
{
        struct thread *t = global(boot_cpu, twice, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        hc_sm_ctrl(t->value[0], UP);
        spin_us(200000);
        EXPECT_EQ(t->value[2], NOVA_SUCCESS);
        EXPECT_EQ(t->value[4], 0);
        hc_sm_ctrl(t->value[0], UP);
        EXPECT_EQ(t->value[3], NOVA_SUCCESS);
        EXPECT_EQ(t->value[4], 1);
}

/* Returns whether four threads woke one by one in the order of their deadlines. */
static bool wake_in_order(void)
{
        static const word_t us[] = {60000, 30000, 120000, 90000}, turns[] = {2, 1, 4, 3};
        const nova_sel_t sm = semaphore(0);
        struct thread *t[4];
        unsigned right = 0;
        order = 0;
        for (unsigned i = 0; i < 4; i++) {
                t[i] = global(boot_cpu, sleeper, NULL);
                t[i]->value[0] = sm;
                t[i]->value[1] = us[i];
                t[i]->value[5] = 1;
        }
        base = in_us(30000);
        for (unsigned i = 0; i < 4; i++)
                thread_start(t[i], PRIO_HIGH, QUANTUM);
        for (unsigned i = 0; i < 4; i++)
                EXPECT(wait_for(&t[i]->done, 1));
        for (unsigned i = 0; i < 4; i++) {
                EXPECT_EQ(t[i]->value[2], NOVA_COM_TIM);
                EXPECT_EQ(t[i]->value[4], 1);
                right += t[i]->value[3] == turns[i];
        }
        return right == 4;
}

CASE_ON(timeout, threads_wake_in_the_order_of_their_deadlines, "X-TIME", needs_timeout)
{
        /* On a busy host several deadlines may pass together, but at least one of many rounds is
         * undisturbed. */
        for (unsigned round = 0; !wake_in_order(); round++)
                EXPECT(round < 20);
}

CASE_ON(timeout, a_deadline_preempts_a_thread_of_lower_priority, "X-TIME", needs_timeout)
{
        struct thread *t = sleep_on(boot_cpu, semaphore(0), 50000, PRIO_HIGH);
        EXPECT_EQ(t->done, 0);
        EXPECT(wait_for(&t->done, 1));
}

CASE_ON(timeout, a_deadline_does_not_preempt_a_thread_of_higher_priority, "X-TIME", needs_timeout)
{
        struct thread *t = sleep_on(boot_cpu, semaphore(0), 100000, PRIO_LOW);
        const nova_sel_t pause = semaphore(0);
        while (!t->started)
                EXPECT_EQ(hc_sm_until(pause, 0, in_us(500)), NOVA_COM_TIM); /* lets t run */
        EXPECT_EQ(hc_sm_until(pause, 0, in_us(5000)), NOVA_COM_TIM);
        spin_us(150000);
        EXPECT_EQ(t->done, 0);
        for (unsigned i = 0; i < 200 && !t->done; i++)
                EXPECT_EQ(hc_sm_until(pause, 0, in_us(5000)), NOVA_COM_TIM);
        EXPECT_EQ(t->done, 1);
}

CASE_ON(timeout, a_waiting_thread_uses_no_time, "X-TIME", needs_timeout)
{
        struct thread *t = sleep_on(boot_cpu, semaphore(0), 40000, PRIO_HIGH);
        uint64_t us;
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(hc_sc_ctrl(t->sc, &us), NOVA_SUCCESS);
        EXPECT(us < 20000);
}

CASE_ON(timeout, a_semaphore_can_end_before_the_deadline_of_a_waiter, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t = sleep_on(boot_cpu, sm, 50000, PRIO_HIGH);
        hc_revoke(obj(sm, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        EXPECT_EQ(t->done, 1);
        EXPECT(t->value[2] != NOVA_SUCCESS && t->value[2] != NOVA_COM_TIM);
        spin_us(60000);
}

CASE_ON(timeout, a_waiter_with_a_deadline_can_end, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        for (unsigned i = 0; i < 8; i++) {
                struct thread *t = sleep_on(boot_cpu, sm, 2000, PRIO_HIGH);
                hc_revoke(obj(t->sc, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(t->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        }
        spin_us(20000);
        hc_sm_ctrl(sm, UP);
        EXPECT_EQ(drain(sm), 1);
}

static bool counts_recall(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n == NOVA_EXC_RECALL)
                t->value[6] = t->value[2] + 1;
        (void)u;
        return false;
}

CASE_ON(timeout, a_recall_comes_when_the_wait_is_over, "X-TIME", needs_timeout)
{
        struct thread *t = sleep_on(boot_cpu, semaphore(0), 50000, PRIO_HIGH);
        t->on_event = counts_recall;
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        EXPECT_EQ(t->value[6], 0);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(t->value[6], 100);
        EXPECT_EQ(t->value[2], NOVA_COM_TIM);
}

CASE_ON(timeout, a_deadline_changes_no_check_of_a_down, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(1), up = sel_alloc(0);
        EXPECT_EQ(hc_sm_until(sel_alloc(0), 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_until(ROOT_PD, 0, 0), NOVA_BAD_CAP);
        give_self(obj(sm, NOVA_SM_UP), up);
        EXPECT_EQ(hc_sm_until(up, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(drain(sm), 1);
}

CASE_ON(timeout, an_up_ignores_the_flag, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(hc_sm_ctrl(sm, UP | NOVA_SM_TIMEOUT), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 1);
}

static void waits_plainly(struct thread *t)
{
        struct args a = {nova_hypercall_id(NOVA_SM_CTRL, DOWN, t->value[0]), 0, 1, 0, 0};
        t->value[1] = hypercall(&a);
}

CASE_ON(timeout, a_down_without_the_flag_ignores_the_deadline, "X-TIME", needs_timeout)
{
        struct thread *t = global(boot_cpu, waits_plainly, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        spin_us(5000);
        EXPECT_EQ(t->done, 0);
        hc_sm_ctrl(t->value[0], UP);
        EXPECT_EQ(t->done, 1);
}

/* ---- Several CPUs ---------------------------------------------------------------------------- */

#define ROUNDS 2000

static volatile word_t stop;

/* Makes short waits; value[1]: successes, value[2]: expiries, value[3]: other statuses. */
static void short_waits(struct thread *t)
{
        for (unsigned i = 0; i < ROUNDS && !stop; i++) {
                const word_t status = hc_sm_until(t->value[0], 0, in_us(1 + i % 40));
                t->value[status == NOVA_SUCCESS ? 1 : status == NOVA_COM_TIM ? 2 : 3]++;
        }
}

CASE_ON(timeout, ups_that_race_with_deadlines_are_never_lost, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t[8];
        const nova_sel_t pause = semaphore(0);
        word_t ups = 0, got = 0;
        unsigned n = 0;
        case_seconds(120);
        stop = 0;
        for (unsigned i = 0; i < cpu_count && n < 6; i++) {
                t[n] = global(cpu_numbers[i], short_waits, NULL);
                t[n]->value[0] = sm;
                thread_start(t[n++], PRIO_HIGH, QUANTUM);
                t[n] = global(cpu_numbers[i], short_waits, NULL);
                t[n]->value[0] = sm;
                thread_start(t[n++], PRIO_HIGH, QUANTUM);
        }
        const uint64_t end = tsc() + tsc_per_ms() * 20000;
        for (unsigned i = 0; i < n; i++)
                while (!t[i]->done) {
                        hc_sm_ctrl(sm, UP);
                        ups++;
                        hc_sm_until(pause, 0, in_us(7));
                        EXPECT(tsc() < end || (stop = 1));
                }
        for (unsigned i = 0; i < n; i++) {
                got += t[i]->value[1];
                EXPECT_EQ(t[i]->value[3], 0);
        }
        EXPECT_EQ(got + drain(sm), ups);
}

CASE_ON(timeout, deadlines_of_each_cpu_come_on_time, "X-TIME", needs_timeout)
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t[4];
        unsigned n = 0;
        for (; n < cpu_count && n < 4; n++)
                t[n] = sleep_on(cpu_numbers[n], sm, 3000, PRIO_HIGH);
        for (unsigned i = 0; i < n; i++) {
                EXPECT(wait_for(&t[i]->done, 1));
                EXPECT_EQ(t[i]->value[2], NOVA_COM_TIM);
                EXPECT_EQ(t[i]->value[4], 1);
        }
}
