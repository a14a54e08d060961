/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that acts while it waits for a mutex keeps its place among the waiters. */
#include <stdint.h>

#include "check.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "sync/mutex.h"

#define STEP   1000000 /* ns */
#define ROUNDS 20

static struct nova_mutex mutex;
static unsigned steps, order, place[2];
static bool enough;

static bool count_step(void *argument)
{
        (void)argument;
        __atomic_add_fetch(&steps, 1, __ATOMIC_SEQ_CST);
        return !__atomic_load_n(&enough, __ATOMIC_SEQ_CST);
}

static void *wait_in_steps(void *argument)
{
        CHECK(novart_mutex_lock_in_steps(&mutex, STEP, count_step, argument));
        place[0] = ++order;
        nova_mutex_unlock(&mutex);
        return NULL;
}

static void *wait_at_once(void *argument)
{
        (void)argument;
        nova_mutex_lock(&mutex);
        place[1] = ++order;
        nova_mutex_unlock(&mutex);
        return NULL;
}

static struct nova_thread *start(void *(*function)(void *), const char *name)
{
        const struct nova_thread_attr attr = {.name = name, .cpu = nova_thread_cpu()};
        struct nova_thread *thread;

        CHECK(nova_thread_create(&thread, &attr, function, NULL) == 0);
        return thread;
}

/* Waits until the first thread has waited for some more steps. */
static void let_wait(unsigned more)
{
        const unsigned until = __atomic_load_n(&steps, __ATOMIC_SEQ_CST) + more;

        while ((int)(__atomic_load_n(&steps, __ATOMIC_SEQ_CST) - until) < 0)
                nova_sleep(STEP);
}

static void round_of_two(void)
{
        order = 0;
        nova_mutex_lock(&mutex);

        struct nova_thread *const first = start(wait_in_steps, "steps");

        let_wait(3);

        struct nova_thread *const second = start(wait_at_once, "second");

        let_wait(3);
        nova_mutex_unlock(&mutex);
        CHECK(nova_thread_join(first, NULL) == 0 && nova_thread_join(second, NULL) == 0);
        CHECK(place[0] == 1 && place[1] == 2);
}

static void *give_up(void *argument)
{
        (void)argument;
        CHECK(!novart_mutex_lock_in_steps(&mutex, STEP, count_step, NULL));
        return NULL;
}

/* An attempt that its function ends leaves no waiter behind. */
static void end_attempt(void)
{
        nova_mutex_lock(&mutex);

        struct nova_thread *const thread = start(give_up, "gives up");

        let_wait(2);
        __atomic_store_n(&enough, true, __ATOMIC_SEQ_CST);
        CHECK(nova_thread_join(thread, NULL) == 0);
        nova_mutex_unlock(&mutex);
        CHECK(nova_mutex_try(&mutex));
        nova_mutex_unlock(&mutex);
}

int main(void)
{
        for (unsigned i = 0; i < ROUNDS; i++)
                round_of_two();
        end_attempt();
        puts("the first to wait was the first");
        return 0;
}
