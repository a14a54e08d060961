/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads on all CPUs share work: the primes below 100000, counted in pieces. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "novart/program.h"

#define LIMIT 100000
#define PIECE 500

/* Protects the variables below, which all threads share: the next free number and the sum. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned next = 2, primes;

/* Each thread has a variable of its own, so no lock is needed. */
static _Thread_local unsigned pieces;

static unsigned is_prime(unsigned number)
{
        for (unsigned i = 2; i * i <= number; i++)
                if (number % i == 0)
                        return 0;
        return 1;
}

/* Counts primes in pieces until none is left. Returns the number of pieces. */
static void *count(void *argument)
{
        unsigned found = 0;

        (void)argument;
        for (;;) {
                pthread_mutex_lock(&mutex);

                const unsigned first = next;

                next += PIECE;
                primes += found;
                pthread_mutex_unlock(&mutex);
                if (first >= LIMIT)
                        return (void *)(size_t)pieces;
                found = 0;
                for (unsigned i = first; i < first + PIECE && i < LIMIT; i++)
                        found += is_prime(i);
                pieces++;
        }
}

static void fail(const char *what)
{
        printf("%s failed\n", what);
        exit(1);
}

int main(void)
{
        pthread_t thread[NOVA_CPU_MAX];
        unsigned threads = 0, sum = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                pthread_attr_t attr;

                if (!nova_program_has_cpu(cpu))
                        continue;
                pthread_attr_init(&attr);
                pthread_attr_setcpu_np(&attr, cpu);
                pthread_attr_setname_np(&attr, "counter");
                if (pthread_create(&thread[threads++], &attr, count, NULL))
                        fail("pthread_create");
        }
        for (unsigned i = 0; i < threads; i++) {
                void *result;

                if (pthread_join(thread[i], &result))
                        fail("pthread_join");
                sum += (unsigned)(size_t)result;
        }
        printf("%u threads counted %u primes below %u in %u pieces\n", threads, primes, LIMIT, sum);
        return 0;
}
