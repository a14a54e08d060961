/* SPDX-License-Identifier: BSD-2-Clause */
/* A service's lock, and how the service stops.
 *
 * A handler that crashed may hold the lock for ever. So a thread that waits for the lock gives up
 * when the service stops. A thread may release the lock to call the service's own functions, and
 * then not get it back. In that case it does not access the service any more, and the thread that
 * stops the service completes its work.
 *
 * A handler whose caller has died has no time to release the lock, or to take it when its turn
 * comes. So a thread that waits for the lock wakes the runners, which lend the handlers time. */
#include <errno.h>

#include "internal.h"
#include "novart/time.h"
#include "thread/thread.h"

static nova_word_t self(void)
{
        return (nova_word_t)nova_thread_self();
}

/* Takes the lock. Wakes the runners while it waits.
 * @return false if the service stops and the holder does not release the lock soon */
static bool take(struct nova_service *service, bool insist)
{
        while (!nova_mutex_try(&service->lock) &&
               nova_mutex_lock_until(&service->lock, nova_deadline_in(SERVICE_PATIENCE))) {
                if (insist)
                        continue;
                if (service_stopping(service))
                        return false;
                novart_service_runners_ask(service);
        }
        __atomic_store_n(&service->holder, self(), __ATOMIC_RELAXED);
        return true;
}

bool novart_service_enter(struct nova_service *service)
{
        return take(service, service->quiesced);
}

bool novart_service_inside(const struct nova_service *service)
{
        return __atomic_load_n(&service->holder, __ATOMIC_RELAXED) == self();
}

void novart_service_leave(struct nova_service *service)
{
        if (!novart_service_inside(service))
                return;
        __atomic_store_n(&service->holder, 0, __ATOMIC_RELAXED);
        nova_mutex_unlock(&service->lock);
}

void novart_service_holder_ended(struct nova_service *service, nova_word_t thread)
{
        if (__atomic_load_n(&service->holder, __ATOMIC_RELAXED) == thread)
                service->abandoned = true;
}

void novart_service_take_over(struct nova_service *service)
{
        service->quiesced = true;
        if (service->abandoned)
                __atomic_store_n(&service->holder, self(), __ATOMIC_RELAXED);
        else
                take(service, true);
}

int nova_service_lock(struct nova_service *service)
{
        __atomic_add_fetch(&service->waiters, 1, __ATOMIC_ACQUIRE);

        int error = !service_stopping(service) && take(service, false) ? 0 : ECANCELED;

        if (!error && service_stopping(service)) {
                novart_service_leave(service);
                error = ECANCELED;
        }
        __atomic_sub_fetch(&service->waiters, 1, __ATOMIC_RELEASE);
        return error;
}

void nova_service_unlock(struct nova_service *service)
{
        novart_service_leave(service);
}

void novart_service_wait_for_waiters(const struct nova_service *service)
{
        while (__atomic_load_n(&service->waiters, __ATOMIC_ACQUIRE))
                nova_sleep(SERVICE_PATIENCE);
}
