/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores. While the counter is above 0, a down only decrements it. Below 0, it is minus the
 * number of threads that wait or are about to wait and need an up. */
#include <errno.h>

#include "sync/wait.h"

bool nova_semaphore_try(struct nova_semaphore *semaphore)
{
        int32_t count = __atomic_load_n(&semaphore->count, __ATOMIC_RELAXED);

        while (count > 0)
                if (__atomic_compare_exchange_n(&semaphore->count, &count, count - 1, false,
                                                __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                        return true;
        return false;
}

/* Withdraws the claim of a thread whose deadline has passed.
 * @return false if an up was already granted to it and will arrive */
static bool withdraw(struct nova_semaphore *semaphore)
{
        int32_t count = __atomic_load_n(&semaphore->count, __ATOMIC_RELAXED);

        while (count < 0)
                if (__atomic_compare_exchange_n(&semaphore->count, &count, count + 1, false,
                                                __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                        return true;
        return false;
}

int nova_semaphore_down_until(struct nova_semaphore *semaphore, uint64_t deadline)
{
        struct nova_waiter waiter;

        if (__atomic_fetch_sub(&semaphore->count, 1, __ATOMIC_ACQUIRE) > 0)
                return 0;
        novart_wait_guard(&semaphore->queue);
        if (semaphore->granted) {
                semaphore->granted--;
                novart_wait_release(&semaphore->queue);
                return 0;
        }
        novart_wait_append(&semaphore->queue, &waiter);
        novart_wait_release(&semaphore->queue);
        if (novart_wait_park(&waiter, deadline))
                return 0;
        novart_wait_guard(&semaphore->queue);
        if (waiter.granted || withdraw(semaphore))
                return novart_wait_give_up(&semaphore->queue, &waiter) ? ETIMEDOUT : 0;
        novart_wait_release(&semaphore->queue);
        novart_wait_park(&waiter, NOVA_FOREVER);
        return 0;
}

void nova_semaphore_down(struct nova_semaphore *semaphore)
{
        nova_semaphore_down_until(semaphore, NOVA_FOREVER);
}

void nova_semaphore_up(struct nova_semaphore *semaphore)
{
        if (__atomic_fetch_add(&semaphore->count, 1, __ATOMIC_RELEASE) >= 0)
                return;
        novart_wait_guard(&semaphore->queue);

        struct nova_thread *const thread = novart_wait_grant(&semaphore->queue);

        if (!thread)
                semaphore->granted++;
        novart_wait_release(&semaphore->queue);
        if (thread)
                novart_wait_wake(thread);
}
