/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores, and the switches between threads that they cause. */
#include "bench.h"

static word_t up_id(nova_sel_t sm)
{
        return nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sm);
}

static word_t down_id(nova_sel_t sm)
{
        return nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sm);
}

CASE(semaphore, no_thread_waits, "")
{
        const nova_sel_t sm = semaphore(0);
        static struct timed ops[2];

        ops[0] = (struct timed){.key = "sm_up", .fn = timed_trap_1, .args = {.a1 = up_id(sm)}};
        ops[1] = (struct timed){.key = "sm_down", .fn = timed_trap_1, .args = {.a1 = down_id(sm)}};
        measure(ops, 2);
}

static nova_sel_t ping, pong;

static void wait_for_ping(struct thread *t)
{
        (void)t;
        loop_down(down_id(ping));
}

static void answer_ping(struct thread *t)
{
        (void)t;
        loop_pong(down_id(ping), up_id(pong));
}

CASE(semaphore, higher_priority, "")
{
        struct timed op = {.key = "wake_higher", .fn = timed_trap_1};

        ping = semaphore(0);
        op.args.a1 = up_id(ping);
        struct thread *waiter = run_thread(boot_cpu, PRIO_HIGH, wait_for_ping, NULL);
        measure(&op, 1);
        thread_stop(waiter);
}

CASE(semaphore, same_priority, "")
{
        static struct timed op;

        ping = semaphore(0);
        pong = semaphore(0);
        op = (struct timed){.key = "ping_pong",
                            .fn = timed_pair,
                            .args = {.a1 = up_id(ping), .a2 = down_id(pong)}};
        struct thread *partner = run_thread(boot_cpu, PRIO_CASE, answer_ping, NULL);
        measure(&op, 1);
        thread_stop(partner);
}
