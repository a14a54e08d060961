/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues of waiting threads, under what mutexes, conditions and semaphores are made of. */
#ifndef NOVA_ROOTTASK_WAIT_H
#define NOVA_ROOTTASK_WAIT_H

#include "novart/sync.h"

/* A thread that waits, on its own stack. The queue's guard protects all fields. */
struct nova_waiter {
        struct nova_waiter *next, *prev;
        struct nova_thread *thread;
        bool granted;
};

/* Locks the queue against changes by others, for a few instructions without waiting. */
void novart_wait_guard(struct nova_wait_queue *queue);
void novart_wait_release(struct nova_wait_queue *queue);

/* Puts the calling thread at the end of the queue. With the guard. */
void novart_wait_append(struct nova_wait_queue *queue, struct nova_waiter *waiter);

/* Takes out who waits longest, who then must be woken; NULL if nobody waits. With the guard.
 * @return the thread */
struct nova_thread *novart_wait_grant(struct nova_wait_queue *queue);

/* Takes out all waiters; each must be woken. With the guard. @return the first of the list */
struct nova_waiter *novart_wait_grant_all(struct nova_wait_queue *queue);

/* Takes out a waiter that was not granted. With the guard. */
void novart_wait_remove(struct nova_wait_queue *queue, struct nova_waiter *waiter);

/* Lets a thread go on that was granted. Without the guard. */
void novart_wait_wake(struct nova_thread *thread);

/* Waits until granted. Without the guard. @return false at the deadline: then the waiter may have
 * been granted meanwhile, which novart_wait_give_up() finds out */
bool novart_wait_park(const struct nova_waiter *waiter, uint64_t deadline);

/* After a deadline and with the guard, which it releases: takes the waiter out. @return false if it
 * was granted before, so that the wait was a success */
bool novart_wait_give_up(struct nova_wait_queue *queue, struct nova_waiter *waiter);

#endif
