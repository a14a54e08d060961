/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX threads: results, kinds of mutexes, conditions, keys, once, yields, locks of streams,
 * and waits with a time limit. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "cpu.h"
#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define THREADS 6
#define ROUNDS  300

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct nova_semaphore seen;
static int turn, sum;
static pthread_key_t key;
static int destroyed, initialised;

static struct timespec in_ms(clockid_t clock, int ms)
{
        struct timespec time;

        clock_gettime(clock, &time);
        time.tv_nsec += ms % 1000 * 1000000;
        time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
        time.tv_nsec %= 1000000000;
        return time;
}

/* Counts when it is the turn of this thread. The threads take turns, so every signal must
 * arrive. */
static void *in_turn(void *argument)
{
        const int number = (int)(intptr_t)argument;

        for (int i = 0; i < ROUNDS; i++) {
                CHECK(!pthread_mutex_lock(&mutex));
                while (turn != number)
                        CHECK(!pthread_cond_wait(&changed, &mutex));
                sum++;
                turn = (turn + 1) % THREADS;
                CHECK(!pthread_cond_broadcast(&changed));
                CHECK(!pthread_mutex_unlock(&mutex));
        }
        return argument;
}

static void check_turns(void)
{
        pthread_t thread[THREADS];
        pthread_attr_t attr;
        nova_word_t cpu = 0;
        void *result;

        pthread_attr_init(&attr);
        for (int i = 0; i < THREADS; i++) {
                cpu = next_cpu(cpu);
                pthread_attr_setcpu_np(&attr, cpu);
                CHECK(!pthread_create(&thread[i], &attr, in_turn, (void *)(intptr_t)i));
        }
        for (int i = 0; i < THREADS; i++)
                CHECK(!pthread_join(thread[i], &result) && result == (void *)(intptr_t)i);
        CHECK(sum == THREADS * ROUNDS);
}

/* Holds a mutex until the creator of this thread has seen it held. No time limit ends the hold, so
 * the result does not depend on the speed of the machine. */
static void *hold(void *argument)
{
        pthread_mutex_lock(argument);
        nova_semaphore_down(&seen);
        pthread_mutex_unlock(argument);
        return NULL;
}

static void check_mutexes(void)
{
        pthread_mutexattr_t attr;
        pthread_mutex_t own;
        pthread_t thread;
        struct timespec time;

        CHECK(!pthread_mutexattr_init(&attr) && pthread_mutexattr_settype(&attr, 9) == EINVAL);
        CHECK(!pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
        CHECK(!pthread_mutex_init(&own, &attr));
        for (int i = 0; i < 3; i++)
                CHECK(!pthread_mutex_lock(&own) && !pthread_mutex_trylock(&own));
        for (int i = 0; i < 6; i++)
                CHECK(pthread_mutex_destroy(&own) == EBUSY && !pthread_mutex_unlock(&own));
        CHECK(pthread_mutex_unlock(&own) == EPERM && !pthread_mutex_destroy(&own));

        CHECK(!pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
        CHECK(!pthread_mutex_init(&own, &attr) && !pthread_mutex_lock(&own));
        CHECK(pthread_mutex_lock(&own) == EDEADLK && pthread_mutex_trylock(&own) == EBUSY);
        CHECK(!pthread_mutex_unlock(&own) && pthread_mutex_unlock(&own) == EPERM);

        CHECK(!pthread_create(&thread, NULL, hold, &mutex));
        while (!pthread_mutex_trylock(&mutex)) {
                pthread_mutex_unlock(&mutex);
                nova_sleep(100000);
        }
        time = in_ms(CLOCK_REALTIME, 1);
        CHECK(pthread_mutex_timedlock(&mutex, &time) == ETIMEDOUT);
        time = (struct timespec){0, -1};
        CHECK(pthread_mutex_timedlock(&mutex, &time) == EINVAL);
        nova_semaphore_up(&seen);
        time = in_ms(CLOCK_REALTIME, 60000);
        CHECK(!pthread_mutex_timedlock(&mutex, &time) && !pthread_mutex_unlock(&mutex));
        CHECK(!pthread_join(thread, NULL));
}

static void check_timed_condition(void)
{
        pthread_condattr_t attr;
        pthread_cond_t never;
        struct timespec time;

        CHECK(!pthread_condattr_init(&attr) && pthread_condattr_setclock(&attr, 99) == EINVAL);
        CHECK(!pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
        CHECK(!pthread_cond_init(&never, &attr) && !pthread_mutex_lock(&mutex));
        time = in_ms(CLOCK_MONOTONIC, 5);
        CHECK(pthread_cond_timedwait(&never, &mutex, &time) == ETIMEDOUT);
        CHECK(nova_time_ns() >= (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec);
        time.tv_sec = -5;
        CHECK(pthread_cond_timedwait(&never, &mutex, &time) == ETIMEDOUT);
        time.tv_nsec = 1000000000;
        CHECK(pthread_cond_timedwait(&never, &mutex, &time) == EINVAL);
        CHECK(!pthread_mutex_unlock(&mutex) && !pthread_cond_destroy(&never));
}

/* Signals after a moment that a wait has not ended by itself. */
static void *signal_later(void *argument)
{
        nova_sleep(20000000);
        CHECK(!pthread_mutex_lock(&mutex) && !pthread_cond_signal(argument));
        CHECK(!pthread_mutex_unlock(&mutex));
        return NULL;
}

static int slept;

static void *sleep_for_ever(void *argument)
{
        nanosleep(argument, NULL);
        __atomic_store_n(&slept, 1, __ATOMIC_RELAXED);
        return NULL;
}

/* Times whose nanoseconds do not fit in 64 bits are far in the future, whatever the clock says. */
static void check_far_times(void)
{
        static struct timespec far = {18446744074, 0};
        struct timespec now, time, latest = {9223372035, 0};
        struct nova_thread_attr attr = NOVA_THREAD_ATTR_INITIALIZER;
        struct nova_thread *sleeper;
        pthread_cond_t signalled;
        pthread_t thread;

        attr.daemon = true;
        CHECK(!nova_thread_create(&sleeper, &attr, sleep_for_ever, &far));

        CHECK(clock_settime(CLOCK_REALTIME, &far) == -1 && errno == EINVAL);
        CHECK(!clock_gettime(CLOCK_REALTIME, &now) && !clock_settime(CLOCK_REALTIME, &latest));
        latest.tv_sec++;
        CHECK(clock_settime(CLOCK_REALTIME, &latest) == -1 && errno == EINVAL);
        CHECK(!clock_gettime(CLOCK_REALTIME, &time) && time.tv_sec == latest.tv_sec - 1);
        time = (struct timespec){0, 0};
        CHECK(!clock_settime(CLOCK_REALTIME, &time));
        CHECK(!pthread_cond_init(&signalled, NULL) && !pthread_mutex_lock(&mutex));
        CHECK(!pthread_create(&thread, NULL, signal_later, &signalled));
        CHECK(!pthread_cond_timedwait(&signalled, &mutex, &far));
        CHECK(!pthread_mutex_unlock(&mutex) && !pthread_join(thread, NULL));
        CHECK(!pthread_cond_destroy(&signalled) && !clock_settime(CLOCK_REALTIME, &now));

        nova_sleep(400000000);
        CHECK(!__atomic_load_n(&slept, __ATOMIC_RELAXED));
}

static void destroy(void *value)
{
        destroyed += *(int *)value;
        if (*(int *)value == 1) {
                static int again = 10;

                pthread_setspecific(key, &again);
        }
}

static void *use_key(void *argument)
{
        CHECK(!pthread_getspecific(key) && !pthread_setspecific(key, argument));
        CHECK(pthread_getspecific(key) == argument);
        pthread_exit(argument);
}

static void check_keys(void)
{
        static int one = 1;
        pthread_t thread;
        pthread_key_t many[PTHREAD_KEYS_MAX];
        void *result;

        CHECK(!pthread_key_create(&key, destroy) && !pthread_setspecific(key, &sum));
        CHECK(!pthread_create(&thread, NULL, use_key, &one));
        CHECK(!pthread_join(thread, &result) && result == &one && destroyed == 11);
        CHECK(pthread_getspecific(key) == &sum && !pthread_key_delete(key));
        CHECK(pthread_key_delete(key) == EINVAL && pthread_setspecific(key, &one) == EINVAL);
        CHECK(!pthread_getspecific(key));
        for (int i = 0; i < PTHREAD_KEYS_MAX; i++)
                CHECK(!pthread_key_create(&many[i], NULL) && !pthread_getspecific(many[i]));
        CHECK(pthread_key_create(&key, NULL) == EAGAIN);
        for (int i = 0; i < PTHREAD_KEYS_MAX; i++)
                CHECK(!pthread_key_delete(many[i]));
}

static void initialise(void)
{
        nova_sleep(5000000);
        initialised++;
}

static void *use_once(void *argument)
{
        CHECK(!pthread_once(argument, initialise) && initialised == 1);
        return NULL;
}

static void check_once(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_t thread[THREADS];

        for (int i = 0; i < THREADS; i++)
                CHECK(!pthread_create(&thread[i], NULL, use_once, &once));
        for (int i = 0; i < THREADS; i++)
                CHECK(!pthread_join(thread[i], NULL));
        use_once(&once);
}

/* Waits for its turns on the CPU of the other thread. A yield without an effect would be repeated
 * until the end of a quantum, in each turn. */
static void *yield_in_turn(void *argument)
{
        const int number = (int)(intptr_t)argument;
        unsigned yields = 0;

        for (int i = 0; i < ROUNDS; i++) {
                for (; __atomic_load_n(&turn, __ATOMIC_ACQUIRE) != number; yields++)
                        CHECK(!sched_yield());
                __atomic_store_n(&turn, !number, __ATOMIC_RELEASE);
        }
        CHECK(yields < ROUNDS * 100);
        return argument;
}

static void check_yields(void)
{
        pthread_t thread[2];

        turn = 0;
        for (int i = 0; i < 2; i++)
                CHECK(!pthread_create(&thread[i], NULL, yield_in_turn, (void *)(intptr_t)i));
        for (int i = 0; i < 2; i++)
                CHECK(!pthread_join(thread[i], NULL));
}

/* Tries the lock of a stream. @return a value other than NULL if another thread holds the lock */
static void *try_stream(void *stream)
{
        const bool held = ftrylockfile(stream);

        if (!held)
                funlockfile(stream);
        return held ? stream : NULL;
}

static void check_stream(FILE *stream, bool held)
{
        pthread_t thread;
        void *result;

        CHECK(!pthread_create(&thread, NULL, try_stream, stream));
        CHECK(!pthread_join(thread, &result) && (result == stream) == held);
}

static void check_streams(void)
{
        flockfile(stdin); /* its first use */
        check_stream(stdin, true);
        check_stream(stdout, false);
        CHECK(!ftrylockfile(stdin));
        funlockfile(stdin);
        check_stream(stdin, true);
        funlockfile(stdin);
        check_stream(stdin, false);
}

static void check_refusals(void)
{
        pthread_attr_t attr;
        pthread_t thread;
        struct sched_param param = {.sched_priority = 256};
        size_t bytes;

        CHECK(pthread_join(pthread_self(), NULL) == EDEADLK && !pthread_attr_init(&attr));
        CHECK(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1) == EINVAL);
        CHECK(!pthread_attr_setstacksize(&attr, 0x20000));
        CHECK(!pthread_attr_getstacksize(&attr, &bytes) && bytes == 0x20000);
        CHECK(pthread_attr_setschedparam(&attr, &param) == EINVAL);
        CHECK(pthread_attr_setdetachstate(&attr, 7) == EINVAL);
        CHECK(!pthread_attr_setcpu_np(&attr, NOVA_CPU_MAX - 1));
        CHECK(pthread_create(&thread, &attr, use_once, NULL) == EINVAL);
        CHECK(!pthread_attr_destroy(&attr));
}

int main(void)
{
        check_turns();
        check_mutexes();
        check_timed_condition();
        check_far_times();
        check_keys();
        check_once();
        check_yields();
        check_streams();
        check_refusals();
        CHECK(pthread_equal(pthread_self(), pthread_self()));
        printf("POSIX threads are in order\n");
        return 0;
}
