/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues of waiting threads, the base of mutexes, conditions and semaphores. */
#ifndef NOVA_ROOTTASK_WAIT_H
#define NOVA_ROOTTASK_WAIT_H

#include "novart/sync.h"

/* A waiting thread, on its own stack. The queue's guard protects all fields. */
struct nova_waiter {
        struct nova_waiter *next, *prev;
        struct nova_thread *thread;
        bool granted;
};

/* Locks the queue against changes by other threads. The caller must release it within a few
 * instructions and must not wait meanwhile. */
void novart_wait_guard(struct nova_wait_queue *queue);
void novart_wait_release(struct nova_wait_queue *queue);

/* Appends the calling thread to the queue. With the guard. */
void novart_wait_append(struct nova_wait_queue *queue, struct nova_waiter *waiter);

/* Removes the thread that has waited longest, which the caller must then wake; NULL if no thread
 * waits. With the guard.
 * @return the thread */
struct nova_thread *novart_wait_grant(struct nova_wait_queue *queue);

/* Removes all waiters; the caller must wake each. With the guard.
 * @return the first of the list */
struct nova_waiter *novart_wait_grant_all(struct nova_wait_queue *queue);

/* Removes a waiter without a grant. With the guard. */
void novart_wait_remove(struct nova_wait_queue *queue, struct nova_waiter *waiter);

/* Lets a thread with a grant continue. Without the guard. */
void novart_wait_wake(struct nova_thread *thread);

/* Waits for a grant. Without the guard.
 * @return false at the deadline. The waiter may have got a grant meanwhile; novart_wait_give_up()
 *   determines that */
bool novart_wait_park(const struct nova_waiter *waiter, uint64_t deadline);

/* Removes a waiter after a deadline. Called with the guard, which it releases.
 * @return false if the waiter had got a grant, so the wait has succeeded */
bool novart_wait_give_up(struct nova_wait_queue *queue, struct nova_waiter *waiter);

#endif
