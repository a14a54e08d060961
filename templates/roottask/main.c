/* SPDX-License-Identifier: BSD-2-Clause */
/* A roottask with the runtime: a C library, and a thread on each CPU. */
#include <novart/program.h>
#include <novart/thread.h>

#include <stdio.h>
#include <stdlib.h>

#define NUMBERS 1000

struct share {
        unsigned first, step;
        unsigned long sum;
        struct nova_thread *thread;
};

static void *count(void *argument)
{
        struct share *share = argument;

        for (unsigned i = share->first; i <= NUMBERS; i += share->step)
                share->sum += i;
        return NULL;
}

/* Adds the numbers on all CPUs that this program may use, an equal share on each. */
static unsigned long sum_on_all_cpus(void)
{
        const unsigned cpus = (unsigned)__builtin_popcountll(nova_program.cpus);
        struct share *shares = calloc(cpus, sizeof(*shares));
        unsigned long sum = 0;
        unsigned used = 0;

        if (!shares)
                return 0;
        for (unsigned cpu = 0; cpu < 64; cpu++) {
                if (!(nova_program.cpus >> cpu & 1))
                        continue;
                struct share *share = &shares[used++];
                const struct nova_thread_attr attr = {.name = "count", .cpu = cpu};

                share->first = used;
                share->step = cpus;
                if (nova_thread_create(&share->thread, &attr, count, share) != 0)
                        printf("no thread on CPU %u\n", cpu);
        }
        for (unsigned i = 0; i < used; i++) {
                if (shares[i].thread)
                        nova_thread_join(shares[i].thread, NULL);
                sum += shares[i].sum;
        }
        free(shares);
        return sum;
}

int main(int argc, char **argv)
{
        (void)argc;
        printf("Hello from CPU %u, my name is %s.\n", (unsigned)nova_program.cpu, argv[0]);
        printf("The sum of 1 to %d is %lu.\n", NUMBERS, sum_on_all_cpus());
        return 0;
}
