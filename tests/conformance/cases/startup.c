/* SPDX-License-Identifier: BSD-2-Clause */
/* STARTUP and RECALL. */
#include "harness.h"

static void counts(struct thread *t)
{
        t->value[0]++;
}

static void spins_until_stopped(struct thread *t)
{
        while (!t->value[0]) {
                t->value[1]++;
                __asm__ volatile("pause");
        }
}

static void spins_for_ever(struct thread *t)
{
        for (;;)
                t->value[1]++;
}

static void waits(struct thread *t)
{
        hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP);
        t->value[1] = 1;
}

CASE(startup, a_global_thread_raises_STARTUP_when_it_gets_an_sc,
     "5.3.2-10 5.3.2-16 5.3.3-05 7.2-20 8.2-20 2.2-03 5.3.2-08 5.3.2-19")
{
        struct thread *t = global(boot_cpu, counts, NULL);
        spin_us(5000);
        EXPECT_EQ(t->event, NO_EVENT);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->event, NOVA_EXC_STARTUP);
        EXPECT_EQ(t->event_portal, t->events + NOVA_EXC_STARTUP);
        EXPECT_EQ(t->value[0], 1);
}

CASE(startup, the_message_shows_the_stack_pointer_of_create_ec, "5.3.2-18 7.5-21 8.5-23")
{
        struct thread *t = global(boot_cpu, counts, NULL);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->state.sp, t->sp);
        EXPECT_EQ(t->state.flags & 0x200, 0x200);
}

CASE(startup, the_created_stack_pointer_stays_when_only_the_ip_is_replied, "5.3.2-18 D-12 C-17")
{
        struct thread *t = global(boot_cpu, counts, NULL);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->done, 1);
}

CASE(startup, it_comes_once, "5.3.2-16")
{
        struct thread *t = global(boot_cpu, waits, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(t->event_count, 1);
}

CASE(startup, a_second_sc_raises_no_second_STARTUP, "D-17 5.3.2-16")
{
        struct thread *t = global(boot_cpu, waits, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                  NOVA_SUCCESS);
        EXPECT_EQ(t->event_count, 1);
        EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->done, 1);
}

CASE(startup, without_a_portal_the_thread_is_shut_down, "3.3-06 5.3.2-16")
{
        struct thread *t = global(boot_cpu, counts, NULL);
        event_remove(t, NOVA_EXC_STARTUP);
        thread_start(t, PRIO_HIGH, QUANTUM);
        spin_us(5000);
        EXPECT_EQ(t->value[0], 0);
        EXPECT_EQ(t->event, NO_EVENT);
}

CASE(startup, a_local_thread_raises_no_STARTUP, "5.3.2-13 5.3.2-09")
{
        struct thread *t = server(boot_cpu);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->event, NO_EVENT);
}

CASE(startup, a_global_thread_of_a_child_starts_in_its_pd, "5.3.2-05 3.3-04")
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_global(c, counts, NULL);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[0], 1);
        EXPECT(t->event_count > 1);
}

/* ---- RECALL ---------------------------------------------------------------------------------- */

CASE(startup, RECALL_of_a_ready_thread_comes_before_it_continues,
     "5.4.1-01 5.4.1-04 7.2-21 8.2-21 5.4.1-08")
{
        struct thread *t = global(boot_cpu, spins_until_stopped, NULL);
        thread_start(t, PRIO_CASE, 1000);
        EXPECT(wait_for(&t->started, 1));
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        EXPECT(wait_for(&t->event, NOVA_EXC_RECALL));
        EXPECT_EQ(t->event_count, 2);
        t->value[0] = 1;
        EXPECT(wait_for(&t->done, 1));
}

CASE(startup, after_RECALL_the_thread_continues_where_it_was, "5.4.1-07")
{
        struct thread *t = global(boot_cpu, spins_until_stopped, NULL);
        thread_start(t, PRIO_CASE, 1000);
        for (unsigned i = 0; i < 10; i++) {
                const word_t count = t->event_count;
                EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
                spin_us(5000);
                EXPECT(t->event_count >= count);
        }
        t->value[0] = 1;
        EXPECT(wait_for(&t->done, 1));
}

static void recalls_itself(struct thread *t)
{
        t->value[0] = hc_ec_ctrl(t->ec);
        t->value[1] = t->event;
        t->value[2] = t->event_count;
}

CASE(startup, a_thread_that_recalls_itself_gets_it_before_the_hypercall_returns,
     "5.4.1-04 5.4.1-06")
{
        struct thread *t = global(boot_cpu, recalls_itself, NULL);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[0], NOVA_SUCCESS);
        EXPECT_EQ(t->value[1], NOVA_EXC_RECALL);
        EXPECT_EQ(t->value[2], 2);
        EXPECT_EQ(t->done, 1);
}

CASE(startup, the_message_after_a_hypercall_shows_the_return_ip, "5.4.1-01 5.4.1-04 A-10")
{
        struct thread *t = global(boot_cpu, recalls_itself, NULL);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->state.ip, (word_t)trap_return);
        EXPECT(t->state.sp < t->sp && t->state.sp > t->sp - STACK_BYTES);
}

CASE(startup, a_local_thread_can_be_recalled_too, "5.4.1-01 5.4.1-07")
{
        struct thread *t = server(boot_cpu);
        t->fn = recalls_itself;
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->value[1], NOVA_EXC_RECALL);
        EXPECT_EQ(t->value[2], 1);
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
}

CASE(startup, RECALL_of_an_idle_local_thread_comes_with_its_next_request, "D-30 5.4.1-04")
{
        struct thread *t = server(boot_cpu);
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        spin_us(5000);
        EXPECT_EQ(t->event, NO_EVENT);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(t->event, NOVA_EXC_RECALL);
        EXPECT_EQ(t->calls, 1);
        EXPECT_EQ(t->event_count, 1);
}

CASE(startup, RECALL_of_a_blocked_thread_stays_pending_until_it_unblocks, "D-30 5.4.1-04")
{
        struct thread *t = global(boot_cpu, waits, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        spin_us(5000);
        EXPECT_EQ(t->event, NOVA_EXC_STARTUP);
        EXPECT_EQ(t->value[1], 0);
        EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->event, NOVA_EXC_RECALL);
        EXPECT_EQ(t->done, 1);
}

CASE(startup, several_recalls_of_a_blocked_thread_are_one, "D-30.2 5.4.1-06")
{
        struct thread *t = global(boot_cpu, waits, NULL);
        t->value[0] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        for (unsigned i = 0; i < 5; i++)
                EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(t->event_count, 2);
}

CASE(startup, without_a_portal_RECALL_ends_the_thread, "3.3-06 5.4.1-01")
{
        struct thread *t = global(boot_cpu, spins_for_ever, NULL);
        event_remove(t, NOVA_EXC_RECALL);
        thread_start(t, PRIO_CASE, 1000);
        EXPECT(wait_for(&t->started, 1));
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        EXPECT(comes_to_rest(&t->value[1]));
}

CASE_ON(startup, RECALL_reaches_a_thread_on_another_cpu, "5.4.1-05", needs_2_cpus)
{
        struct thread *t = run_thread(cpu_numbers[1], PRIO_CASE, spins_until_stopped, NULL);
        EXPECT(wait_for(&t->started, 1));
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        EXPECT(wait_for(&t->event, NOVA_EXC_RECALL));
        t->value[0] = 1;
        EXPECT(wait_for(&t->done, 1));
}

CASE_ON(startup, RECALL_ends_a_spinning_thread_of_another_cpu_that_has_no_portal, "5.4.1-05 3.3-06",
        needs_2_cpus)
{
        struct thread *t = global(cpu_numbers[1], spins_for_ever, NULL);
        event_remove(t, NOVA_EXC_RECALL);
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_SUCCESS);
        EXPECT(comes_to_rest(&t->value[1]));
}
