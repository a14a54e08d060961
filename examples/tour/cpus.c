/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 8: a thread on every CPU, each with a part of the work. */
#include "tour.h"

#define LIMIT  80000
#define PRIMES 7837 /* number of primes below LIMIT */

/* The part of a CPU: the primes in [first, end). */
static struct part {
        unsigned first, end, primes;
        struct thread thread;
} part[NOVA_CPU_MAX];

static nova_sel_t done;

static bool is_prime(unsigned n)
{
        for (unsigned i = 2; i * i <= n; i++)
                if (n % i == 0)
                        return false;
        return n > 1;
}

static void count_primes(void *argument)
{
        struct part *own = argument;

        for (unsigned n = own->first; n < own->end; n++)
                own->primes += is_prime(n);
        nova_sm_up(done);
}

/* Returns the time that a thread has consumed. */
static uint64_t time_of(const struct part *done_part)
{
        uint64_t time = 0;

        must("sc_ctrl", nova_sc_ctrl(done_part->thread.sc, &time));
        return time;
}

static unsigned start_all(void)
{
        const unsigned count = nova_hip_cpu_count(root.hip);
        unsigned started = 0;

        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                struct part *own = &part[started];

                if (!nova_hip_cpu_enabled(root.hip, cpu))
                        continue;
                own->first = LIMIT / count * started;
                own->end = ++started == count ? LIMIT : LIMIT / count * started;
                own->thread.function = count_primes;
                own->thread.argument = own;
                own->thread.cpu = cpu;
                own->thread.prio = 2;
                thread_start(&own->thread);
        }
        return started;
}

void screen_cpus(void)
{
        unsigned primes = 0;

        title(8, "All CPUs at work");
        say("Each CPU has its own threads; none moves by itself. The results come back\n"
            "through one semaphore, which works across CPUs.\n\n");

        done = nova_root_sel(&root, 1);
        must("create_sm", nova_create_sm(done, NOVA_SEL_ROOT_PD, 0));

        const unsigned count = start_all();

        for (unsigned i = 0; i < count; i++)
                must("down", nova_sm_down(done));
        say("    CPU     from       to   primes   consumed time\n");
        for (unsigned i = 0; i < count; i++) {
                primes += part[i].primes;
                if (i < 12)
                        say("    %3zu  %7u  %7u  %7u  %11llu us\n", (size_t)part[i].thread.cpu,
                            part[i].first, part[i].end - 1, part[i].primes,
                            (unsigned long long)time_of(&part[i]));
        }
        if (count > 12)
                say("    ... and %u more\n", count - 12);
        must_be("the right number of primes", primes == PRIMES);
        say("\n    %u primes below %u, counted by %u CPU%s.\n", primes, LIMIT, count,
            count == 1 ? "" : "s");
}
