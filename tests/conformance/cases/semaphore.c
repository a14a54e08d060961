/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores. */
#include "harness.h"

#define UP   NOVA_SM_UP_OP
#define DOWN NOVA_SM_DN_OP
#define ZERO (NOVA_SM_DN_OP | NOVA_SM_ZC)

static volatile word_t order, order_of[8];

/* Does a down on value[0] with the flags value[1], and records its turn. */
static void waiter(struct thread *t)
{
        t->value[3] = hc_sm_ctrl(t->value[0], t->value[1]);
        order_of[t->value[2]] = ++order;
}

static struct thread *wait_on(unsigned cpu, nova_sel_t sm, word_t flags, unsigned number,
                              unsigned prio)
{
        struct thread *t = global(cpu, waiter, NULL);
        t->value[0] = sm;
        t->value[1] = flags;
        t->value[2] = number;
        t->value[3] = 99;
        thread_start(t, prio, QUANTUM);
        return t;
}

/* Lowers a semaphore's counter to 0, and checks that one more thread blocks. Returns the previous
 * value of the counter. */
static word_t drain(nova_sel_t sm)
{
        struct thread *t;
        word_t n = 0;
        for (;;) {
                t = wait_on(boot_cpu, sm, DOWN, 7, PRIO_HIGH);
                if (!t->done)
                        break;
                n++;
        }
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(t->done, 1);
        return n;
}

CASE(semaphore, the_counter_starts_at_the_given_value, "5.3.5-04")
{
        EXPECT_EQ(drain(semaphore(0)), 0);
        EXPECT_EQ(drain(semaphore(1)), 1);
        EXPECT_EQ(drain(semaphore(5)), 5);
}

CASE(semaphore, the_initial_count_is_a_whole_word, "5.3.5-05")
{
        const nova_sel_t sm = semaphore(~(word_t)0),
                         half = semaphore((word_t)1 << (NOVA_WORD_BITS - 1));
        for (unsigned i = 0; i < 100; i++) {
                EXPECT_EQ(hc_sm_ctrl(sm, DOWN), NOVA_SUCCESS);
                EXPECT_EQ(hc_sm_ctrl(half, DOWN), NOVA_SUCCESS);
        }
}

CASE(semaphore, down_lowers_the_counter_by_one, "5.4.3-01 5.4.3-02 5.4.3-04 5.4.3-10 5.1-12")
{
        const nova_sel_t sm = semaphore(3);
        EXPECT_EQ(hc_sm_ctrl(sm, DOWN), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 2);
}

CASE(semaphore, down_with_ZC_sets_the_counter_to_zero, "5.4.3-02 5.4.3-05")
{
        const nova_sel_t sm = semaphore(9);
        EXPECT_EQ(hc_sm_ctrl(sm, ZERO), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 0);
}

CASE(semaphore, up_without_a_waiter_raises_the_counter_by_one, "5.4.3-08 5.4.3-01")
{
        const nova_sel_t sm = semaphore(0);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 4);
}

CASE(semaphore, ZC_does_not_matter_for_up, "5.4.3-02 5.4.3-08")
{
        const nova_sel_t sm = semaphore(2);
        EXPECT_EQ(hc_sm_ctrl(sm, UP | NOVA_SM_ZC), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 3);
}

CASE(semaphore, down_on_zero_blocks_until_up, "5.4.3-03 5.4.3-06 2.5-01 3.1-03 3.1-04")
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t = wait_on(boot_cpu, sm, DOWN, 0, PRIO_HIGH);
        EXPECT_EQ(t->started, 1);
        EXPECT_EQ(t->done, 0);
        spin_us(20000);
        EXPECT_EQ(t->done, 0);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(t->value[3], NOVA_SUCCESS);
}

CASE(semaphore, an_up_that_releases_a_thread_does_not_raise_the_counter, "5.4.3-07")
{
        const nova_sel_t sm = semaphore(0);
        wait_on(boot_cpu, sm, DOWN, 0, PRIO_HIGH);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 0);
}

CASE(semaphore, an_up_releases_exactly_one_thread, "5.4.3-06")
{
        const nova_sel_t sm = semaphore(0);
        struct thread *a = wait_on(boot_cpu, sm, DOWN, 0, PRIO_HIGH);
        struct thread *b = wait_on(boot_cpu, sm, DOWN, 1, PRIO_HIGH);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(a->done + b->done, 1);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(a->done + b->done, 2);
}

CASE(semaphore, the_thread_that_has_waited_longest_is_released_first, "5.4.3-06")
{
        const nova_sel_t sm = semaphore(0);
        order = 0;
        for (unsigned i = 0; i < 5; i++)
                wait_on(boot_cpu, sm, DOWN, i, PRIO_HIGH + (i * 3) % 5);
        for (unsigned i = 0; i < 5; i++) {
                EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
                EXPECT_EQ(order, i + 1);
                EXPECT_EQ(order_of[i], i + 1);
        }
}

CASE(semaphore, a_waiter_with_ZC_is_released_like_any_other, "5.4.3-05 5.4.3-06")
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t = wait_on(boot_cpu, sm, ZERO, 0, PRIO_HIGH);
        EXPECT_EQ(t->done, 0);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(drain(sm), 0);
}

CASE(semaphore, other_objects_give_BAD_CAP, "5.4.3-11 4.1.1-01")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t others[] = {sel_alloc(0), ROOT_PD, NOVA_SEL_ROOT_EC, NOVA_SEL_ROOT_SC,
                                     t->pt};
        for (unsigned i = 0; i < 5; i++) {
                EXPECT_EQ(hc_sm_ctrl(others[i], UP), NOVA_BAD_CAP);
                EXPECT_EQ(hc_sm_ctrl(others[i], DOWN), NOVA_BAD_CAP);
                EXPECT_EQ(hc_sm_ctrl(others[i], ZERO), NOVA_BAD_CAP);
        }
}

CASE(semaphore, up_needs_the_up_permission, "5.4.3-12 4.1.4.5-01 4.1-04")
{
        const nova_sel_t sm = semaphore(0), only = sel_alloc(0), all_but = sel_alloc(0);
        give_self(obj(sm, NOVA_SM_UP), only);
        give_self(obj(sm, NOVA_PERM_ALL & ~NOVA_SM_UP), all_but);
        EXPECT_EQ(hc_sm_ctrl(only, UP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(all_but, UP), NOVA_BAD_CAP);
        EXPECT_EQ(drain(sm), 1);
}

CASE(semaphore, down_needs_the_dn_permission, "5.4.3-13 4.1.4.5-02")
{
        const nova_sel_t sm = semaphore(5), only = sel_alloc(0), all_but = sel_alloc(0);
        give_self(obj(sm, NOVA_SM_DN), only);
        give_self(obj(sm, NOVA_PERM_ALL & ~NOVA_SM_DN), all_but);
        EXPECT_EQ(hc_sm_ctrl(only, DOWN), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(all_but, DOWN), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sm_ctrl(all_but, ZERO), NOVA_BAD_CAP);
        EXPECT_EQ(drain(sm), 4);
}

CASE(semaphore, flag_bits_6_and_7_do_not_matter, "5.4.3-01")
{
        const nova_sel_t sm = semaphore(0);
        EXPECT_EQ(hc_sm_ctrl(sm, UP | 0xc0), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, DOWN | 0xc0), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 0);
}

CASE(semaphore, a_child_and_its_parent_share_one, "2.5-01 3.5-11")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const nova_sel_t sm = semaphore(0);
        give(t, obj(sm, NOVA_PERM_ALL), CHILD_FREE_SEL);
        EXPECT_EQ(remote_sm(t, CHILD_FREE_SEL, UP), NOVA_SUCCESS);
        EXPECT_EQ(drain(sm), 1);
}

CASE_ON(semaphore, up_releases_a_thread_of_another_cpu, "5.4.3-09 3.1-17", needs_2_cpus)
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t = wait_on(cpu_numbers[1], sm, DOWN, 0, PRIO_CASE);
        EXPECT(wait_for(&t->started, 1));
        spin_us(5000);
        EXPECT_EQ(t->done, 0);
        EXPECT_EQ(hc_sm_ctrl(sm, UP), NOVA_SUCCESS);
        EXPECT(wait_for(&t->done, 1));
}

static void answers(struct thread *t)
{
        for (unsigned i = 0; i < 500; i++) {
                hc_sm_ctrl(t->value[0], DOWN);
                t->value[2]++;
                hc_sm_ctrl(t->value[1], UP);
        }
}

CASE_ON(semaphore, two_cpus_hand_over_500_times, "5.4.3-09 3.1-17", needs_2_cpus)
{
        struct thread *t = global(cpu_numbers[1], answers, NULL);
        t->value[0] = semaphore(0);
        t->value[1] = semaphore(0);
        thread_start(t, PRIO_CASE, QUANTUM);
        for (unsigned i = 0; i < 500; i++) {
                EXPECT_EQ(hc_sm_ctrl(t->value[0], UP), NOVA_SUCCESS);
                EXPECT_EQ(hc_sm_ctrl(t->value[1], DOWN), NOVA_SUCCESS);
                EXPECT_EQ(t->value[2], i + 1);
        }
}

static void ups_1000(struct thread *t)
{
        for (unsigned i = 0; i < 1000; i++)
                hc_sm_ctrl(t->value[0], UP);
}

CASE_ON(semaphore, no_up_is_lost_when_all_cpus_do_it_at_once, "5.4.3-08 5.4.3-09", needs_2_cpus)
{
        struct thread *t[4];
        const unsigned n = cpu_count < 4 ? cpu_count : 4;
        const nova_sel_t sm = semaphore(0);
        for (unsigned i = 1; i < n; i++) {
                t[i] = global(cpu_numbers[i], ups_1000, NULL);
                t[i]->value[0] = sm;
                thread_start(t[i], PRIO_CASE, QUANTUM);
        }
        for (unsigned i = 0; i < 1000 * (n - 1); i++)
                EXPECT_EQ(hc_sm_ctrl(sm, DOWN), NOVA_SUCCESS);
        for (unsigned i = 1; i < n; i++)
                EXPECT(wait_for(&t[i]->done, 1));
        EXPECT_EQ(drain(sm), 0);
}
