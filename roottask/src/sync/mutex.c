/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutexes. If threads wait, an unlock hands the mutex to the first one; the mutex is never free in
 * between. */
#include <errno.h>

#include "novart/thread.h"
#include "sync/wait.h"

enum { FREE, LOCKED, CONTENDED };

bool nova_mutex_try(struct nova_mutex *mutex)
{
        uint32_t expected = FREE;

        return __atomic_compare_exchange_n(&mutex->state, &expected, LOCKED, false,
                                           __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

int nova_mutex_lock_until(struct nova_mutex *mutex, uint64_t deadline)
{
        struct nova_waiter waiter;

        if (nova_mutex_try(mutex))
                return 0;
        novart_wait_guard(&mutex->queue);
        /* if the state is CONTENDED without a waiter, the only cost is one needless check of the
         * queue */
        if (__atomic_exchange_n(&mutex->state, CONTENDED, __ATOMIC_ACQUIRE) == FREE) {
                novart_wait_release(&mutex->queue);
                return 0;
        }
        novart_wait_append(&mutex->queue, &waiter);
        novart_wait_release(&mutex->queue);
        if (novart_wait_park(&waiter, deadline))
                return 0;
        novart_wait_guard(&mutex->queue);
        return novart_wait_give_up(&mutex->queue, &waiter) ? ETIMEDOUT : 0;
}

void nova_mutex_lock(struct nova_mutex *mutex)
{
        nova_mutex_lock_until(mutex, NOVA_FOREVER);
}

/* Frees the mutex if no thread has announced that it waits. Afterwards the mutex may not exist any
 * more, because the next holder may destroy it. */
static bool free_uncontended(struct nova_mutex *mutex)
{
        uint32_t expected = LOCKED;

        return __atomic_compare_exchange_n(&mutex->state, &expected, FREE, false, __ATOMIC_RELEASE,
                                           __ATOMIC_RELAXED);
}

void nova_mutex_unlock(struct nova_mutex *mutex)
{
        struct nova_thread *next = NULL;

        while (!next && !free_uncontended(mutex)) {
                novart_wait_guard(&mutex->queue);
                next = novart_wait_grant(&mutex->queue);
                if (!next) /* the guard must be released before the mutex is free */
                        __atomic_store_n(&mutex->state, LOCKED, __ATOMIC_RELAXED);
                novart_wait_release(&mutex->queue);
        }
        if (next)
                novart_wait_wake(next);
}

/* Returns true if the caller holds the mutex already. Only the holder can find itself recorded
 * in the mutex, so the check needs no lock. */
static bool again(struct nova_recursive_mutex *mutex)
{
        if (__atomic_load_n(&mutex->holder, __ATOMIC_RELAXED) != nova_thread_self())
                return false;
        mutex->depth++;
        return true;
}

int nova_recursive_mutex_lock_until(struct nova_recursive_mutex *mutex, uint64_t deadline)
{
        if (again(mutex))
                return 0;

        const int error = nova_mutex_lock_until(&mutex->mutex, deadline);

        if (!error)
                __atomic_store_n(&mutex->holder, nova_thread_self(), __ATOMIC_RELAXED);
        return error;
}

void nova_recursive_mutex_lock(struct nova_recursive_mutex *mutex)
{
        nova_recursive_mutex_lock_until(mutex, NOVA_FOREVER);
}

bool nova_recursive_mutex_try(struct nova_recursive_mutex *mutex)
{
        if (again(mutex))
                return true;
        if (!nova_mutex_try(&mutex->mutex))
                return false;
        __atomic_store_n(&mutex->holder, nova_thread_self(), __ATOMIC_RELAXED);
        return true;
}

void nova_recursive_mutex_unlock(struct nova_recursive_mutex *mutex)
{
        if (mutex->depth) {
                mutex->depth--;
                return;
        }
        __atomic_store_n(&mutex->holder, NULL, __ATOMIC_RELAXED);
        nova_mutex_unlock(&mutex->mutex);
}
