/* SPDX-License-Identifier: BSD-2-Clause */
/* Condition variables. */
#include <errno.h>

#include "sync/wait.h"

int nova_cond_wait_until(struct nova_cond *cond, struct nova_mutex *mutex, uint64_t deadline)
{
        struct nova_waiter waiter;
        int error = 0;

        novart_wait_guard(&cond->queue);
        novart_wait_append(&cond->queue, &waiter);
        novart_wait_release(&cond->queue);
        nova_mutex_unlock(mutex);
        if (!novart_wait_park(&waiter, deadline)) {
                novart_wait_guard(&cond->queue);
                error = novart_wait_give_up(&cond->queue, &waiter) ? ETIMEDOUT : 0;
        }
        nova_mutex_lock(mutex);
        return error;
}

void nova_cond_wait(struct nova_cond *cond, struct nova_mutex *mutex)
{
        nova_cond_wait_until(cond, mutex, NOVA_FOREVER);
}

static struct nova_thread *grant(struct nova_cond *cond)
{
        novart_wait_guard(&cond->queue);

        struct nova_thread *const thread = novart_wait_grant(&cond->queue);

        novart_wait_release(&cond->queue);
        return thread;
}

void nova_cond_signal(struct nova_cond *cond)
{
        struct nova_thread *const thread = grant(cond);

        if (thread)
                novart_wait_wake(thread);
}

/* Wakes all waiting threads. A waiter stays in memory until it is woken, so the list can be walked
 * without the guard. */
void nova_cond_broadcast(struct nova_cond *cond)
{
        novart_wait_guard(&cond->queue);

        struct nova_waiter *waiter = novart_wait_grant_all(&cond->queue);

        novart_wait_release(&cond->queue);
        while (waiter) {
                struct nova_waiter *const next = waiter->next;

                novart_wait_wake(waiter->thread);
                waiter = next;
        }
}
