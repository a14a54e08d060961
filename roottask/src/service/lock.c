/* SPDX-License-Identifier: BSD-2-Clause */
/* A service's lock, and what becomes of it when the service stops.
 *
 * A handler that had a fault may have the lock for ever. So who waits for it gives up when the
 * service stops, and who gave it up for a moment, to call the service's own functions, may not get
 * it back: it touches nothing of the service then, and stopping ends what it has begun. */
#include <errno.h>

#include "internal.h"
#include "novart/time.h"

static nova_word_t self(void)
{
        return (nova_word_t)nova_thread_self();
}

static void wake_runners(struct nova_service *service)
{
        for (nova_word_t n = 0; n < NOVA_CPU_MAX; n++)
                if (service->cpu[n])
                        service_runner_wake(service->cpu[n]);
}

/* @return false if the service stops and whoever has the lock keeps it for longer than a moment */
static bool take(struct nova_service *service, bool insist)
{
        while (nova_mutex_lock_until(&service->lock, nova_deadline_in(SERVICE_PATIENCE))) {
                if (insist)
                        continue;
                if (service_stopping(service))
                        return false;
                wake_runners(service);
        }
        __atomic_store_n(&service->holder, self(), __ATOMIC_RELAXED);
        return true;
}

bool service_enter(struct nova_service *service)
{
        return take(service, service->alone);
}

bool service_inside(const struct nova_service *service)
{
        return __atomic_load_n(&service->holder, __ATOMIC_RELAXED) == self();
}

void service_leave(struct nova_service *service)
{
        if (!service_inside(service))
                return;
        __atomic_store_n(&service->holder, 0, __ATOMIC_RELAXED);
        nova_mutex_unlock(&service->lock);
}

void service_holder_ended(struct nova_service *service, nova_word_t thread)
{
        if (__atomic_load_n(&service->holder, __ATOMIC_RELAXED) == thread)
                service->abandoned = true;
}

void service_take_over(struct nova_service *service)
{
        service->alone = true;
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
                service_leave(service);
                error = ECANCELED;
        }
        __atomic_sub_fetch(&service->waiters, 1, __ATOMIC_RELEASE);
        return error;
}

void nova_service_unlock(struct nova_service *service)
{
        service_leave(service);
}

void service_wait_for_waiters(const struct nova_service *service)
{
        while (__atomic_load_n(&service->waiters, __ATOMIC_ACQUIRE))
                nova_sleep(SERVICE_PATIENCE);
}
