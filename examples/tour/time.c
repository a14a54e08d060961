/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 7: semaphores, priorities and consumed time. */
#include <nova/arch/tsc.h>

#include "tour.h"

#define WAITERS  3
#define SPIN_MS  40
#define PRIO_LOW 5
#define PRIO_TOP 20

static nova_sel_t gate, done;
static char order[8];
static unsigned arrived;

static void arrive(char name)
{
        order[arrived++] = name;
}

/* Waits at the gate, and records its position in the order. */
static void wait_at_gate(void *argument)
{
        const char *name = argument;

        nova_sm_down(gate);
        arrive(*name);
        nova_sm_up(done);
}

/* Uses the CPU until a point in time that both spinners share. */
static void spin(void *argument)
{
        const uint64_t *end = argument;

        nova_sm_down(gate);
        while (nova_rdtsc() < *end)
                continue;
        nova_sm_up(done);
}

/* Runs with a priority above all others: opens the gate for the other threads, which run only after
 * this thread has finished. */
static void open_gate(void *argument)
{
        for (unsigned i = *(const unsigned *)argument; i; i--)
                nova_sm_up(gate);
}

static struct thread start(nova_thread_function *function, const void *argument, unsigned prio)
{
        struct thread thread = {
                .function = function, .argument = (void *)argument, .cpu = root.cpu, .prio = prio};

        thread_start(&thread);
        return thread;
}

static void wait_for(unsigned count)
{
        while (count--)
                must("down", nova_sm_down(done));
}

static void show_order(const char *what)
{
        say("    %-60s %s\n", what, order);
        for (unsigned i = 0; i < sizeof(order); i++)
                order[i] = 0;
        arrived = 0;
}

static void show_queue(void)
{
        for (unsigned i = 0; i < WAITERS; i++)
                start(wait_at_gate, &"ABC"[i], PRIO_LOW);
        for (unsigned i = 0; i < WAITERS; i++)
                must("up", nova_sm_up(gate));
        wait_for(WAITERS);
        must_be("the order A, B, C", order[0] == 'A' && order[2] == 'C');
        show_order("A, B and C wait; three ups wake the longest waiter first:");
}

static void show_priorities(void)
{
        static const unsigned count = 2;

        start(wait_at_gate, "l", PRIO_LOW);
        start(wait_at_gate, "h", PRIO_LOW + 1);
        start(open_gate, &count, PRIO_TOP);
        wait_for(2);
        must_be("the order high, low", order[0] == 'h' && order[1] == 'l');
        show_order("low waits first, high second; released together, they run:");
}

static void show_time(void)
{
        static const unsigned count = 2;
        static uint64_t end;
        const struct thread a = start(spin, &end, PRIO_LOW), b = start(spin, &end, PRIO_LOW);
        uint64_t time[2];

        end = nova_rdtsc() + (uint64_t)root.hip->tsc_khz * SPIN_MS;
        start(open_gate, &count, PRIO_TOP);
        wait_for(2);
        must("sc_ctrl", nova_sc_ctrl(a.sc, &time[0]));
        must("sc_ctrl", nova_sc_ctrl(b.sc, &time[1]));
        say("\n    Two threads of one priority want the CPU for the same %u ms:\n"
            "    they have consumed %llu us and %llu us, in quanta of %u us\n"
            "    (time in which a busy host does not run the machine counts as well).\n",
            SPIN_MS, (unsigned long long)time[0], (unsigned long long)time[1], TOUR_QUANTUM);
        must_be("consumption of time by both", time[0] && time[1]);
        must("sc_ctrl", nova_sc_ctrl(NOVA_SEL_ROOT_SC, &time[0]));
        say("    This program's first thread, priority 1, has consumed %llu us.\n",
            (unsigned long long)time[0]);
}

void screen_time(void)
{
        title(7, "Semaphores, priorities and time");
        say("Global threads run on scheduling contexts: a priority and a quantum each. The\n"
            "highest priority that is ready runs; threads of one priority take turns.\n\n");

        gate = nova_root_sel(&root, 2);
        done = gate + 1;
        must("create_sm", nova_create_sm(gate, NOVA_SEL_ROOT_PD, 0));
        must("create_sm", nova_create_sm(done, NOVA_SEL_ROOT_PD, 0));
        show_queue();
        show_priorities();
        show_time();
}
