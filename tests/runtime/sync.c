/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutexes, conditions and semaphores under load from all CPUs, and waits with a time limit. */
#include <errno.h>
#include <stdint.h>

#include "check.h"
#include "cpu.h"
#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define THREADS 8
#define ROUNDS  1500

static struct nova_mutex mutex;
static struct nova_recursive_mutex recursive = NOVA_RECURSIVE_MUTEX_INITIALIZER;
static struct nova_semaphore items, places = NOVA_SEMAPHORE_INITIALIZER(3);
static struct nova_cond changed = NOVA_COND_INITIALIZER;
static unsigned inside, total, produced, consumed, late, waiting;
static bool open;

/* Runs a function in many threads, on all CPUs in turn. */
static void run_all(void *(*function)(void *))
{
        struct nova_thread *thread[THREADS];
        struct nova_thread_attr attr = NOVA_THREAD_ATTR_INITIALIZER;
        nova_word_t cpu = 0;

        for (intptr_t i = 0; i < THREADS; i++) {
                cpu = next_cpu(cpu);
                attr.cpu = cpu;
                attr.priority = 1 + (unsigned)i % 3;
                attr.quantum_us = 300;
                CHECK(!nova_thread_create(&thread[i], &attr, function, (void *)i));
        }
        for (int i = 0; i < THREADS; i++)
                CHECK(!nova_thread_join(thread[i], NULL));
}

static void *exclude(void *argument)
{
        const bool timed = (intptr_t)argument % 2;

        for (int i = 0; i < ROUNDS; i++) {
                if (timed && nova_mutex_lock_until(&mutex, nova_deadline_in(1000 * (uint64_t)i)))
                        __atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
                else {
                        if (!timed)
                                nova_mutex_lock(&mutex);
                        CHECK(inside++ == 0);
                        total++;
                        for (volatile int j = 0; j < 50; j++)
                                continue;
                        CHECK(--inside == 0);
                        nova_mutex_unlock(&mutex);
                }
        }
        return NULL;
}

static void *nest(void *argument)
{
        (void)argument;
        for (int i = 0; i < ROUNDS / 4; i++) {
                nova_recursive_mutex_lock(&recursive);
                nova_recursive_mutex_lock(&recursive);
                CHECK(inside++ == 0 && nova_recursive_mutex_try(&recursive));
                nova_recursive_mutex_unlock(&recursive);
                nova_recursive_mutex_unlock(&recursive);
                CHECK(--inside == 0);
                nova_recursive_mutex_unlock(&recursive);
        }
        return NULL;
}

/* Half of the threads put items into three places. The other half take items, and wait for them
 * with a time limit. */
static void *trade(void *argument)
{
        const intptr_t number = (intptr_t)argument;

        for (int i = 0; i < ROUNDS; i++) {
                if (number % 2) {
                        nova_semaphore_down(&places);
                        __atomic_fetch_add(&produced, 1, __ATOMIC_RELAXED);
                        nova_semaphore_up(&items);
                        continue;
                }
                while (nova_semaphore_down_until(&items, nova_deadline_in(number * 5000u)))
                        __atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
                __atomic_fetch_add(&consumed, 1, __ATOMIC_RELAXED);
                nova_semaphore_up(&places);
        }
        return NULL;
}

/* Waits, or, in the last thread, wakes all the others at once. */
static void *gather(void *argument)
{
        const uint64_t deadline = nova_deadline_in((uint64_t)60 * 1000000000);

        nova_mutex_lock(&mutex);
        if ((intptr_t)argument == THREADS - 1) {
                while (waiting < THREADS - 1) {
                        nova_mutex_unlock(&mutex);
                        nova_sleep(1000000);
                        nova_mutex_lock(&mutex);
                }
                open = true;
                nova_cond_broadcast(&changed);
        }
        waiting++;
        while (!open)
                CHECK(!nova_cond_wait_until(&changed, &mutex, deadline));
        nova_mutex_unlock(&mutex);
        return NULL;
}

static void check_time(void)
{
        struct nova_cond cond = NOVA_COND_INITIALIZER;
        struct nova_semaphore none = NOVA_SEMAPHORE_INITIALIZER(0);
        const uint64_t deadline = nova_deadline_in(3000000);

        nova_mutex_lock(&mutex);
        CHECK(!nova_mutex_try(&mutex));
        CHECK(nova_mutex_lock_until(&mutex, deadline) == ETIMEDOUT && nova_rdtsc() >= deadline);
        CHECK(nova_mutex_lock_until(&mutex, 0) == ETIMEDOUT);
        CHECK(nova_cond_wait_until(&cond, &mutex, nova_deadline_in(1000)) == ETIMEDOUT);
        CHECK(!nova_mutex_try(&mutex)); /* the wait has locked the mutex again */
        nova_cond_signal(&cond);
        nova_cond_broadcast(&cond);
        nova_mutex_unlock(&mutex);
        CHECK(nova_semaphore_down_until(&none, nova_deadline_in(1000)) == ETIMEDOUT);
        CHECK(!nova_semaphore_try(&none));
        nova_semaphore_up(&none);
        CHECK(nova_semaphore_try(&none) && !nova_semaphore_try(&none));
        CHECK(nova_deadline_in(UINT64_MAX) == NOVA_FOREVER);
        CHECK(nova_ns_of_tsc(nova_tsc_of_ns(5000000000)) / 1000 == 5000000 ||
              nova_ns_of_tsc(nova_tsc_of_ns(5000000000)) / 1000 == 4999999);
}

int main(void)
{
        run_all(exclude);
        CHECK(total + late == THREADS * ROUNDS && inside == 0 && nova_mutex_try(&mutex));
        nova_mutex_unlock(&mutex);
        printf("excluded\n");
        run_all(nest);
        printf("nested\n");
        run_all(trade);
        printf("traded\n");
        CHECK(produced == consumed && produced == THREADS / 2 * ROUNDS);
        CHECK(!nova_semaphore_try(&items));
        for (int i = 0; i < 3; i++)
                CHECK(nova_semaphore_try(&places));
        CHECK(!nova_semaphore_try(&places));
        run_all(gather);
        printf("gathered\n");
        check_time();
        printf("locks hold\n");
        return 0;
}
