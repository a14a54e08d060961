/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutexes, conditions and semaphores between threads of a program. They need no kernel object and
 * no hypercall while nobody waits; a thread that waits does so on its own semaphore.
 *
 * Static objects begin as their initialisers say, or as zeroes; nothing has to be destroyed, but
 * nobody may wait for an object that goes away. Who has waited longest comes first. */
#ifndef NOVART_SYNC_H
#define NOVART_SYNC_H

#include <stdbool.h>

#include "nova/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A moment that never comes. */
#define NOVA_FOREVER UINT64_MAX

struct nova_waiter;

/** Who waits, in order. Its guard is held for a few instructions. */
struct nova_wait_queue {
        uint32_t guard; /**< 1 while the queue is changed */
        struct nova_waiter *first, *last;
};

/** Lets one thread in at a time. */
struct nova_mutex {
        uint32_t state; /**< 0 free, 1 locked, 2 locked and somebody waits */
        struct nova_wait_queue queue;
};
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
        unsigned depth; /**< how often it holds it, less one */
};
#define NOVA_RECURSIVE_MUTEX_INITIALIZER        \
        {                                       \
                NOVA_MUTEX_INITIALIZER, NULL, 0 \
        }

/** Something that holders of a mutex wait for. */
struct nova_cond {
        struct nova_wait_queue queue;
};
#define NOVA_COND_INITIALIZER         \
        {                             \
                {                     \
                        0, NULL, NULL \
                }                     \
        }

/** A counter that is never negative; taking from 0 waits. */
struct nova_semaphore {
        int32_t count;    /**< less than 0: so many wait, or are about to */
        uint32_t granted; /**< ups for those who are about to */
        struct nova_wait_queue queue;
};
#define NOVA_SEMAPHORE_INITIALIZER(value) \
        {                                 \
                (value), 0,               \
                {                         \
                        0, NULL, NULL     \
                }                         \
        }

/** Take a mutex; waits while another thread holds it. Not for its holder. */
void nova_mutex_lock(struct nova_mutex *mutex);

/** Take a mutex if it is free. @return true if it is the caller's now */
bool nova_mutex_try(struct nova_mutex *mutex);

/** Take a mutex, waiting until @p deadline (TSC value) only. @return 0, or ETIMEDOUT */
int nova_mutex_lock_until(struct nova_mutex *mutex, uint64_t deadline);

/** Give a mutex back; who waits longest has it then. */
void nova_mutex_unlock(struct nova_mutex *mutex);

/** As nova_mutex_lock(), and as often as its holder likes. */
void nova_recursive_mutex_lock(struct nova_recursive_mutex *mutex);

/** @return true if it is the caller's now, once more or for the first time */
bool nova_recursive_mutex_try(struct nova_recursive_mutex *mutex);

/** As nova_recursive_mutex_lock(), until @p deadline (TSC value). @return 0, or ETIMEDOUT */
int nova_recursive_mutex_lock_until(struct nova_recursive_mutex *mutex, uint64_t deadline);

/** Undo one lock. */
void nova_recursive_mutex_unlock(struct nova_recursive_mutex *mutex);

/** Give @p mutex back, wait for a signal, and take @p mutex again. */
void nova_cond_wait(struct nova_cond *cond, struct nova_mutex *mutex);

/** As nova_cond_wait(), until @p deadline (TSC value). @return 0, or ETIMEDOUT; has the mutex */
int nova_cond_wait_until(struct nova_cond *cond, struct nova_mutex *mutex, uint64_t deadline);

/** Let one thread that waits go on. */
void nova_cond_signal(struct nova_cond *cond);

/** Let all threads that wait go on. */
void nova_cond_broadcast(struct nova_cond *cond);

/** Take one from a semaphore; waits while it is 0. */
void nova_semaphore_down(struct nova_semaphore *semaphore);

/** Take one if there is one. @return true if so */
bool nova_semaphore_try(struct nova_semaphore *semaphore);

/** As nova_semaphore_down(), until @p deadline (TSC value). @return 0, or ETIMEDOUT */
int nova_semaphore_down_until(struct nova_semaphore *semaphore, uint64_t deadline);

/** Add one, or let go on who waits longest. */
void nova_semaphore_up(struct nova_semaphore *semaphore);

#ifdef __cplusplus
}
#endif

#endif
