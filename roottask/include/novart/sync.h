/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutexes, condition variables and semaphores between threads of a program. They need no kernel
 * object and, while no thread waits, no hypercall. Each waiting thread uses its own semaphore.
 *
 * Static objects start with their initialisers or as zeroes. Objects need not be destroyed, but no
 * thread may wait for an object when its memory is freed. The thread that has waited longest is
 * served first. */
#ifndef NOVART_SYNC_H
#define NOVART_SYNC_H

#include <stdbool.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A deadline that never comes. */
#define NOVA_FOREVER UINT64_MAX

struct nova_waiter;

/** Queue of waiting threads; the first has waited longest. Its guard is held for a few
 * instructions. */
struct nova_wait_queue {
        uint32_t guard; /**< 1 while a thread changes the queue */
        struct nova_waiter *first, *last;
};

/** A lock that one thread holds at a time. */
struct nova_mutex {
        uint32_t state; /**< 0 free, 1 locked, 2 locked with waiting threads */
        struct nova_wait_queue queue;
};
/** Initialises a mutex. */
#define NOVA_MUTEX_INITIALIZER        \
        {                             \
                0,                    \
                {                     \
                        0, NULL, NULL \
                }                     \
        }

/** A mutex that its holder may lock again. */
struct nova_recursive_mutex {
        struct nova_mutex mutex;
        struct nova_thread *holder;
        unsigned depth; /**< number of nested locks minus one */
};
/** Initialises a recursive mutex. */
#define NOVA_RECURSIVE_MUTEX_INITIALIZER        \
        {                                       \
                NOVA_MUTEX_INITIALIZER, NULL, 0 \
        }

/** A condition variable: holders of a mutex wait on it. */
struct nova_cond {
        struct nova_wait_queue queue;
};
/** Initialises a condition variable. */
#define NOVA_COND_INITIALIZER         \
        {                             \
                {                     \
                        0, NULL, NULL \
                }                     \
        }

/** A semaphore. Its value is never negative: a down waits while the value is 0. */
struct nova_semaphore {
        int32_t count; /**< value of the semaphore; if negative, the value is 0, and this is minus
                          the number of threads that wait or are about to wait */
        uint32_t granted; /**< ups for threads that are about to wait */
        struct nova_wait_queue queue;
};
/** Initialises a semaphore with counter @p value. */
#define NOVA_SEMAPHORE_INITIALIZER(value) \
        {                                 \
                (value), 0,               \
                {                         \
                        0, NULL, NULL     \
                }                         \
        }

/**
 * Locks a mutex. Waits while another thread holds it. Must not be called by its holder.
 * @code
 * static struct nova_mutex mutex = NOVA_MUTEX_INITIALIZER;
 * static unsigned count;
 *
 * nova_mutex_lock(&mutex);
 * count++;
 * nova_mutex_unlock(&mutex);
 * @endcode
 */
void nova_mutex_lock(struct nova_mutex *mutex);

/** Locks a mutex if it is free. @return true if the caller now holds it */
bool nova_mutex_try(struct nova_mutex *mutex);

/**
 * Locks a mutex, waiting at most until @p deadline (TSC value).
 * @code
 * static struct nova_mutex mutex;
 *
 * if (nova_mutex_lock_until(&mutex, nova_deadline_in(1000000)) == ETIMEDOUT)
 *         puts("another thread held it for a millisecond");
 * else
 *         nova_mutex_unlock(&mutex);
 * @endcode
 * @return 0, or ETIMEDOUT
 */
int nova_mutex_lock_until(struct nova_mutex *mutex, uint64_t deadline);

/** Unlocks a mutex. The thread that has waited longest gets it. */
void nova_mutex_unlock(struct nova_mutex *mutex);

/**
 * Locks a recursive mutex. Its holder may lock it again.
 * @code
 * static struct nova_recursive_mutex mutex = NOVA_RECURSIVE_MUTEX_INITIALIZER;
 *
 * nova_recursive_mutex_lock(&mutex);
 * nova_recursive_mutex_lock(&mutex); // does not wait
 * nova_recursive_mutex_unlock(&mutex);
 * nova_recursive_mutex_unlock(&mutex);
 * @endcode
 */
void nova_recursive_mutex_lock(struct nova_recursive_mutex *mutex);

/** Locks a recursive mutex unless another thread holds it. @return true if the caller now holds
 * it */
bool nova_recursive_mutex_try(struct nova_recursive_mutex *mutex);

/** Locks a mutex like nova_recursive_mutex_lock(), but waits at most until @p deadline (TSC value).
 * @return 0, or ETIMEDOUT */
int nova_recursive_mutex_lock_until(struct nova_recursive_mutex *mutex, uint64_t deadline);

/** Undoes one lock. */
void nova_recursive_mutex_unlock(struct nova_recursive_mutex *mutex);

/**
 * Unlocks @p mutex, waits for a signal, and locks @p mutex again.
 * @code
 * static struct nova_mutex mutex;
 * static struct nova_cond filled;
 * static unsigned items; // another thread adds one and calls nova_cond_signal(&filled)
 *
 * nova_mutex_lock(&mutex);
 * while (!items)
 *         nova_cond_wait(&filled, &mutex);
 * items--;
 * nova_mutex_unlock(&mutex);
 * @endcode
 */
void nova_cond_wait(struct nova_cond *cond, struct nova_mutex *mutex);

/** Waits for a signal like nova_cond_wait(), but at most until @p deadline (TSC value). @return 0,
 * or ETIMEDOUT; the caller holds the mutex in both cases */
int nova_cond_wait_until(struct nova_cond *cond, struct nova_mutex *mutex, uint64_t deadline);

/** Wakes one waiting thread. */
void nova_cond_signal(struct nova_cond *cond);

/** Wakes all waiting threads. */
void nova_cond_broadcast(struct nova_cond *cond);

/**
 * Decrements a semaphore. Waits while it is 0.
 * @code
 * static struct nova_semaphore free_slots = NOVA_SEMAPHORE_INITIALIZER(4);
 *
 * nova_semaphore_down(&free_slots); // at most four threads are here at once
 * nova_semaphore_up(&free_slots);
 * @endcode
 */
void nova_semaphore_down(struct nova_semaphore *semaphore);

/** Decrements a semaphore unless it is 0. @return true if it was decremented */
bool nova_semaphore_try(struct nova_semaphore *semaphore);

/**
 * Decrements a semaphore like nova_semaphore_down(), but waits at most until @p deadline (TSC
 * value).
 * @code
 * static struct nova_semaphore ready;
 *
 * if (nova_semaphore_down_until(&ready, nova_deadline_in(500000000)) == ETIMEDOUT)
 *         puts("not ready after half a second");
 * @endcode
 * @return 0, or ETIMEDOUT
 */
int nova_semaphore_down_until(struct nova_semaphore *semaphore, uint64_t deadline);

/** Increments a semaphore, or wakes the thread that has waited longest. */
void nova_semaphore_up(struct nova_semaphore *semaphore);

#ifdef __cplusplus
}
#endif

#endif
