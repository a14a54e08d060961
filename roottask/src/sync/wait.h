/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues of waiting threads, the base of mutexes, condition variables and semaphores. */
#ifndef NOVA_ROOTTASK_WAIT_H
#define NOVA_ROOTTASK_WAIT_H

#include "novart/sync.h"

/* A waiting thread. The structure is on the thread's stack. The queue's guard protects all
 * fields. */
struct nova_waiter {
        struct nova_waiter *next, *prev;
        struct nova_thread *thread;
        bool granted;
};

/* Locks the queue against changes by other threads. The caller must release it within a few
 * instructions and must not wait meanwhile. */
void novart_wait_guard(struct nova_wait_queue *queue);
void novart_wait_release(struct nova_wait_queue *queue);

/* Appends the calling thread to the queue. The caller holds the guard. */
void novart_wait_append(struct nova_wait_queue *queue, struct nova_waiter *waiter);

/* Removes the thread that has waited longest; the caller must then wake it. The caller holds the
 * guard.
 * @return the thread; NULL: no thread waits */
struct nova_thread *novart_wait_grant(struct nova_wait_queue *queue);

/* Removes all waiters; the caller must wake each. The caller holds the guard.
 * @return the first waiter of their list; NULL: no thread waits */
struct nova_waiter *novart_wait_grant_all(struct nova_wait_queue *queue);

/* Removes a waiter without a grant. The caller holds the guard. */
void novart_wait_remove(struct nova_wait_queue *queue, struct nova_waiter *waiter);

/* Lets a thread with a grant continue. The caller does not hold the guard. */
void novart_wait_wake(struct nova_thread *thread);

/* Waits for a grant. The caller does not hold the guard.
 * @return false at the deadline. The waiter may have received a grant meanwhile;
 *   novart_wait_give_up() determines whether it has */
bool novart_wait_park(const struct nova_waiter *waiter, uint64_t deadline);

/* Removes a waiter after a deadline. The caller holds the guard, which this function
 * releases.
 * @return false if the waiter had received a grant, so the wait has succeeded */
bool novart_wait_give_up(struct nova_wait_queue *queue, struct nova_waiter *waiter);

#endif
