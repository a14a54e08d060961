/* SPDX-License-Identifier: BSD-2-Clause */
/* A service's lock, and how the service stops.
 *
 * A handler that crashed may hold the lock for ever. So a thread that waits for the lock gives up
 * when the service stops. A thread may release the lock to call the service's own functions, and
 * then not get it back. In that case it does not access the service any more, and the thread that
 * stops the service completes its work.
 *
 * A handler whose caller has died has no time to release the lock, or to take it when its turn
 * comes. Normally the CPU's runner calls such a handler. But the runner may be calling the other
 * handler of that CPU, which itself waits for the lock. So a handler or runner that waits for the
 * lock donates its time to the handlers of its CPU that need it. */
#include <errno.h>

#include "internal.h"
#include "novart/time.h"
#include "thread/thread.h"

static nova_word_t self(void)
{
        return (nova_word_t)nova_thread_self();
}

/* Returns the caller's index among its CPU's handlers; -1 if the caller is not a handler of the
 * service. */
static int role(const struct service_cpu *cpu)
{
        if (cpu && cpu->handler && self() == (nova_word_t)&cpu->handler->thread)
                return SERVICE_CALLS;
        if (cpu && cpu->share_handler && self() == (nova_word_t)&cpu->share_handler->thread)
                return SERVICE_SHARES;
        return -1;
}

/* Returns the flag by which a handler shows that it has the lock or waits for it; NULL if the
 * caller is not a handler. */
static bool *needs_lock(struct nova_service *service)
{
        struct service_cpu *const cpu = service->cpu[nova_thread_cpu()];
        const int mine = role(cpu);

        return mine < 0 ? NULL : &cpu->needs_lock[mine];
}

static void set(bool *needs, bool value)
{
        if (needs)
                __atomic_store_n(needs, value, __ATOMIC_RELEASE);
}

void novart_service_help(const struct nova_service *service)
{
        const struct service_cpu *const cpu = service->cpu[nova_thread_cpu()];
        const int mine = role(cpu);

        if (!cpu || (mine < 0 && nova_thread_self() != cpu->runner))
                return;
        if (mine != SERVICE_CALLS &&
            __atomic_load_n(&cpu->needs_lock[SERVICE_CALLS], __ATOMIC_ACQUIRE))
                novart_service_pass(cpu, service->control);
        if (mine != SERVICE_SHARES &&
            __atomic_load_n(&cpu->needs_lock[SERVICE_SHARES], __ATOMIC_ACQUIRE))
                novart_service_pass(cpu, service->share);
}

static void wake_runners(struct nova_service *service)
{
        for (nova_word_t n = 0; n < NOVA_CPU_MAX; n++)
                if (service->cpu[n])
                        novart_service_runner_wake(service->cpu[n]);
}

/* Takes the lock. Donates time to its holder while it waits.
 * @return false if the service stops and the holder does not release the lock soon */
static bool take(struct nova_service *service, bool insist)
{
        bool *const needs = needs_lock(service);

        set(needs, true);
        while (!nova_mutex_try(&service->lock) &&
               nova_mutex_lock_until(&service->lock, nova_deadline_in(SERVICE_PATIENCE))) {
                if (insist)
                        continue;
                if (service_stopping(service)) {
                        set(needs, false);
                        return false;
                }
                wake_runners(service);
                novart_service_help(service);
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

        bool *const needs = needs_lock(service);

        __atomic_store_n(&service->holder, 0, __ATOMIC_RELAXED);
        nova_mutex_unlock(&service->lock);
        set(needs, false); /* for a caller that is not a handler, the service may be freed by now */
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
